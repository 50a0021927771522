// Base64, percent-encoding, server-sent events and retry hints.
#include "providers/retry_hint.hpp"
#include "providers/sse.hpp"
#include "providers/text.hpp"

#include <gtest/gtest.h>

namespace troupe::providers {
namespace {

TEST(Base64, RoundTripsEveryLength) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    auto back = base64_decode(base64_encode(bytes));
    ASSERT_TRUE(back);
    EXPECT_EQ(*back, bytes);
    bytes += static_cast<char>(i * 37);
  }
  EXPECT_EQ(base64_encode("\x89PNG\r\n\x1a\n"), "iVBORw0KGgo=");
}

TEST(Base64, RefusesWhatItWouldNotWrite) {
  for (const auto* text : {"a", "ab", "abc", "ab=c", "a===", "====", "ab\n=", "YR==", "ab!d"})
    EXPECT_FALSE(base64_decode(text)) << text;
}

TEST(PercentEncode, MakesOneSegmentOfAModelArn) {
  EXPECT_EQ(percent_encode("arn:aws:x/y-._~"), "arn%3Aaws%3Ax%2Fy-._~");
  EXPECT_EQ(percent_decode("arn%3Aaws%3Ax%2fy%zz%"), "arn:aws:x/y%zz%");
}

std::vector<SseEvent> parse(std::string_view bytes, std::size_t step) {
  SseParser parser;
  std::vector<SseEvent> out;
  for (std::size_t i = 0; i < bytes.size(); i += step) EXPECT_TRUE(parser.feed(bytes.substr(i, step), out));
  return out;
}

TEST(SseParser, TakesEveryLineEndingCommentsAndManyDataLines) {
  std::string text =
      "\xef\xbb\xbf: comment\ndata: a\n\nevent: x\r\ndata:b\r\ndata: c\r\n\r\ndata: d\r\r: "
      "only\n\ndata\n\nid: 7\ndata: e\r\n\n";
  std::vector<SseEvent> want{{"", "a"}, {"x", "b\nc"}, {"", "d"}, {"", ""}, {"", "e"}};
  for (std::size_t step = 1; step <= text.size(); ++step) EXPECT_EQ(parse(text, step), want) << step;
}

TEST(SseParser, DropsAnEventTheBodyEndsInside) {
  EXPECT_TRUE(parse("data: half", 1).empty());
  EXPECT_TRUE(parse("data: half\n", 100).empty());
}

TEST(SseParser, RefusesAnEventAboveItsLimit) {
  std::vector<SseEvent> out;
  SseParser fits(16);
  EXPECT_TRUE(fits.feed("data: 0123456789\n\n", out));
  EXPECT_EQ(out.size(), 1u);
  SseParser one_line(16);
  EXPECT_FALSE(one_line.feed("data: 0123456789a", out));
  SseParser many_lines(16);
  auto result = many_lines.feed("data: 01234\ndata: 01234\ndata: 01234\n\n", out);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Errc::stream_broken);
}

using std::chrono::milliseconds;
constexpr WallTime kNoon{784'111'777'000};  // Sun, 06 Nov 1994 08:49:37 GMT

std::optional<Duration> after(http::Headers headers) { return read_retry_after(headers, kNoon); }

TEST(RetryHint, PrefersTheFinestUnitAndFallsBackWhenItIsNonsense) {
  EXPECT_EQ(after({{"Retry-After", "1"}, {"retry-after-ms", "842"}}), milliseconds(842));
  EXPECT_EQ(after({{"Retry-After", "1"}, {"retry-after-ms", "soon"}}), milliseconds(1000));
  EXPECT_EQ(after({{"x-amz-retry-after", "700"}}), milliseconds(700));
  EXPECT_EQ(after({{"retry-after", "Sun, 06 Nov 1994 08:49:40 GMT"}}), milliseconds(3000));
  EXPECT_EQ(after({{"retry-after", "Sunday, 06-Nov-94 08:49:40 GMT"}}), std::nullopt);
  EXPECT_EQ(after({}), std::nullopt);
}

TEST(RetryHint, IsClampedToAnHour) {
  EXPECT_EQ(after({{"retry-after", "3600"}}), std::chrono::hours(1));
  EXPECT_EQ(after({{"retry-after", "1e300"}}), std::chrono::hours(1));
  EXPECT_EQ(after({{"retry-after", "-5"}}), milliseconds(0));
  EXPECT_EQ(after({{"retry-after", "nan"}}), std::nullopt);
  EXPECT_EQ(after({{"retry-after", "Sun, 06 Nov 1994 08:49:30 GMT"}}), milliseconds(0));
  EXPECT_EQ(after({{"retry-after", "Mon, 07 Nov 2094 08:49:30 GMT"}}), std::chrono::hours(1));
}

TEST(RetryHint, ReadsGoDurations) {
  EXPECT_EQ(parse_go_duration("12ms"), milliseconds(12));
  EXPECT_EQ(parse_go_duration("6m0s"), std::chrono::minutes(6));
  EXPECT_EQ(parse_go_duration("1h2m3.5s"), milliseconds(3'723'500));
  for (const auto* text : {"", "5", "m", "5x", "-1s", "1.2.3s", "99999999h"})
    EXPECT_EQ(parse_go_duration(text), std::nullopt) << text;
}

TEST(RetryHint, TakesTheResetOfTheQuotaThatIsUsedUp) {
  http::Headers headers{{"x-ratelimit-remaining-requests", "3"},
                        {"x-ratelimit-reset-requests", "50m0s"},
                        {"x-ratelimit-remaining-tokens", "0"},
                        {"x-ratelimit-reset-tokens", "2s"}};
  EXPECT_EQ(read_ratelimit_reset(headers), milliseconds(2000));
  EXPECT_EQ(read_ratelimit_reset({{"x-ratelimit-reset-tokens", "-1"}}), std::nullopt);
  EXPECT_EQ(read_ratelimit_reset({{"x-ratelimit-reset-tokens", "7"}}), milliseconds(7000));
  EXPECT_EQ(read_ratelimit_reset({{"x-ratelimit-reset-tokens", "20h0m"}}), std::chrono::hours(1));
}

}  // namespace
}  // namespace troupe::providers
