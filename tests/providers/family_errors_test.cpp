// The shared error tables, read by the dialects of the OpenAI family and SageMaker. F3, F4
#include "tests/providers/sagemaker_test_support.hpp"

namespace troupe::providers {
namespace {

using codec_test::decode_whole;
using codec_test::shared_fixture;
using codec_test::unordered;
using Row = codec_test::Unordered;

bool is_ours(const std::string& provider) {
  return provider == "openai" || provider == "azure_openai" || provider == "openai_responses" ||
         provider == "sagemaker";
}

std::string dialect_of(const Row& row) {
  bool generate = row["id"].get<std::string>().find("tgi") != std::string::npos || row["id"] == "sm-st-lmi";
  return generate ? "sagemaker_tgi" : row["provider"].get<std::string>();
}

// "after_backoff" and "after_hint" mean the same endpoint may be tried again. Failover by policy or to a
// larger window only is not ours to allow here.
void expect_row(const Row& row) {
  auto name = row["id"].get<std::string>();
  http::Response answer{
      row["status"], {}, row["body"].is_string() ? row["body"].get<std::string>() : row["body"].dump()};
  for (const auto& [header, value] : row["headers"].items()) answer.headers.emplace_back(header, value);
  auto error = find_dialect(dialect_of(row))->classify(answer, {0});
  const auto& want = row["expect"];
  EXPECT_EQ(to_string(error.code), want["class"].get<std::string>()) << name;
  const auto& retry = want["retry_same_endpoint"];
  EXPECT_EQ(error.retryable, retry == "after_backoff" || retry == "after_hint") << name;
  EXPECT_EQ(error.failover, want["failover"] == true) << name;
  EXPECT_EQ(error.counts_for_breaker, want["counts_against_breaker"].get<bool>()) << name;
  if (name != "oa-403") {
    EXPECT_FALSE(error.unrecognised) << name;
  }
  if (retry == "after_hint") {
    EXPECT_TRUE(error.retry_after) << name;
  }
}

TEST(ClassifyFamily, AgreesWithTheSharedTable) {
  auto text = shared_fixture("errors/http_cases.json");
  if (text.empty()) GTEST_SKIP() << "the shared tables are not on this machine";
  int seen = 0;
  for (const auto& row : unordered(text)) {
    if (!is_ours(row["provider"])) continue;
    ++seen;
    expect_row(row);
  }
  EXPECT_GE(seen, 35);
}

// The shared stream cases say an event in the provider's terms.
std::string event_bytes(const Row& row) {
  const auto& event = row["event"];
  if (event.contains("sse_data"))
    return sagemaker_test::in_frames("data:" + event["sse_data"].dump() + "\n\n", 9);
  if (event.contains("jsonline")) return sagemaker_test::in_frames(event["jsonline"].dump() + "\n", 9);
  if (event.contains("data")) return "data: " + event["data"].dump() + "\n\n";
  Row payload = Row::object();
  if (event.contains("ErrorCode")) payload["ErrorCode"] = event["ErrorCode"];
  return sagemaker_test::exception_frame(event[":exception-type"].get<std::string>().c_str(), payload.dump());
}

TEST(ClassifyFamily, AgreesWithTheSharedStreamTable) {
  auto text = shared_fixture("errors/stream_cases.json");
  if (text.empty()) GTEST_SKIP() << "the shared tables are not on this machine";
  int seen = 0;
  for (const auto& row : unordered(text)) {
    if (!is_ours(row["provider"])) continue;
    ++seen;
    auto got = decode_whole(*find_dialect(dialect_of(row)), event_bytes(row));
    ASSERT_NE(got.error(), nullptr) << row["id"];
    EXPECT_EQ(to_string(got.error()->code), row["expect"]["class"].get<std::string>()) << row["id"];
    EXPECT_EQ(got.error()->counts_for_breaker, row["expect"]["counts_against_breaker"].get<bool>())
        << row["id"];
    EXPECT_EQ(got.error()->failover, row["expect"]["retry_if_no_output_forwarded"].get<bool>()) << row["id"];
  }
  EXPECT_EQ(seen, 8);
}

TEST(ClassifyFamily, ReadsTheCapturedFrames) {
  auto text = shared_fixture("eventstream/frames.json");
  if (text.empty()) GTEST_SKIP() << "the captured fixtures are not on this machine";
  auto frames = unordered(text);
  auto code = [&](const char* name) {
    auto got = decode_whole(*find_dialect("sagemaker"),
                            codec_test::from_hex(frames[name]["hex"].get<std::string>()));
    return got.error() != nullptr ? got.error()->code : Errc::internal;
  };
  EXPECT_EQ(code("sagemaker_model_stream_error"), Errc::timeout);
  EXPECT_EQ(code("sagemaker_internal_stream_failure"), Errc::transient_server);
  auto part = decode_whole(*find_dialect("sagemaker_tgi"),
                           codec_test::from_hex(frames["sagemaker_payload_part"]["hex"].get<std::string>()));
  EXPECT_EQ(part.sum().text(), "Hi");
}

// F3: what a provider newly says must not open a breaker that the status alone would not.
TEST(ClassifyFamily, TakesAnUnknownWordForTheConservativeClassOfItsStatus) {
  auto classified = [](int status) {
    return find_dialect("openai")->classify({status, {}, R"({"error":{"code":"brand_new","type":"newer"}})"},
                                            {0});
  };
  EXPECT_EQ(classified(429).code, Errc::rate_limited);
  EXPECT_FALSE(classified(429).counts_for_breaker);
  EXPECT_TRUE(classified(429).unrecognised);
  EXPECT_EQ(classified(500).code, Errc::transient_server);
  auto known_type = find_dialect("openai")->classify(
      {400, {}, R"({"error":{"code":"unknown_parameter","type":"invalid_request_error"}})"}, {0});
  EXPECT_FALSE(known_type.unrecognised) << "the type is in the table, the code only narrows it";
}

}  // namespace
}  // namespace troupe::providers
