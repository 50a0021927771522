// What errors of the three dialects with Messages bodies mean, over HTTP and in streams. F3, F4, G1
#include "providers/anthropic/rate_limit.hpp"
#include "tests/providers/anthropic_support.hpp"

namespace troupe::providers {
namespace {

using anthropic_test::client;
using anthropic_test::server;
using codec_test::shared_fixture;
using codec_test::unordered;
using Row = codec_test::Unordered;

Error classified(const Row& row, std::string_view dialect, WallTime wall = {0}) {
  http::Response answer{
      row["status"], {}, row["body"].is_string() ? row["body"].get<std::string>() : row["body"].dump()};
  for (const auto& [name, value] : row["headers"].items()) answer.headers.emplace_back(name, value);
  return client(dialect).classify(answer, wall);
}

// Claude on Vertex passes Anthropic's own errors through.
TEST(ClassifyAnthropic, ReadsCodeThenTypeThenMessageThenStatus) {
  for (const auto* dialect : {"anthropic", "vertex_anthropic"}) {
    for (const auto& row : unordered(codec_test::golden("errors/anthropic.json"))) {
      auto name = row["id"].get<std::string>();
      auto error = classified(row, dialect);
      EXPECT_EQ(to_string(error.code), row["class"].get<std::string>()) << name;
      EXPECT_EQ(error.retryable, row["retryable"].get<bool>()) << name;
      EXPECT_EQ(error.failover, row["failover"].get<bool>()) << name;
      EXPECT_EQ(error.counts_for_breaker, row["breaker"].get<bool>()) << name;
      EXPECT_FALSE(error.unrecognised) << name;
      auto hint = error.retry_after ? error.retry_after->count() / 1'000'000 : -1;
      EXPECT_EQ(hint, row.value("hint_ms", -1)) << name;
    }
  }
}

// "after_backoff" and "after_hint" mean the same endpoint may be tried again; the others not by itself.
void expect_shared(const Row& row, std::string_view dialect) {
  auto name = row["id"].get<std::string>();
  const auto& want = row["expect"];
  auto error = classified(row, dialect);
  EXPECT_EQ(to_string(error.code), want["class"].get<std::string>()) << name;
  const auto& retry = want["retry_same_endpoint"];
  EXPECT_EQ(error.retryable, retry == "after_backoff" || retry == "after_hint") << name;
  EXPECT_EQ(error.failover, want["failover"] == true) << name;
  EXPECT_EQ(error.counts_for_breaker, want["counts_against_breaker"].get<bool>()) << name;
  EXPECT_TRUE(retry != "after_hint" || error.retry_after) << name;
}

TEST(ClassifyAnthropic, AgreesWithTheSharedTable) {
  auto text = shared_fixture("errors/http_cases.json");
  if (text.empty()) GTEST_SKIP() << "the shared tables are not on this machine";
  int seen = 0;
  for (const auto& row : unordered(text)) {
    auto provider = row["provider"].get<std::string>();
    const char* dialect = provider == "anthropic" ? "anthropic"
                          : provider == "vertex"  ? "vertex_anthropic"
                          : provider == "bedrock" ? "bedrock_invoke"
                                                  : nullptr;
    if (dialect == nullptr) continue;
    ++seen;
    expect_shared(row, dialect);
  }
  EXPECT_EQ(seen, 64);
}

TEST(ClassifyAnthropic, AgreesWithTheSharedStreamTable) {
  auto text = shared_fixture("errors/stream_cases.json");
  if (text.empty()) GTEST_SKIP() << "the shared tables are not on this machine";
  int seen = 0;
  for (const auto& row : unordered(text)) {
    auto provider = row["provider"].get<std::string>();
    if (provider != "anthropic" && provider != "vertex") continue;
    ++seen;
    for (const auto* dialect : {"anthropic", "vertex_anthropic"}) {
      if (provider == "vertex" && std::string_view(dialect) == "anthropic") continue;
      auto got = codec_test::decode_whole(client(dialect),
                                          anthropic_test::framed(dialect, row["event"]["data"].dump()));
      ASSERT_NE(got.error(), nullptr);
      EXPECT_EQ(to_string(got.error()->code), row["expect"]["class"].get<std::string>());
      EXPECT_EQ(got.error()->counts_for_breaker, row["expect"]["counts_against_breaker"].get<bool>());
      EXPECT_EQ(got.error()->failover, row["expect"]["retry_if_no_output_forwarded"].get<bool>());
      EXPECT_TRUE(got.error()->maybe_billed);
    }
  }
  EXPECT_EQ(seen, 3);
}

TEST(ClassifyAnthropic, TakesUnknownWordsForTheirStatusAndSaysSo) {
  auto error = [](int status, const char* said) {
    return client("anthropic").classify({status, {}, said}, {0});
  };
  auto teapot = error(418, R"({"type":"error","error":{"type":"teapot_error","message":"m"}})");
  EXPECT_EQ(teapot.code, Errc::bad_request);
  EXPECT_TRUE(teapot.unrecognised);
  auto full = error(503, R"({"type":"error","error":{"type":"mesh_error","message":"m"}})");
  EXPECT_EQ(full.code, Errc::overloaded);
  EXPECT_TRUE(full.unrecognised);
  auto limit = error(429, R"({"type":"error","error":{"type":"rate_limit_error","message":"m",
                             "details":{"error_code":"moon_phase"}}})");
  EXPECT_EQ(limit.code, Errc::rate_limited);
  EXPECT_TRUE(limit.unrecognised);
  auto inside = codec_test::decode_whole(
      client("anthropic"),
      anthropic_test::framed("anthropic",
                             std::string(R"({"type":"error","error":{"type":"teapot_error"}})")));
  EXPECT_EQ(inside.error()->code, Errc::transient_server);
  EXPECT_TRUE(inside.error()->unrecognised);
}

TEST(ClassifyAnthropic, TellsTheTwoEnvelopesOfVertexApart) {
  auto code = [](int status, const char* body) {
    return client("vertex_anthropic").classify({status, {}, body}, {0}).code;
  };
  const char* exhausted =
      R"({"error":{"code":429,"message":"Resource exhausted. Try later.","status":"RESOURCE_EXHAUSTED"}})";
  EXPECT_EQ(code(429, exhausted), Errc::overloaded);
  EXPECT_EQ(code(429, ("[" + std::string(exhausted) + "]").c_str()), Errc::overloaded);
  EXPECT_EQ(code(429, R"({"type":"error","error":{"type":"rate_limit_error","message":"m"}})"),
            Errc::rate_limited);
  EXPECT_EQ(code(500, "[]"), Errc::transient_server);
}

TEST(ClassifyAnthropic, SurvivesBodiesOfAnyShape) {
  for (const auto* name : anthropic_test::kFamily)
    for (const auto* body : {"", "null", "[]", "7", "\"x\"", "{}", R"({"error":null})", R"({"error":[1]})",
                             R"({"type":"error","error":{"type":7,"details":[]}})", R"({"message":5})",
                             "\xff\xfe", "{\"error\":", R"([{"error":7}])"})
      EXPECT_EQ(client(name).classify({500, {}, body}, {0}).code, Errc::transient_server) << name << body;
}

class RefuseMessages : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Family, RefuseMessages, testing::ValuesIn(anthropic_test::kFamily),
                         [](const auto& test) { return std::string(test.param); });

constexpr std::array kEveryClass{Errc::rate_limited,
                                 Errc::overloaded,
                                 Errc::quota_exhausted,
                                 Errc::timeout,
                                 Errc::bad_request,
                                 Errc::transient_server,
                                 Errc::context_length_exceeded,
                                 Errc::content_filtered,
                                 Errc::auth,
                                 Errc::permission,
                                 Errc::not_found,
                                 Errc::model_not_ready};

TEST_P(RefuseMessages, InWordsThatAreReadBack) {
  for (auto code : kEveryClass) {
    for (const auto* words : {"", "boo"}) {
      auto error = make_error(code, "x");
      error.vendor_text = words;
      auto got = client(GetParam()).classify(server(GetParam()).write_error(error), {0});
      EXPECT_EQ(to_string(got.code), std::string(to_string(code)));
      EXPECT_FALSE(got.retry_after) << to_string(code);
      EXPECT_FALSE(got.unrecognised) << to_string(code);
      EXPECT_NE(got.vendor_text.find(words), std::string::npos) << to_string(code);
    }
  }
}

TEST_P(RefuseMessages, InsideStreamsToo) {
  for (auto code : kEveryClass) {
    auto writer = server(GetParam()).stream_writer({});
    auto bytes = writer->write(StreamStarted{"m"});
    bytes += writer->write(TextDelta{"Hi"});
    bytes += writer->write_error(make_error(code, "x"));
    auto got = codec_test::decode_whole(client(GetParam()), bytes);
    EXPECT_FALSE(got.stopped());
    EXPECT_EQ(got.sum().text(), "Hi");
    ASSERT_NE(got.error(), nullptr);
    EXPECT_EQ(to_string(got.error()->code), std::string(to_string(code)));
    EXPECT_TRUE(got.error()->maybe_billed);
  }
}

TEST_P(RefuseMessages, WithTheirRetryHints) {
  auto error = make_error(Errc::rate_limited, "x");
  error.retry_after = std::chrono::milliseconds(1500);
  auto answer = server(GetParam()).write_error(error);
  EXPECT_EQ(*http::find_header(answer.headers, "retry-after"), "2");
  auto got = client(GetParam()).classify(answer, {0});
  ASSERT_TRUE(got.retry_after);
  EXPECT_GE(*got.retry_after, std::chrono::milliseconds(1500));
  EXPECT_LE(*got.retry_after, std::chrono::milliseconds(2000));
}

// Official clients retry every 429 and 5xx; here they would only burn attempts (WIRE 5.6).
TEST(RefuseAnthropic, TellsClientsWhenRetryingIsPointless) {
  auto verdict = [](Errc code) {
    auto answer = server("anthropic").write_error(make_error(code, "x"));
    const auto* header = http::find_header(answer.headers, "x-should-retry");
    return header != nullptr ? *header : "";
  };
  EXPECT_EQ(verdict(Errc::deadline_exceeded), "false");
  EXPECT_EQ(verdict(Errc::quota_exhausted), "false");
  EXPECT_EQ(verdict(Errc::overloaded), "");
}

// A model's container that fails goes by the status it answered, as with Converse.
TEST(RefuseInvoke, CarriesTheModelsOwnStatus) {
  auto code = [](int original) {
    return client("bedrock_invoke").classify(server("bedrock_invoke").write_model_error(original), {0}).code;
  };
  EXPECT_EQ(code(429), Errc::rate_limited);
  EXPECT_EQ(code(500), Errc::transient_server);
}

TEST(RefuseAnthropic, HasTheShapeOfficialClientsParse) {
  auto answer = server("anthropic").write_error(make_error(Errc::overloaded, "x"));
  EXPECT_EQ(answer.status, 529);
  EXPECT_EQ(*http::find_header(answer.headers, "content-type"), "application/json");
  EXPECT_EQ(
      answer.body,
      R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":null})");
}

TEST(ParseRfc3339, TakesEveryFormAndNothingElse) {
  auto ms = [](std::string_view text) {
    auto time = anthropic::parse_rfc3339(text);
    return time ? time->ms : -1;
  };
  EXPECT_EQ(ms("2015-08-30T12:36:13Z"), 1'440'938'173'000);
  EXPECT_EQ(ms("2015-08-30T12:36:13.999Z"), 1'440'938'173'000);
  EXPECT_EQ(ms("2015-08-30T14:36:13+02:00"), 1'440'938'173'000);
  EXPECT_EQ(ms("2015-08-30T07:06:13-05:30"), 1'440'938'173'000);
  for (const auto* text : {"", "2015-08-30", "2015-08-30T12:36:13", "2015-08-30T12:36:13.Z",
                           "2015-02-30T12:36:13Z", "2015-08-30T24:36:13Z", "2015-08-30T12:36:13.5",
                           "2015-08-30T12:36:13+2:00", "x015-08-30T12:36:13Z", "-015-08-30T12:36:13Z"})
    EXPECT_EQ(ms(text), -1) << text;
}

}  // namespace
}  // namespace troupe::providers
