#include "runtime/policy/evidence.hpp"

#include <algorithm>
#include <cmath>

namespace troupe::policy {
namespace {

struct WilsonInterval {
  double lower = 0, upper = 1;
};

WilsonInterval wilson(std::size_t hits, std::size_t n, double z) {
  if (n == 0) return {};
  double count = static_cast<double>(n);
  double share = std::min(1.0, static_cast<double>(hits) / count);
  double z2 = z * z;
  double centre = share + z2 / (2 * count);
  double half = z * std::sqrt(share * (1 - share) / count + z2 / (4 * count * count));
  double scale = 1 + z2 / count;
  return {std::max(0.0, (centre - half) / scale), std::min(1.0, (centre + half) / scale)};
}

}  // namespace

double wilson_upper(std::size_t hits, std::size_t n, double z) { return wilson(hits, n, z).upper; }
double wilson_lower(std::size_t hits, std::size_t n, double z) { return wilson(hits, n, z).lower; }

double surprise(std::size_t hits, std::size_t n, double chance) {
  if (n == 0 || chance >= 1) return 1;
  double share = std::min(1.0, static_cast<double>(hits) / static_cast<double>(n));
  if (share <= chance) return 1;
  if (chance <= 0) return 0;
  double divergence = share * std::log(share / chance);
  if (share < 1) divergence += (1 - share) * std::log((1 - share) / (1 - chance));
  return std::exp(-static_cast<double>(n) * divergence);
}

double log_ratio(std::size_t hits, std::size_t n, const TwoShares& shares) {
  return static_cast<double>(hits) * std::log(shares.sick / shares.healthy) +
         static_cast<double>(n - hits) * std::log((1 - shares.sick) / (1 - shares.healthy));
}

}  // namespace troupe::policy
