// A server of the Model Context Protocol over streamable HTTP: each message a POST, answers as JSON or
// events.
#include "runtime/http/client.hpp"
#include "runtime/http/loop.hpp"
#include "runtime/tools/event_lines.hpp"
#include "runtime/tools/mcp_transport.hpp"
#include "runtime/tools/url.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <utility>

namespace troupe::tools {
namespace {

constexpr std::size_t kSessionBytesMax = 1024;
constexpr Duration kFarewellMax = std::chrono::seconds(2);

/// What exchanges share. Loop thread only.
struct HttpSession {
  McpEvents events;
  std::size_t message_bytes_max = 0;
  std::string id;
  bool lost = false;

  void lose(Error error) {
    if (!std::exchange(lost, true)) events.lost(std::move(error));
  }
};

Error status_error(int status) {
  auto code = status == 401   ? Errc::auth
              : status == 403 ? Errc::permission
              : status == 429 ? Errc::rate_limited
              : status < 500  ? Errc::bad_request
                              : Errc::unreachable;
  return make_error(code, fmt::format("the server answered {}", status));
}

bool usable_session(const std::string& id) {
  return !id.empty() && id.size() <= kSessionBytesMax &&
         std::ranges::all_of(id, [](char c) { return c > ' ' && c < 127; });
}

/// Hears the answer to one message.
class PostSink final : public http::ExchangeSink {
 public:
  PostSink(std::shared_ptr<HttpSession> session, std::optional<std::int64_t> id, bool opening)
      : session_(std::move(session)), id_(id), opening_(opening), events_(session_->message_bytes_max) {}

  void on_head(const http::ResponseHead& head) override {
    status_ = head.status;
    const auto* type = http::find_header(head.headers, "content-type");
    streamed_ = type && type->starts_with("text/event-stream");
    const auto* session = http::find_header(head.headers, "mcp-session-id");
    if (opening_ && session && usable_session(*session)) session_->id = *session;
  }
  void on_body(std::string_view bytes) override {
    if (status_ != 200 || too_large_) return;
    if (streamed_) {
      too_large_ = !events_.take(bytes);
      for (auto& event : events_.events()) session_->events.message(std::move(event));
    } else {
      too_large_ = body_.size() + bytes.size() > session_->message_bytes_max;
      if (!too_large_) body_ += bytes;
    }
  }
  void on_end(Result<void> ended) override {
    // The specification's word for a session that is over; one without a session has only lost its path.
    if (status_ == 404 && !session_->id.empty() && !opening_)
      return session_->lose(make_error(Errc::unreachable, "the server has ended the session"));
    if (!ended) return failed(make_error(Errc::unreachable, ended.error().what));
    if (status_ != 200 && status_ != 202) return failed(status_error(status_));
    if (too_large_) return failed(make_error(Errc::stream_broken, "the server's answer is too long"));
    if (!body_.empty()) session_->events.message(std::move(body_));
    // Ignored when it was answered.
    failed(make_error(Errc::stream_broken, "the server ended its answer without a result"));
  }

 private:
  void failed(Error error) {
    if (id_) session_->events.failed(*id_, std::move(error));
  }

  std::shared_ptr<HttpSession> session_;
  const std::optional<std::int64_t> id_;
  const bool opening_;
  int status_ = 0;
  bool streamed_ = false, too_large_ = false;
  EventLines events_;
  std::string body_;
};

/// Tells that an exchange is over.
class FarewellSink final : public http::ExchangeSink {
 public:
  explicit FarewellSink(std::shared_ptr<std::promise<void>> over) : over_(std::move(over)) {}
  void on_head(const http::ResponseHead&) override {}
  void on_body(std::string_view) override {}
  void on_end(Result<void>) override { over_->set_value(); }

 private:
  std::shared_ptr<std::promise<void>> over_;
};

class HttpTransport final : public McpTransport {
 public:
  HttpTransport(const McpConfig& config, WebAddress address, McpEvents events)
      : headers_(config.headers),
        timeouts_{.header = {}, .first_byte = {}, .idle = {}, .total = config.call_max + config.start_max},
        address_(std::move(address)),
        session_(std::make_shared<HttpSession>(
            HttpSession{std::move(events), config.message_bytes_max, {}, false})),
        client_(std::make_unique<http::Client>(loop_, http::ClientConfig{})) {}

  ~HttpTransport() override {
    auto over = std::make_shared<std::promise<void>>();
    auto waited = over->get_future();
    loop_.post([this, over] { say_farewell(over); });
    waited.wait_for(kFarewellMax);
    loop_.stop();
  }

  void send(McpSend message) override {
    loop_.post([this, message = std::move(message)]() mutable { post(std::move(message)); });
  }

 private:
  void post(McpSend message) {
    if (session_->lost) return;
    bool opening = message.version.empty();
    auto request = request_of("POST", message.version);
    request.headers.emplace_back("Content-Type", "application/json");
    request.headers.emplace_back("Accept", "application/json, text/event-stream");
    request.body = std::move(message.text);
    client_->start(address_.origin, std::move(request), timeouts_,
                   std::make_shared<PostSink>(session_, message.id, opening));
    version_ = message.version;
  }

  http::Request request_of(const char* method, const std::string& version) const {
    http::Request out{.method = method, .target = address_.target, .headers = headers_};
    if (!version.empty()) out.headers.emplace_back("MCP-Protocol-Version", version);
    if (!session_->id.empty()) out.headers.emplace_back("Mcp-Session-Id", session_->id);
    return out;
  }

  void say_farewell(const std::shared_ptr<std::promise<void>>& over) {
    session_->events.message = [](std::string) {};
    session_->events.failed = [](std::int64_t, Error) {};
    bool nothing_to_end = session_->id.empty() || std::exchange(session_->lost, true);
    if (nothing_to_end) return over->set_value();
    client_->start(address_.origin, request_of("DELETE", version_), timeouts_,
                   std::make_shared<FarewellSink>(over));
  }

  const http::Headers headers_;
  const http::Timeouts timeouts_;
  const WebAddress address_;
  std::string version_;
  std::shared_ptr<HttpSession> session_;
  http::Loop loop_;
  std::unique_ptr<http::Client> client_;
};

}  // namespace

Result<std::unique_ptr<McpTransport>> open_mcp_http(const McpConfig& config, McpEvents events) {
  auto address = parse_web_address(config.url);
  if (!address) return std::unexpected(std::move(address.error()));
  return std::make_unique<HttpTransport>(config, std::move(*address), std::move(events));
}

}  // namespace troupe::tools
