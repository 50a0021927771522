// Interval bounds against published figures, the sketch and the window against exact quantiles.
#include "runtime/policy/evidence.hpp"
#include "runtime/base/rng.hpp"
#include "runtime/policy/latency_sketch.hpp"
#include "runtime/policy/outcome_window.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <deque>
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

TEST(OutcomeWindow, HasExactQuantilesAndBothBounds) {  // F1
  Rng rng(2);
  constexpr std::size_t samples_max = 64;
  OutcomeWindow window(30s, samples_max);
  std::deque<WindowSample> kept;
  Instant now{1h};
  for (int i = 0; i < 3000; ++i) {
    now += Duration(static_cast<std::int64_t>(rng.below(2'000'000'000)));
    auto verdict = static_cast<Verdict>(rng.below(3));
    // Few distinct values, so that removing one of several equal ones is tried.
    WindowSample sample{now, verdict, static_cast<double>(rng.below(5)),
                        static_cast<double>(1 + rng.below(7))};
    window.add(sample);
    kept.push_back(sample);
    window.evict(now);
    while (kept.size() > samples_max || now - kept.front().at > 30s) kept.pop_front();
    std::vector<double> totals;
    for (const auto& s : kept)
      if (s.verdict == Verdict::success) totals.push_back(s.total);
    ASSERT_EQ(window.size(), kept.size());
    ASSERT_EQ(window.total().size(), totals.size());
    double exact = totals.empty() ? 0 : exact_quantile(totals, 0.9);
    ASSERT_EQ(window.total().quantile(0.9), exact);
  }
  window.evict(now + 31s);
  EXPECT_EQ(window.size(), 0u);
  EXPECT_EQ(window.failure_share(), 0);
  EXPECT_EQ(window.ttft().size(), 0u);
}

}  // namespace
}  // namespace troupe::policy
