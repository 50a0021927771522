// Interval bounds against published figures, the sketch and the window against exact quantiles.
#include "runtime/policy/evidence.hpp"
#include "runtime/base/rng.hpp"
#include "runtime/policy/latency_sketch.hpp"
#include "runtime/policy/outcome_window.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <string>
#include <vector>

namespace troupe::policy {
namespace {

using namespace std::chrono_literals;

double exact_quantile(std::vector<double> values, double q) {
  std::ranges::sort(values);
  auto rank =
      static_cast<std::size_t>(std::max(1.0, std::ceil(q * static_cast<double>(values.size()) - 1e-9)));
  return values[rank - 1];
}

/// Prompt lengths of the Azure conversation trace, as a real heavy-tailed series; empty when it is not there.
std::vector<double> azure_lengths() {
  const char* data = std::getenv("TROUPE_DATA");
  std::string folder = data ? data : std::string(TROUPE_SOURCE_DIR) + "/../shared/data";
  std::ifstream file(folder + "/azure_llm_2023/AzureLLMInferenceTrace_conv.csv");
  std::vector<double> lengths;
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) lengths.push_back(std::atof(line.c_str() + line.find(',') + 1));
  return lengths;
}

double binomial_tail(std::size_t hits, std::size_t n, double p) {
  double sum = 0;
  for (std::size_t k = hits; k <= n; ++k)
    sum += std::exp(std::lgamma(n + 1.0) - std::lgamma(k + 1.0) - std::lgamma(n - k + 1.0) +
                    static_cast<double>(k) * std::log(p) + static_cast<double>(n - k) * std::log(1 - p));
  return sum;
}

TEST(Wilson, NoFailureInThirtyStillAllowsElevenPercent) {  // F8
  EXPECT_NEAR(wilson_upper(0, 30), 0.114, 0.001);
  EXPECT_EQ(wilson_upper(0, 0), 1);
  EXPECT_EQ(wilson_lower(0, 0), 0);
  EXPECT_NEAR(wilson_lower(5, 5), 0.566, 0.001);
}

TEST(Surprise, IsNeverBelowTheTrueChance) {
  for (double p : {0.001, 0.01, 0.05, 0.3})
    for (std::size_t n : {1u, 5u, 10u, 60u, 300u})
      for (std::size_t hits = 1; hits <= n; hits += 1 + n / 17)
        EXPECT_GE(surprise(hits, n, p) * (1 + 1e-9), binomial_tail(hits, n, p))
            << hits << "/" << n << " at " << p;
}

TEST(LatencySketch, StaysWithinItsRelativeError) {  // F1
  Rng rng(1);
  for (double sigma : {0.3, 1.0, 2.0}) {
    LatencySketch sketch;
    std::vector<double> values;
    for (int i = 0; i < 20'000; ++i) {
      values.push_back(std::exp(sigma * rng.normal()));
      sketch.add(values.back());
    }
    for (double q : {0.01, 0.5, 0.9, 0.99, 1.0}) {
      double exact = exact_quantile(values, q);
      EXPECT_NEAR(sketch.quantile(q) / exact, 1, LatencySketch::relative_error + 1e-9)
          << "sigma " << sigma << " q " << q;
    }
    EXPECT_NEAR(sketch.share_above(exact_quantile(values, 0.9)), 0.1, 0.02);
  }
}

TEST(LatencySketch, MergesFadesAndRefusesNonsense) {
  LatencySketch a, b;
  for (int i = 0; i < 100; ++i) a.add(1);
  for (int i = 0; i < 100; ++i) b.add(10);
  for (double bad : {0.0, -1.0, std::nan(""), HUGE_VAL}) a.add(bad);
  EXPECT_EQ(a.count(), 100);
  a.merge(b);
  EXPECT_NEAR(a.quantile(0.5), 1, 0.02);
  EXPECT_NEAR(a.quantile(0.51), 10, 0.2);
  a.fade(0.25);
  EXPECT_NEAR(a.count(), 50, 1e-9);
  EXPECT_NEAR(a.quantile(0.5), 1, 0.02);
  LatencySketch ends;
  ends.add(1e-9);
  ends.add(1e9);
  EXPECT_DOUBLE_EQ(ends.quantile(0), LatencySketch::value_min);
  EXPECT_DOUBLE_EQ(ends.quantile(1), LatencySketch::value_max);
  EXPECT_EQ(LatencySketch().quantile(0.9), 0);
}

TEST(LatencyCounts, AgreeWithExactQuantilesOnAzureTokenCounts) {  // F1
  auto lengths = azure_lengths();
  if (lengths.empty()) GTEST_SKIP() << "THE AZURE TRACE IS NOT THERE: not compared on real lengths";
  for (std::size_t window : {30u, 512u, 19'000u}) {
    LatencyCounts counts;
    double worst = 0;
    for (std::size_t i = 0; i < lengths.size(); ++i) {
      counts.add(LatencyGrid::bucket_of(lengths[i]));
      if (i >= window) counts.remove(LatencyGrid::bucket_of(lengths[i - window]));
      if (i < window || i % 97 != 0) continue;
      std::vector<double> held(lengths.begin() + static_cast<long>(i - window + 1),
                               lengths.begin() + static_cast<long>(i + 1));
      for (double q : {0.01, 0.5, 0.9, 0.99, 1.0})
        worst = std::max(worst, std::abs(counts.quantile(q) / exact_quantile(held, q) - 1));
      if (window > 1000) break;
    }
    std::printf("[ figures  ] Azure lengths, window %5zu: quantiles off by %.2f %% at most\n", window,
                100 * worst);
    EXPECT_LE(worst, LatencyGrid::relative_error + 1e-9);
  }
}

TEST(LatencyGrid, EveryValueLiesInTheBucketThatStandsForIt) {
  Rng rng(3);
  for (int i = 0; i < 200'000; ++i) {
    double value = std::exp(std::log(1e-4) + rng.uniform() * std::log(1e9));
    auto bucket = LatencyGrid::bucket_of(value);
    ASSERT_NEAR(LatencyGrid::value_of(bucket) / value, 1, LatencyGrid::relative_error + 1e-9) << value;
    ASSERT_LE(bucket, LatencyGrid::bucket_of(value * 1.0001));
  }
  EXPECT_EQ(LatencyGrid::bucket_of(1e9), LatencyGrid::buckets_max - 1);
  for (double none : {0.0, -1.0, std::nan(""), HUGE_VAL})
    EXPECT_EQ(LatencyGrid::bucket_of(none), LatencyGrid::none);
}

/// The window by hand: what is kept is a list, and every figure is counted anew.
struct PlainWindow {
  std::deque<WindowSample> kept;
  OutcomeTally tally(std::size_t last) const {
    OutcomeTally tally;
    for (std::size_t i = kept.size() - std::min(last, kept.size()); i < kept.size(); ++i)
      tally.count(kept[i], 1);
    return tally;
  }
};

void expect_same(const OutcomeTally& a, const OutcomeTally& b) {
  ASSERT_EQ(a.counts.all, b.counts.all);
  ASSERT_EQ(a.counts.failures, b.counts.failures);
  ASSERT_EQ(a.counts.throttled, b.counts.throttled);
  ASSERT_EQ(a.counts.timeouts, b.counts.timeouts);
  ASSERT_EQ(a.counts.breaks, b.counts.breaks);
  ASSERT_EQ(a.ttft.seen, b.ttft.seen);
  ASSERT_EQ(a.ttft.over, b.ttft.over);
  ASSERT_EQ(a.total.seen, b.total.seen);
}

WindowSample random_sample(Rng& rng, Instant now) {
  WindowSample sample;
  sample.at = now;
  sample.verdict = static_cast<Verdict>(rng.below(3));
  sample.kind = static_cast<FailureKind>(rng.below(3));
  sample.probe = rng.below(5) == 0;
  sample.ttft = {LatencyGrid::bucket_of(static_cast<double>(rng.below(5))), rng.below(4) == 0};
  if (sample.verdict == Verdict::success)
    sample.total = {LatencyGrid::bucket_of(static_cast<double>(1 + rng.below(7))), false};
  return sample;
}

TEST(OutcomeWindow, CountsWhatAListWouldAndKeepsBothBounds) {  // F1
  Rng rng(2);
  constexpr std::size_t samples_max = 70, recent_max = 9;
  OutcomeWindow window(30s, samples_max, recent_max);
  PlainWindow plain;
  Instant now{1h};
  std::size_t gone = 0;
  auto forget = [&](const WindowSample& sample) {
    ++gone;
    ASSERT_EQ(sample.at, plain.kept.front().at) << "oldest first";
    plain.kept.pop_front();
  };
  for (int i = 0; i < 5000; ++i) {
    // In spells, so that now the age bounds it and now the count.
    now += Duration(static_cast<std::int64_t>(rng.below(i / 500 % 2 ? 2'000'000'000 : 200'000'000)));
    window.evict(now, forget);
    auto sample = random_sample(rng, now);
    window.add(sample, forget);
    plain.kept.push_back(sample);
    ASSERT_EQ(window.size(), plain.kept.size());
    ASSERT_LE(window.size(), samples_max);
    ASSERT_LE(now - plain.kept.front().at, 30s);
    expect_same(window.whole(), plain.tally(samples_max));
    expect_same(window.recent(), plain.tally(recent_max));
    std::vector<double> totals;
    for (const auto& s : plain.kept)
      if (s.total.bucket != LatencyGrid::none) totals.push_back(LatencyGrid::value_of(s.total.bucket));
    ASSERT_EQ(window.total().quantile(0.9), totals.empty() ? 0 : exact_quantile(totals, 0.9));
  }
  EXPECT_GT(gone, 4000u);
  window.evict(now + 31s, forget);
  EXPECT_EQ(window.size(), 0u);
  EXPECT_EQ(window.recent().counts.all, 0u);
  EXPECT_EQ(window.customers().all, 0u);
  EXPECT_EQ(window.ttft().size(), 0u);
}

TEST(LogRatio, NeedsThirtyTwoGoodCallsToRefuteTenPercent) {  // F8
  TwoShares shares{0.01, 0.1};
  EXPECT_GT(log_ratio(0, 31, shares), std::log(0.05));
  EXPECT_LE(log_ratio(0, 32, shares), std::log(0.05));
}

}  // namespace
}  // namespace troupe::policy
