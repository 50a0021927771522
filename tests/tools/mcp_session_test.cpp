// The Model Context Protocol without a server: what is sent, and what becomes of what comes back.
#include "runtime/tools/mcp_session.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace troupe::tools {
namespace {

const Instant noon{std::chrono::hours(12)};

class Session : public testing::Test {
 protected:
  std::vector<Json> sent() {
    std::vector<Json> out;
    for (auto& message : session_.take_sends()) out.push_back(*parse_json(message.text));
    return out;
  }
  void answer(std::int64_t id, const char* result, Instant now = noon) {
    session_.on_message(fmt::format(R"({{"jsonrpc":"2.0","id":{},"result":{}}})", id, result), now);
  }
  void run_ends() {
    for (auto& end : session_.take_ends()) end();
  }
  void make_ready() {
    session_.open(noon);
    answer(1, R"({"protocolVersion":"2025-06-18","capabilities":{"tools":{}}})");
    answer(
        2,
        R"({"tools":[{"name":"look","inputSchema":{"type":"object"},"annotations":{"readOnlyHint":true}}]})");
    sent();
  }
  void call(Instant until = noon + std::chrono::seconds(5)) {
    session_.call("look", Json{{"a", 1}}, until,
                  [this](Result<ToolOutput> out) { ends_.push_back(std::move(out)); });
  }

  McpConfig config_{.name = "s", .output_bytes_max = 40, .tools_max = 4, .pages_max = 3};
  McpSession session_{config_};
  std::vector<Result<ToolOutput>> ends_;
};

TEST_F(Session, OpensAgreesAndListsPageByPage) {
  session_.open(noon);
  auto opening = sent();
  ASSERT_EQ(opening.size(), 1u);
  EXPECT_EQ(opening[0]["method"], "initialize");
  EXPECT_EQ(opening[0]["params"]["protocolVersion"], "2025-06-18");
  answer(1, R"({"protocolVersion":"2025-03-26","capabilities":{"tools":{"listChanged":true}}})");
  auto raw = session_.take_sends();
  ASSERT_EQ(raw.size(), 2u);
  EXPECT_EQ(raw[1].version, "2025-03-26");
  EXPECT_EQ((*parse_json(raw[0].text))["method"], "notifications/initialized");
  answer(2, R"({"tools":[{"name":"a"}],"nextCursor":"p2"})");
  EXPECT_FALSE(session_.ready());
  EXPECT_EQ(sent()[0]["params"]["cursor"], "p2");
  answer(3, R"({"tools":[{"name":"b","annotations":{"readOnlyHint":true}},{"name":"a"},{"name":""},7]})");
  EXPECT_TRUE(session_.ready());
  ASSERT_EQ(session_.tools().size(), 2u);
  EXPECT_TRUE(session_.tools()[1].read_only && session_.tools()[1].repeatable);
  EXPECT_EQ(session_.tools()[0].input_schema.text, R"({"type":"object"})");
  EXPECT_EQ(session_.problems().size(), 3u);
}

TEST_F(Session, StopsListingAtItsBounds) {
  session_.open(noon);
  answer(1, R"({"protocolVersion":"2024-11-05","capabilities":{"tools":{}}})");
  for (int page = 2; page < 5; ++page)
    answer(page, fmt::format(R"({{"tools":[{{"name":"t{}"}}],"nextCursor":"more"}})", page).c_str());
  EXPECT_TRUE(session_.ready());
  EXPECT_EQ(session_.tools().size(), 3u);
  EXPECT_FALSE(session_.problems().empty());
}

TEST_F(Session, RefusesAnotherVersion) {
  session_.open(noon);
  answer(1, R"({"protocolVersion":"1999-01-01","capabilities":{}})");
  ASSERT_TRUE(session_.closed());
  EXPECT_EQ(session_.closed()->code, Errc::unsupported);
}

TEST_F(Session, AnswersPingAndNothingElse) {
  make_ready();
  session_.on_message(R"({"jsonrpc":"2.0","id":"x","method":"ping"})", noon);
  session_.on_message(R"({"jsonrpc":"2.0","id":9,"method":"sampling/createMessage","params":{}})", noon);
  session_.on_message(R"({"jsonrpc":"2.0","method":"notifications/progress"})", noon);
  auto out = sent();
  ASSERT_EQ(out.size(), 2u);
  EXPECT_EQ(dump_json(out[0]), R"({"jsonrpc":"2.0","id":"x","result":{}})");
  EXPECT_EQ(out[1]["error"]["code"], -32601);
}

TEST_F(Session, MatchesAnswersById) {
  make_ready();
  call();
  call();
  EXPECT_EQ(sent()[0]["params"], (Json{{"name", "look"}, {"arguments", {{"a", 1}}}}));
  answer(4, R"({"content":[{"type":"text","text":"two"}]})");
  answer(4, R"({"content":[{"type":"text","text":"again"}]})");
  answer(99, R"({"content":[]})");
  session_.on_message(R"({"jsonrpc":"2.0","id":"3","result":{}})", noon);
  session_.on_message(R"({"jsonrpc":"2.0","id":3})", noon);
  session_.on_message(R"([{"jsonrpc":"2.0","id":3,"error":{"code":-32602,"message":"no"}}])", noon);
  run_ends();
  ASSERT_EQ(ends_.size(), 2u);
  EXPECT_EQ(ends_[0]->text, "two");
  EXPECT_TRUE(ends_[1]->is_error);
  EXPECT_EQ(ends_[1]->text, "The server refused: no (-32602)");
}

TEST_F(Session, CancelsWhatTakesTooLong) {
  make_ready();
  call(noon + std::chrono::seconds(1));
  sent();
  EXPECT_EQ(session_.next_time(), noon + std::chrono::seconds(1));
  session_.on_time(noon + std::chrono::milliseconds(999));
  EXPECT_TRUE(session_.take_ends().empty());
  session_.on_time(noon + std::chrono::seconds(1));
  run_ends();
  ASSERT_EQ(ends_.size(), 1u);
  EXPECT_EQ(ends_[0].error().code, Errc::deadline_exceeded);
  auto out = sent();
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(out[0]["method"], "notifications/cancelled");
  EXPECT_EQ(out[0]["params"]["requestId"], 3);
  answer(3, R"({"content":[]})");
  EXPECT_TRUE(session_.take_ends().empty());
}

TEST_F(Session, ListsAgainAfterAChangeButNotWithoutEnd) {
  make_ready();
  session_.on_message(R"({"jsonrpc":"2.0","method":"notifications/tools/list_changed"})", noon);
  session_.on_message(R"({"jsonrpc":"2.0","method":"notifications/tools/list_changed"})", noon);
  session_.on_time(noon);
  EXPECT_TRUE(sent().empty());
  session_.on_time(noon + std::chrono::seconds(1));
  EXPECT_EQ(sent().size(), 1u);
  answer(3, R"({"tools":[]})");
  EXPECT_TRUE(session_.tools().empty());
}

TEST_F(Session, EndsWithAServerThatTalksNonsense) {
  make_ready();
  call();
  for (int i = 0; i < 100; ++i) session_.on_message("nonsense {", noon);
  EXPECT_FALSE(session_.closed());
  session_.on_message("[]]", noon);
  ASSERT_TRUE(session_.closed());
  run_ends();
  EXPECT_EQ(ends_.at(0).error().code, Errc::unreachable);
  call();
  run_ends();
  EXPECT_EQ(ends_.at(1).error().code, Errc::unreachable);
}

TEST_F(Session, ShowsEveryKindOfContentWithinItsBound) {
  auto shown = [](const char* result, std::size_t max = 1000) {
    return mcp_output(*parse_json(result), max);
  };
  EXPECT_EQ(shown(R"({"content":[{"type":"text","text":"a"},
    {"type":"image","mimeType":"image/png","data":"AAAA"},
    {"type":"resource","resource":{"uri":"u","text":"r"}},
    {"type":"resource","resource":{"uri":"u","blob":"AA"}},
    {"type":"resource_link","name":"n","uri":"u"},{"type":"new"},3]})")
                .text,
            "a\n[image image/png, 4 bytes of base64]\nr\n[resource u, 2 bytes of base64]\n[link n: u]\n"
            "[content of a kind that is not known here]\n[content of a kind that is not known here]");
  EXPECT_EQ(shown(R"({"structuredContent":{"t":1}})").text, R"({"t":1})");
  EXPECT_TRUE(shown(R"({"content":[],"isError":true})").is_error);
  EXPECT_EQ(shown(R"({"content":[{"type":"text","text":"h\u00e9llo"}]})", 2).text,
            "h\n[cut here: the answer is longer]");
  EXPECT_EQ(shown(R"({"content":"x"})").text, "");
}

}  // namespace
}  // namespace troupe::tools
