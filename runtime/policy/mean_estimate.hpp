// A mean of scores and how sure one may be of it.
#pragma once

#include <cstddef>

namespace troupe::policy {

/// A mean with its 95 % interval; both ends in [0, 1].
struct MeanEstimate {
  double mean = 0, low = 0, high = 1;
  double standard_error = 0;
};

/// Wilson's interval (Wilson 1927) for a mean of `effective` scores in [0, 1], which need not be whole. Exact
/// in spirit for scores of 0 and 1; wider than need be for those in between, which scatter less. Nothing
/// effective: [0, 1]. Pure.
void put_wilson(MeanEstimate& estimate, double effective);

}  // namespace troupe::policy
