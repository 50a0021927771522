// The sequential rule of the ramp.
#include "runtime/policy/ramp.hpp"

#include "runtime/policy/evidence.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::policy {
namespace {

/// Bad outcomes beyond stage_failures_max end a stage when chance alone would bring them less often than
/// this. Much laxer than a trip's: during a ramp a false alarm costs one cool-down of an endpoint nobody
/// depends on.
constexpr double kRelapseChance = 0.2;
constexpr double kBadShareFloor = 0.01;

}  // namespace

Ramp::Ramp(const BreakerPolicy& policy) : policy_(&policy), shares_(policy.ramp) {
  if (shares_.empty()) shares_.push_back(1);
}

void Ramp::begin(Instant now) {
  stage_ = stage_seen_ = stage_bad_ = seen_ = bad_ = bad_in_row_ = 0;
  stage_since_ = now;
}

void Ramp::add(bool bad) {
  ++seen_;
  ++stage_seen_;
  bad_ += bad;
  stage_bad_ += bad;
  bad_in_row_ = bad ? bad_in_row_ + 1 : 0;
}

bool Ramp::stage_passed(Instant now, double healthy_bad_share) const {
  if (stage_seen_ < std::max<std::size_t>(policy_->stage_samples_min, 1)) return false;
  if (now - stage_since_ < policy_->stage_time_min) return false;
  double next = stage_ + 1 < shares_.size() ? shares_[stage_ + 1] : 1.0;
  double allowed = std::max(policy_->ramp_harm_max / next, 2 * healthy_bad_share);
  return wilson_upper(bad_, seen_) < std::min(allowed, policy_->stage_failure_max);
}

bool Ramp::stage_failed(double healthy_bad_share) const {
  if (bad_in_row_ >= std::max<std::size_t>(policy_->failures_in_row_max, 1)) return true;
  if (stage_bad_ < std::max<std::size_t>(policy_->stage_failures_max, 1)) return false;
  return surprise(stage_bad_, stage_seen_, std::max(kBadShareFloor, healthy_bad_share)) < kRelapseChance;
}

bool Ramp::advance(Instant now) {
  if (stage_ + 1 >= shares_.size()) return false;
  ++stage_;
  stage_seen_ = stage_bad_ = 0;
  stage_since_ = now;
  return true;
}

std::string Ramp::figures() const {
  return fmt::format(
      "{} bad of {} outcomes in this stage, {} of {} since the cool-down; at most {:.1f} % bad (95 %)",
      stage_bad_, stage_seen_, bad_, seen_, 100 * wilson_upper(bad_, seen_));
}

}  // namespace troupe::policy
