// The sequential rule of the ramp.
#include "runtime/policy/ramp.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace troupe::policy {
namespace {

constexpr double kBadShareFloor = 0.01;
/// Sick is at least this many times what is usual, or the two cannot be told apart.
constexpr double kSickFactor = 3;
/// Closing asks for no finer proof than this part of what a closed breaker bears.
constexpr double kProofPart = 1.0 / 3;

}  // namespace

Ramp::Ramp(const BreakerPolicy& policy)
    : policy_{policy.ramp.empty() ? std::vector<double>{1} : policy.ramp,
              std::max<std::size_t>(policy.stage_samples_min, 1),
              std::max<std::size_t>(policy.stage_failures_max, 1),
              std::max<std::size_t>(policy.failures_in_row_max, 1),
              policy.stage_time_min,
              policy.ramp_harm_max,
              policy.stage_failure_max,
              policy.error_share_max * kProofPart,
              std::log(policy.ramp_error_max)} {}

void Ramp::begin(Instant now) { resume(0, 0, 0, now); }

void Ramp::resume(std::size_t stage, std::size_t seen, std::size_t bad, Instant now) {
  stage_ = std::min(stage, policy_.ramp.size() - 1);
  seen_ = seen;
  bad_ = std::min(bad, seen);
  stage_seen_ = stage_bad_ = bad_in_row_ = 0;
  stage_since_ = now;
}

void Ramp::add(bool bad) {
  ++seen_;
  ++stage_seen_;
  bad_ += bad;
  stage_bad_ += bad;
  bad_in_row_ = bad ? bad_in_row_ + 1 : 0;
}

double Ramp::next_share() const { return stage_ + 1 < policy_.ramp.size() ? policy_.ramp[stage_ + 1] : 1; }

TwoShares Ramp::hypotheses(double next, double healthy_bad_share) const {
  double healthy = std::clamp(healthy_bad_share, kBadShareFloor, 0.3);
  double harmful = std::max(policy_.harm_max / next, policy_.failure_least);
  double sick = std::max(std::min(harmful, policy_.failure_max), kSickFactor * healthy);
  return {healthy, std::min(sick, 0.99)};
}

bool Ramp::stage_passed(Instant now, double healthy_bad_share) const {
  if (stage_seen_ < policy_.samples_min || now - stage_since_ < policy_.time_min) return false;
  return log_ratio(bad_, seen_, hypotheses(next_share(), healthy_bad_share)) <= policy_.error_log;
}

bool Ramp::stage_failed(double healthy_bad_share) const {
  if (bad_in_row_ >= policy_.failures_in_row_max) return true;
  if (stage_bad_ < policy_.failures_max) return false;
  return log_ratio(stage_bad_, stage_seen_, hypotheses(share(), healthy_bad_share)) >= -policy_.error_log;
}

bool Ramp::advance(Instant now) {
  if (stage_ + 1 >= policy_.ramp.size()) return false;
  ++stage_;
  stage_seen_ = stage_bad_ = 0;
  stage_since_ = now;
  return true;
}

std::string Ramp::figures() const {
  return fmt::format("{} bad of {} outcomes in this stage, {} of {} since the cool-down", stage_bad_,
                     stage_seen_, bad_, seen_);
}

}  // namespace troupe::policy
