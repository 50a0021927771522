// Streamable HTTP against scripted servers: sessions, events, and what goes wrong with them.
#include "runtime/http/server.hpp"
#include "runtime/tools/event_lines.hpp"
#include "runtime/tools/mcp.hpp"

#include "tests/tools/support/call.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <set>

namespace troupe::tools {
namespace {

using Strings = std::vector<std::string>;

TEST(EventLines, TakesEventsHoweverTheyAreCut) {
  const std::string stream =
      ": hi\r\nevent: message\r\ndata: a\r\ndata:b\r\n\r\nid: 3\ndata: c\n\nevent: other\ndata: "
      "d\n\n\rdata\r\r";
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    EventLines lines(100);
    EXPECT_TRUE(lines.take(stream.substr(0, cut)) && lines.take(stream.substr(cut)));
    EXPECT_EQ(lines.events(), (Strings{"a\nb", "c", ""})) << cut;
  }
}

TEST(EventLines, AreBounded) {
  EventLines lines(10);
  EXPECT_TRUE(lines.take("data: 1234"));
  EXPECT_FALSE(lines.take("5"));
  EXPECT_FALSE(lines.take("\n\n"));
  EXPECT_TRUE(lines.events().empty());
}

/// Speaks the protocol; what it does to a call is the test's.
class ScriptedServer {
 public:
  using OnCall = std::function<void(const Json& message, http::Responder& responder)>;
  explicit ScriptedServer(OnCall on_call) : on_call_(std::move(on_call)) {
    auto listening = http::Server::listen(
        loop_, {}, [this](const http::Request& request, std::shared_ptr<http::Responder> responder) {
          serve(request, *responder);
        });
    EXPECT_TRUE(listening);
    server_ = std::move(*listening);
  }
  ~ScriptedServer() {
    server_.reset();
    loop_.stop();
  }
  McpConfig config() const {
    return {.name = "h",
            .url = fmt::format("http://127.0.0.1:{}/mcp", server_->port()),
            .headers = {{"X-Key", "k"}},
            .start_max = std::chrono::minutes(3),
            .restart_min = std::chrono::milliseconds(1)};
  }
  static http::Response json(const Json& body) {
    return {200, {{"Content-Type", "application/json"}}, dump_json(body)};
  }
  static Json result(const Json& message, Json result) {
    return {{"jsonrpc", "2.0"}, {"id", message["id"]}, {"result", std::move(result)}};
  }
  static Json text(const Json& message, const char* text) {
    return result(message, {{"content", {{{"type", "text"}, {"text", text}}}}});
  }
  std::atomic<int> opened = 0, deleted = 0, strangers = 0;
  std::atomic<bool> forgetful = false;

 private:
  void serve(const http::Request& request, http::Responder& responder) {
    const auto* session = http::find_header(request.headers, "mcp-session-id");
    const auto* key = http::find_header(request.headers, "x-key");
    strangers += key && *key == "k" ? 0 : 1;
    if (request.method == "DELETE") {
      deleted += session && *session == current_;
      return responder.send({204, {}, ""});
    }
    auto message = *parse_json(request.body);
    auto method = get_string(message, "method");
    if (method == "initialize") {
      current_ = fmt::format("s{}", ++opened);
      auto response = json(result(
          message, {{"protocolVersion", "2025-06-18"}, {"capabilities", {{"tools", Json::object()}}}}));
      response.headers.emplace_back("Mcp-Session-Id", current_);
      return responder.send(response);
    }
    const auto* version = http::find_header(request.headers, "mcp-protocol-version");
    strangers += version && *version == "2025-06-18" ? 0 : 1;
    if (!session || *session != current_ || forgetful.exchange(false)) return responder.send({404, {}, ""});
    if (method == "tools/list")
      return responder.send(json(
          result(message, {{"tools", {{{"name", "look"}, {"annotations", {{"readOnlyHint", true}}}}}}})));
    if (method == "tools/call") return on_call_(message, responder);
    responder.send({202, {}, ""});
  }

  OnCall on_call_;
  std::string current_;
  http::Loop loop_;
  std::unique_ptr<http::Server> server_;
};

TEST(McpHttp, KeepsASessionAndEndsIt) {
  ScriptedServer server([](const Json& message, http::Responder& responder) {
    responder.send(ScriptedServer::json(ScriptedServer::text(message, "plain")));
  });
  {
    auto client = McpClient::connect(server.config(), system_clock());
    ASSERT_TRUE(client) << client.error().what;
    EXPECT_EQ(call(*client->tools().at(0), "{}")->text, "plain");
    EXPECT_EQ(server.deleted, 0);
  }
  EXPECT_EQ(server.deleted, 1);
  EXPECT_EQ(server.strangers, 0);
}

TEST(McpHttp, ReadsEventsAmongOtherMessages) {
  ScriptedServer server([](const Json& message, http::Responder& responder) {
    responder.begin({200, {{"Content-Type", "text/event-stream"}}});
    responder.write("data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\"}\n\n: keep\n\nda");
    responder.write("ta: " + dump_json(ScriptedServer::text(message, "streamed")) + "\n\n");
    responder.finish(http::Ending::complete);
  });
  auto client = McpClient::connect(server.config(), system_clock());
  ASSERT_TRUE(client) << client.error().what;
  EXPECT_EQ(call(*client->tools().at(0), "{}")->text, "streamed");
}

TEST(McpHttp, OpensAnotherSessionWhenTheServerHasForgottenIt) {
  ScriptedServer server([](const Json& message, http::Responder& responder) {
    responder.send(ScriptedServer::json(ScriptedServer::text(message, "ok")));
  });
  auto client = McpClient::connect(server.config(), system_clock());
  ASSERT_TRUE(client) << client.error().what;
  auto tool = client->tools().at(0);
  server.forgetful = true;
  EXPECT_EQ(call(*tool, "{}").error().code, Errc::unreachable);
  auto out = call(*tool, "{}");
  for (int i = 0; i < 2000 && !out; ++i) {
    std::this_thread::yield();
    out = call(*tool, "{}");
  }
  ASSERT_TRUE(out);
  EXPECT_EQ(out->text, "ok");
  EXPECT_EQ(server.opened, 2);
}

TEST(McpHttp, EndsACallWhoseAnswerIsNone) {
  std::vector<ScriptedServer::OnCall> bad = {
      [](const Json&, http::Responder& r) {
        r.send({500, {}, "oops"});
      },
      [](const Json&, http::Responder& r) {
        r.send({200, {{"Content-Type", "application/json"}}, "not json"});
      },
      [](const Json&, http::Responder& r) {
        r.send({200, {{"Content-Type", "text/event-stream"}}, ": nothing\n\n"});
      },
      [](const Json&, http::Responder& r) {
        r.send({200, {{"Content-Type", "application/json"}}, std::string(9000, '[')});
      },
      [](const Json&, http::Responder& r) {
        r.send({200, {{"Content-Type", "text/event-stream"}}, "data: " + std::string(9000, 'x')});
      },
      [](const Json&, http::Responder& r) {
        r.send({302, {{"Location", "http://127.0.0.1:1/"}}, ""});
      },
      [](const Json&, http::Responder& r) {
        r.begin({200, {{"Content-Type", "text/event-stream"}}});
        r.write("data: {");
        r.finish(http::Ending::cut);
      }};
  for (std::size_t i = 0; i < bad.size(); ++i) {
    ScriptedServer server(bad[i]);
    auto config = server.config();
    config.message_bytes_max = 8000;
    auto client = McpClient::connect(config, system_clock());
    ASSERT_TRUE(client) << client.error().what;
    EXPECT_FALSE(call(*client->tools().at(0), "{}")) << i;
  }
}

}  // namespace
}  // namespace troupe::tools
