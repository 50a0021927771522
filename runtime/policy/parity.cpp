#include "runtime/policy/parity.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <map>

namespace troupe::policy {
namespace {

// Below it the intervals, which are of the limit of many, promise more than they keep.
constexpr std::size_t kParityPairsMin = 100;

struct Spread {
  double estimate = 0, error = 0;
};

ParityLine judged_line(std::string what, const Spread& spread, double margin, double z, std::size_t pairs) {
  ParityLine line{std::move(what),
                  Parity::unproven,
                  spread.estimate - z * spread.error,
                  spread.estimate + z * spread.error,
                  margin,
                  pairs};
  if (pairs < kParityPairsMin) return line;
  if (line.low > -margin && line.high < margin) line.verdict = Parity::equal;
  return line;
}

// The margin may be missed by chance alone; an interval that holds for all lines at once may not, or one
// report on twins in four would name something that differs.
bool is_different(const ParityLine& line, double widened) {
  auto estimate = (line.low + line.high) / 2, half = widened * (line.high - line.low) / 2;
  return line.pairs >= kParityPairsMin && std::abs(estimate) > std::max(half, line.margin);
}

Spread mean_spread(const std::vector<double>& values) {
  auto n = static_cast<double>(values.size());
  double mean = 0, squares = 0;
  for (double x : values) mean += x / n;
  for (double x : values) squares += (x - mean) * (x - mean);
  // Half an event on each side: a row of equal values is no certainty.
  return {mean, std::sqrt(squares / (n - 1) / n) + 0.5 / (n * n)};
}

// The quantile and its standard error from the order statistics around it: no law is assumed.
Spread quantile_spread(std::vector<double>& sorted, double q) {
  auto n = static_cast<double>(sorted.size());
  double half = 1.96 * std::sqrt(n * q * (1 - q));
  auto at = [&](double rank) {
    auto place = std::clamp(rank, 0.0, n - 1);
    return sorted[static_cast<std::size_t>(place)];
  };
  return {at(n * q), (at(n * q + half) - at(n * q - half)) / (2 * 1.96)};
}

using Latency = double ParitySide::*;

std::vector<double> sorted_logs(const std::vector<ParityPair>& pairs, ParitySide ParityPair::*side,
                                Latency latency) {
  std::vector<double> out;
  for (const auto& pair : pairs)
    if (!(pair.*side).error) out.push_back(std::log(std::max(pair.*side.*latency, 1e-4)));
  std::ranges::sort(out);
  return out;
}

struct ParityJudge {
  const std::vector<ParityPair>& pairs;
  const ParityPolicy& policy;
  double z = 0;
  ParityReport report;

  void paired(std::string what, double margin,
              const std::function<std::optional<double>(const ParityPair&)>& of) {
    std::vector<double> differences;
    for (const auto& pair : pairs)
      if (auto difference = of(pair)) differences.push_back(*difference);
    if (differences.size() < 2) return;
    report.lines.push_back(
        judged_line(std::move(what), mean_spread(differences), margin, z, differences.size()));
  }

  void latency(const char* name, Latency latency) {
    auto old = sorted_logs(pairs, &ParityPair::old, latency),
         fresh = sorted_logs(pairs, &ParityPair::fresh, latency);
    if (old.size() < 2 || fresh.size() < 2) return;
    for (double q : {0.5, 0.9}) {
      auto a = quantile_spread(old, q), b = quantile_spread(fresh, q);
      Spread difference{b.estimate - a.estimate, std::hypot(a.error, b.error)};
      report.lines.push_back(judged_line(fmt::format("{} p{:.0f}, logarithm of the ratio", name, 100 * q),
                                         difference, std::log1p(policy.latency_margin), z,
                                         std::min(old.size(), fresh.size())));
    }
  }

  void errors() {
    auto share = [](const ParitySide& side, Errc code) { return side.error == code ? 1.0 : 0.0; };
    paired("errors", policy.error_margin, [](const ParityPair& pair) {
      return std::optional((pair.fresh.error ? 1.0 : 0.0) - (pair.old.error ? 1.0 : 0.0));
    });
    std::map<Errc, int> seen;
    for (const auto& pair : pairs)
      for (const auto* side : {&pair.old, &pair.fresh})
        if (side->error) ++seen[*side->error];
    for (auto [code, unused] : seen)
      paired(fmt::format("errors: {}", to_string(code)), policy.error_margin,
             [code = code, share](const ParityPair& pair) {
               return std::optional(share(pair.fresh, code) - share(pair.old, code));
             });
  }

  // In units of the old side's mean, so that the margin is a share of it.
  void length() {
    double sum = 0, count = 0;
    for (const auto& pair : pairs)
      if (!pair.old.error) sum += static_cast<double>(pair.old.output_tokens), ++count;
    if (sum == 0) return;
    paired("length", policy.length_margin,
           [mean = sum / count](const ParityPair& pair) -> std::optional<double> {
             if (pair.old.error || pair.fresh.error) return std::nullopt;
             return (static_cast<double>(pair.fresh.output_tokens) -
                     static_cast<double>(pair.old.output_tokens)) /
                    mean;
           });
  }
};

}  // namespace

const char* to_string(Parity verdict) {
  switch (verdict) {
    case Parity::equal: return "equal";
    case Parity::unproven: return "not equal: not shown";
    case Parity::different: return "not equal";
  }
  return "?";
}

std::optional<std::string> validate(const ParityPolicy& policy) {
  for (auto [name, value] :
       {std::pair("latency_margin", policy.latency_margin),
        std::pair("quality_margin", policy.quality_margin), std::pair("error_margin", policy.error_margin),
        std::pair("length_margin", policy.length_margin)})
    if (!(value > 0 && value < 1)) return fmt::format("{} is {}; it must be between 0 and 1", name, value);
  if (!(policy.alpha > 0 && policy.alpha < 0.5))
    return fmt::format("alpha is {}; it must be between 0 and 0.5", policy.alpha);
  return std::nullopt;
}

ParityReport compare(const std::vector<ParityPair>& pairs, const ParityPolicy& policy) {
  ParityJudge judge{pairs, policy, normal_quantile(1 - policy.alpha), {}};
  judge.paired("quality", policy.quality_margin, [](const ParityPair& pair) -> std::optional<double> {
    if (!pair.old.quality || !pair.fresh.quality) return std::nullopt;
    return *pair.fresh.quality - *pair.old.quality;
  });
  judge.latency("ttft", &ParitySide::ttft);
  judge.latency("total", &ParitySide::total);
  judge.errors();
  judge.length();
  auto& report = judge.report;
  if (report.lines.empty()) return report;
  report.verdict = Parity::equal;
  auto lines = static_cast<double>(report.lines.size());
  auto widened = normal_quantile(1 - policy.alpha / (2 * lines)) / judge.z;
  for (auto& line : report.lines) {
    if (is_different(line, widened)) line.verdict = Parity::different;
    report.verdict = std::max(report.verdict, line.verdict);
  }
  return report;
}

double normal_quantile(double p) {
  constexpr std::array a{-3.969683028665376e+01, 2.209460984245205e+02,  -2.759285104469687e+02,
                         1.383577518672690e+02,  -3.066479806614716e+01, 2.506628277459239e+00};
  constexpr std::array b{-5.447609879822406e+01, 1.615858368580409e+02, -1.556989798598866e+02,
                         6.680131188771972e+01, -1.328068155288572e+01};
  constexpr std::array c{-7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00,
                         -2.549732539343734e+00, 4.374664141464968e+00,  2.938163982698783e+00};
  constexpr std::array d{7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00,
                         3.754408661907416e+00};
  auto horner = [](const auto& terms, double x, double tail) {
    double sum = 0;
    for (double term : terms) sum = sum * x + term;
    return tail == 0 ? sum : sum * x + tail;
  };
  constexpr double tail_from = 0.02425;
  if (p < tail_from) {
    double q = std::sqrt(-2 * std::log(p));
    return horner(c, q, 0) / horner(d, q, 1);
  }
  if (p > 1 - tail_from) return -normal_quantile(1 - p);
  double q = p - 0.5, r = q * q;
  return horner(a, r, 0) * q / horner(b, r, 1);
}

}  // namespace troupe::policy
