#include "runtime/policy/change_detector.hpp"

namespace troupe::policy {

void ShareCusum::aim(const TwoShares& shares) {
  if (shares.healthy == shares_.healthy && shares.sick == shares_.sick) return;
  shares_ = shares;
  up_ = log_ratio(1, 1, shares);
  down_ = log_ratio(0, 1, shares);
}

void ShareCusum::add(bool hit) {
  sum_ += hit ? up_ : down_;
  ++seen_;
  hits_ += hit;
  if (sum_ <= 0) reset();
}

void ShareCusum::reset() {
  sum_ = 0;
  seen_ = hits_ = 0;
}

}  // namespace troupe::policy
