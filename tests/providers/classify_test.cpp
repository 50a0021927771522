// What providers' errors mean: tables of our own, and the shared tables when they are here. F3, F4
#include "tests/providers/codec_support.hpp"

namespace troupe::providers {
namespace {

using codec_test::golden;
using codec_test::shared_fixture;
using codec_test::unordered;
using Row = codec_test::Unordered;

Error classified(const Row& row, std::string_view dialect) {
  http::Response answer{
      row["status"], {}, row["body"].is_string() ? row["body"].get<std::string>() : row["body"].dump()};
  for (const auto& [name, value] : row["headers"].items()) answer.headers.emplace_back(name, value);
  return find_dialect(dialect)->classify(answer, {0});
}

void expect_golden(const std::string& dialect) {
  for (const auto& row : unordered(golden("errors/" + dialect + ".json"))) {
    auto name = row["id"].get<std::string>();
    auto error = classified(row, dialect);
    EXPECT_EQ(to_string(error.code), row["class"].get<std::string>()) << name;
    EXPECT_EQ(error.retryable, row["retryable"].get<bool>()) << name;
    EXPECT_EQ(error.failover, row["failover"].get<bool>()) << name;
    EXPECT_EQ(error.counts_for_breaker, row["breaker"].get<bool>()) << name;
    auto hint = error.retry_after ? error.retry_after->count() / 1'000'000 : -1;
    EXPECT_EQ(hint, row.value("hint_ms", -1)) << name;
  }
}

TEST(Classify, ReadsBedrockByTypeThenMessageThenStatus) { expect_golden("bedrock"); }
TEST(Classify, ReadsOpenAiByCodeThenMessageThenStatus) { expect_golden("openai"); }

// "after_backoff" and "after_hint" mean the same endpoint may be tried again; "once_after_…" only after a
// repair of ours. Failover by policy or to a larger window only is not ours to allow here.
void expect_shared(const Row& row, std::string_view dialect) {
  auto name = row["id"].get<std::string>();
  const auto& want = row["expect"];
  auto error = classified(row, dialect);
  EXPECT_EQ(to_string(error.code), want["class"].get<std::string>()) << name;
  const auto& retry = want["retry_same_endpoint"];
  EXPECT_EQ(error.retryable, retry == "after_backoff" || retry == "after_hint") << name;
  EXPECT_EQ(error.failover, want["failover"] == true) << name;
  EXPECT_EQ(error.counts_for_breaker, want["counts_against_breaker"].get<bool>()) << name;
  if (retry == "after_hint") {
    EXPECT_TRUE(error.retry_after) << name;
  }
}

TEST(Classify, AgreesWithTheSharedTable) {
  auto text = shared_fixture("errors/http_cases.json");
  if (text.empty()) GTEST_SKIP() << "the shared tables are not on this machine";
  int seen = 0;
  for (const auto& row : unordered(text)) {
    bool bedrock = row["provider"] == "bedrock";
    if (!bedrock && row["provider"] != "openai" && row["provider"] != "azure_openai") continue;
    ++seen;
    expect_shared(row, bedrock ? "bedrock" : "openai");
  }
  EXPECT_GE(seen, 50);
}

TEST(Classify, KeepsTheProvidersWordsApartAndShort) {
  http::Response answer{
      500, {}, R"({"error":{"message":"secret )" + std::string(9000, 'x') + R"(","code":"bad\ncode"}})"};
  auto error = find_dialect("openai")->classify(answer, {0});
  EXPECT_EQ(error.what, "answered 500 (?)");
  EXPECT_EQ(error.vendor_text.size(), 4096u);
  EXPECT_TRUE(error.vendor_text.starts_with("secret"));
}

TEST(Classify, SurvivesBodiesOfAnyShape) {
  for (const auto* name : {"openai", "bedrock"}) {
    for (const auto* body : {"", "null", "[]", "7", "\"x\"", "{}", R"({"error":null})", R"({"error":[1]})",
                             R"({"message":5})", R"({"__type":7,"code":{}})", "\xff\xfe", "{\"error\":"}) {
      auto error = find_dialect(name)->classify({500, {}, body}, {0});
      EXPECT_EQ(error.code, Errc::transient_server) << name << " " << body;
    }
  }
}

// The shared stream cases say an event in the dialect's terms; the server's own writer cannot write all of
// them.
std::string stream_bytes(const Row& row) {
  if (row["provider"] == "openai") return "data: " + row["event"]["data"].dump() + "\n\n";
  return {};
}

TEST(Classify, ReadsErrorsInsideStreams) {
  auto code = [](const char* dialect, Errc said) {
    Error error = make_error(said, "x");
    auto writer = find_dialect_server(dialect)->stream_writer({});
    auto bytes =
        writer->write(StreamStarted{"m"}) + writer->write(TextDelta{"Hi"}) + writer->write_error(error);
    auto got = codec_test::decode_whole(*find_dialect(dialect), bytes);
    EXPECT_FALSE(got.stopped());
    EXPECT_EQ(got.sum().text(), "Hi");
    return got.error() != nullptr ? got.error()->code : Errc::internal;
  };
  for (auto said :
       {Errc::rate_limited, Errc::overloaded, Errc::quota_exhausted, Errc::timeout, Errc::model_not_ready,
        Errc::transient_server, Errc::bad_request, Errc::context_length_exceeded, Errc::content_filtered,
        Errc::auth, Errc::permission, Errc::not_found}) {
    EXPECT_EQ(code("openai", said), said) << to_string(said);
    EXPECT_EQ(code("bedrock", said), said) << to_string(said);
  }
  EXPECT_EQ(code("bedrock", Errc::stream_broken), Errc::stream_broken);
}

TEST(Classify, AgreesWithTheSharedStreamTable) {
  auto text = shared_fixture("errors/stream_cases.json");
  if (text.empty()) GTEST_SKIP() << "the shared tables are not on this machine";
  for (const auto& row : unordered(text)) {
    auto bytes = stream_bytes(row);
    if (bytes.empty()) continue;
    auto got = codec_test::decode_whole(*find_dialect("openai"), bytes);
    ASSERT_NE(got.error(), nullptr);
    EXPECT_EQ(to_string(got.error()->code), row["expect"]["class"].get<std::string>());
    EXPECT_EQ(got.error()->failover, row["expect"]["retry_if_no_output_forwarded"].get<bool>());
  }
}

}  // namespace
}  // namespace troupe::providers
