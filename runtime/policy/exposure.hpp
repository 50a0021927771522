// How many units each arm has shown itself to, and whether that is what the rules ask for (EVALUATION 9).
// Pure.
#pragma once

#include "runtime/policy/experiment.hpp"

#include <unordered_set>

namespace troupe::policy {

/// The chance that a chi-square variable of `degrees` of freedom is at least `x`: the regularised upper
/// incomplete gamma function Q(degrees/2, x/2), by its series (DLMF 8.7.3) below a+1 and its continued
/// fraction (DLMF 8.9.2, Lentz's method) above. Good to 1e-10. 1 for x <= 0; degrees must be positive.
double chi_square_tail(double x, double degrees);

/// Sample-ratio mismatch: the chance of counts at least this far from the shares when assignment is sound.
/// 1 when nothing has been counted. Below 0.001 something loses one arm's units: believe no comparison.
double sample_ratio_p(std::span<const std::uint64_t> counts, std::span<const double> shares);

/// Pearson's test that two ways of sorting the same units have nothing to do with each other. `table` row by
/// row, `columns` wide.
double independence_p(std::span<const std::uint64_t> table, std::size_t columns);

/// Which exposures were logged already: of tenants and users the first is enough. Remembers at most
/// `units_max`, then forgets all: a second row for a unit does no harm, the journal keeps one. Not
/// thread-safe.
class ExposureMemory {
 public:
  explicit ExposureMemory(std::size_t units_max = 1u << 18) : units_max_(units_max) {}
  /// True the first time.
  bool first(const Assignment& assignment);

 private:
  std::size_t units_max_;
  std::unordered_set<std::uint64_t> seen_;
};

}  // namespace troupe::policy
