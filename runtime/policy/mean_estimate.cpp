#include "runtime/policy/mean_estimate.hpp"

#include "runtime/policy/evidence.hpp"

#include <algorithm>
#include <cmath>

namespace troupe::policy {

void put_wilson(MeanEstimate& estimate, double effective) {
  if (effective <= 0) return;
  double mean = std::clamp(estimate.mean, 0.0, 1.0), z2 = kZ95 * kZ95;
  double centre = mean + z2 / (2 * effective);
  double half = kZ95 * std::sqrt(mean * (1 - mean) / effective + z2 / (4 * effective * effective));
  double scale = 1 + z2 / effective;
  estimate.low = std::max(0.0, (centre - half) / scale);
  estimate.high = std::min(1.0, (centre + half) / scale);
}

}  // namespace troupe::policy
