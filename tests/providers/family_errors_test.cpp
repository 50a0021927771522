// Errors of the OpenAI family and SageMaker beyond the shared tables: captured frames, words nobody knows. F3
#include "tests/providers/sagemaker_test_support.hpp"

namespace troupe::providers {
namespace {

using codec_test::decode_whole;
using codec_test::shared_fixture;
using codec_test::unordered;

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
