// One set of names for every provider, and a bound on how many series input can make.
#include "runtime/telemetry/metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace troupe::telemetry {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

AttemptFigures attempt(std::string endpoint, std::string provider) {
  AttemptFigures figures;
  figures.endpoint = std::move(endpoint);
  figures.provider = std::move(provider);
  figures.model = "large";
  figures.cause = "primary";
  figures.ttft = 250ms;
  figures.total = 2s;
  figures.usage = {100, 20, 30};
  figures.usd = 0.5;
  return figures;
}

std::size_t lines_with(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(Metrics, GiveEveryProviderTheSameNamesAndUnits) {
  Metrics metrics;
  metrics.attempt_ended(attempt("a", "bedrock"));
  metrics.attempt_ended(attempt("b", "openai"));
  auto text = metrics.exposition();
  for (const char* name : {"troupe_attempts_total{", "troupe_attempt_ttft_seconds_sum{",
                           "troupe_attempt_seconds_sum{", "troupe_usd_total{"})
    EXPECT_EQ(lines_with(text, name), 2u) << name;  // H1
  EXPECT_EQ(lines_with(text, "troupe_tokens_total{"), 6u);
}

TEST(Metrics, SumTokensDollarsAndSeconds) {
  Metrics metrics;
  metrics.attempt_ended(attempt("a", "bedrock"));
  metrics.attempt_ended(attempt("a", "bedrock"));
  auto text = metrics.exposition();
  EXPECT_THAT(text,
              HasSubstr("troupe_attempt_seconds_sum{endpoint=\"a\",model=\"large\",provider=\"bedrock\"} 4"));
  EXPECT_THAT(
      text,
      HasSubstr("troupe_attempt_ttft_seconds_count{endpoint=\"a\",model=\"large\",provider=\"bedrock\"} 2"));
  EXPECT_THAT(text, HasSubstr("kind=\"input\",model=\"large\",provider=\"bedrock\"} 200"));
  EXPECT_THAT(
      text,
      HasSubstr("troupe_usd_total{cause=\"primary\",endpoint=\"a\",model=\"large\",provider=\"bedrock\"} 1"));
}

TEST(Metrics, CountAFailureByItsErrorAndNotAmongTheLatencies) {
  Metrics metrics;
  auto figures = attempt("a", "bedrock");
  figures.error = "timeout";
  figures.ttft = {};
  metrics.attempt_ended(figures);
  auto text = metrics.exposition();
  EXPECT_THAT(text, HasSubstr("error=\"timeout\""));
  EXPECT_THAT(text, Not(HasSubstr("troupe_attempt_seconds_count{")));
  EXPECT_THAT(text, Not(HasSubstr("troupe_attempt_ttft_seconds_count{")));
}

TEST(Metrics, ShowTheBreakersPresentStateAlone) {
  Metrics metrics;
  metrics.breaker_moved("a", "open", 0);
  metrics.breaker_moved("a", "partial", 0.05);
  auto text = metrics.exposition();
  EXPECT_THAT(text, HasSubstr("troupe_breaker_state{endpoint=\"a\",state=\"open\"} 0"));
  EXPECT_THAT(text, HasSubstr("troupe_breaker_state{endpoint=\"a\",state=\"partial\"} 1"));
  EXPECT_THAT(text, HasSubstr("troupe_breaker_share{endpoint=\"a\"} 0.05"));
}

TEST(Metrics, ShowWhereAFeaturesCallsAre) {
  Metrics metrics;
  metrics.queue_stands({"recap", 3, 2, 10, 5, 1, 1});
  auto text = metrics.exposition();
  EXPECT_THAT(text, HasSubstr("troupe_queue_waiting{feature=\"recap\"} 3"));
  EXPECT_THAT(text, HasSubstr("troupe_calls{feature=\"recap\",outcome=\"refused\"} 1"));
}

TEST(Metrics, CountWhatIsBeyondTheLimitOfLabelValuesTogether) {
  Metrics metrics;
  for (std::size_t i = 0; i < Metrics::label_values_max + 50; ++i)
    metrics.breaker_moved("e" + std::to_string(i), "closed", 1);
  auto text = metrics.exposition();
  EXPECT_EQ(lines_with(text, "troupe_breaker_share{"), Metrics::label_values_max + 1);
  EXPECT_THAT(text, HasSubstr("troupe_breaker_share{endpoint=\"other\"} 1"));
}

TEST(Metrics, MayBeReadWhileTheyAreWritten) {
  Metrics metrics;
  std::thread writer([&] {
    for (int i = 0; i < 2000; ++i) metrics.attempt_ended(attempt("a", "bedrock"));
  });
  for (int i = 0; i < 50; ++i)
    EXPECT_THAT(metrics.exposition(), Not(HasSubstr("provider=\"bedrock\"} 2001")));
  writer.join();
  EXPECT_THAT(metrics.exposition(), HasSubstr("provider=\"bedrock\"} 2000"));
}

}  // namespace
}  // namespace troupe::telemetry
