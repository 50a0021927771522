#include "runtime/policy/exposure.hpp"

#include "runtime/base/rng.hpp"

#include <cmath>
#include <limits>
#include <numeric>

namespace troupe::policy {
namespace {

constexpr double kGammaAccuracy = 1e-14;
constexpr int kGammaTermsMax = 10'000;

// x^a e^-x / Gamma(a), by logarithms so that neither factor overflows.
double gamma_factor(double a, double x) { return std::exp(a * std::log(x) - x - std::lgamma(a)); }

double gamma_lower_series(double a, double x) {
  double term = 1 / a, sum = term;
  for (int n = 1; n < kGammaTermsMax && term > sum * kGammaAccuracy; ++n) sum += term *= x / (a + n);
  return gamma_factor(a, x) * sum;
}

double gamma_upper_fraction(double a, double x) {
  constexpr double tiny = std::numeric_limits<double>::min() / kGammaAccuracy;
  double b = x + 1 - a, c = 1 / tiny, d = 1 / b, fraction = d;
  for (int n = 1; n < kGammaTermsMax; ++n) {
    double an = -n * (n - a);
    b += 2;
    d = an * d + b;
    c = b + an / c;
    if (std::abs(d) < tiny) d = tiny;
    if (std::abs(c) < tiny) c = tiny;
    d = 1 / d;
    fraction *= d * c;
    if (std::abs(d * c - 1) < kGammaAccuracy) break;
  }
  return gamma_factor(a, x) * fraction;
}

double squared_distance(double seen, double expected) {
  return (seen - expected) * (seen - expected) / expected;
}

}  // namespace

double chi_square_tail(double x, double degrees) {
  double a = degrees / 2, half = x / 2;
  if (!(half > 0)) return 1;
  return half < a + 1 ? 1 - gamma_lower_series(a, half) : gamma_upper_fraction(a, half);
}

double sample_ratio_p(std::span<const std::uint64_t> counts, std::span<const double> shares) {
  auto total = static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::uint64_t{0}));
  if (total == 0 || counts.size() != shares.size() || counts.size() < 2) return 1;
  double x = 0;
  for (std::size_t i = 0; i < counts.size(); ++i)
    x += squared_distance(static_cast<double>(counts[i]), total * shares[i]);
  return chi_square_tail(x, static_cast<double>(counts.size() - 1));
}

double independence_p(std::span<const std::uint64_t> table, std::size_t columns) {
  auto rows = table.size() / columns;
  std::vector<double> row_sums(rows), column_sums(columns);
  double total = 0;
  for (std::size_t i = 0; i < rows * columns; ++i) {
    auto seen = static_cast<double>(table[i]);
    row_sums[i / columns] += seen;
    column_sums[i % columns] += seen;
    total += seen;
  }
  double x = 0;
  for (std::size_t i = 0; i < rows * columns; ++i) {
    double expected = row_sums[i / columns] * column_sums[i % columns] / total;
    if (expected > 0) x += squared_distance(static_cast<double>(table[i]), expected);
  }
  return chi_square_tail(x, static_cast<double>((rows - 1) * (columns - 1)));
}

bool ExposureMemory::first(const Assignment& assignment) {
  if (assignment.rule->experiment.unit == UnitKind::request) return true;
  if (seen_.size() >= units_max_) seen_.clear();
  return seen_.insert(Rng(assignment.unit ^ assignment.rule->version).next()).second;
}

}  // namespace troupe::policy
