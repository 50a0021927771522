// What makes a breaker's configuration sound.
#include "runtime/policy/breaker_policy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace troupe::policy {
namespace {

using Complaint = std::optional<std::string>;

Complaint not_a_share(std::string_view name, double value) {
  if (value > 0 && value <= 1) return std::nullopt;
  return fmt::format("{} is {}; it must be above 0 and at most 1", name, value);
}

Complaint ramp_complaint(const std::vector<double>& ramp) {
  constexpr std::size_t stages_max = 64;
  if (ramp.empty() || ramp.size() > stages_max)
    return fmt::format("ramp has {} stages; it must have 1 to {}, such as [0.01, 0.1, 0.5, 1]", ramp.size(),
                       stages_max);
  for (double share : ramp)
    if (auto bad = not_a_share("a share of ramp", share)) return bad;
  if (!std::ranges::is_sorted(ramp)) return "ramp goes down; its shares must grow to 1";
  if (ramp.back() != 1) return fmt::format("ramp ends at {}; it must end at 1", ramp.back());
  return std::nullopt;
}

Complaint window_complaint(const BreakerPolicy& policy) {
  constexpr std::size_t window_samples_most = 100'000;
  if (policy.window <= Duration::zero()) return "window is not positive; 30s would do";
  if (policy.samples_min == 0) return "samples_min is 0; it must be at least 1";
  if (policy.window_samples_max < policy.samples_min || policy.window_samples_max > window_samples_most)
    return fmt::format("window_samples_max is {}; it must be from samples_min ({}) to {}",
                       policy.window_samples_max, policy.samples_min, window_samples_most);
  if (!(policy.peers_well_min >= 0 && policy.peers_well_min <= 1))
    return fmt::format("peers_well_min is {}; it must be from 0 (off) to 1", policy.peers_well_min);
  if (policy.failures_in_row_max == 0) return "failures_in_row_max is 0; it must be at least 1";
  return std::nullopt;
}

Complaint limits_complaint(const BreakerPolicy& policy) {
  if (policy.ttft_p90_max < Duration::zero()) return "ttft_p90_max is negative; 0 means no limit";
  if (policy.itl_p90_max < Duration::zero()) return "itl_p90_max is negative; 0 means no limit";
  if (policy.total_p90_max < Duration::zero()) return "total_p90_max is negative; 0 means no limit";
  for (double ratio :
       {policy.ttft_ratio_max, policy.itl_ratio_max, policy.total_ratio_max, policy.stall_ratio_max})
    if (!(ratio == 0 || ratio > 1))
      return fmt::format("a ratio limit is {}; it must be above 1, or 0 for none", ratio);
  if (!(policy.baseline_growth_per_day >= 1))
    return "baseline_growth_per_day is below 1; 1 means it never moves";
  if (auto bad = not_a_share("error_share_max", policy.error_share_max)) return bad;
  if (auto bad = not_a_share("throttle_share_max", policy.throttle_share_max)) return bad;
  if (auto bad = not_a_share("stall_trial_share", policy.stall_trial_share)) return bad;
  return not_a_share("trip_chance_max", policy.trip_chance_max);
}

Complaint feedback_complaint(const BreakerPolicy& policy) {
  if (!(policy.feedback_ratio_max == 0 || policy.feedback_ratio_max > 1))
    return fmt::format("feedback_ratio_max is {}; it must be above 1, or 0 for none",
                       policy.feedback_ratio_max);
  if (policy.feedback_samples_min == 0) return "feedback_samples_min is 0; it must be at least 1";
  if (!(policy.feedback_false_alarm >= 10)) return "feedback_false_alarm is below 10; 100000 would do";
  if (policy.feedback_patience < Duration::zero()) return "feedback_patience is negative; 0 waits for nobody";
  return not_a_share("feedback_trial_share", policy.feedback_trial_share);
}

Complaint probe_complaint(const BreakerPolicy& policy) {
  const auto& probe = policy.probe;
  if (probe.idle_after < Duration::zero()) return "probe.idle_after is negative; 0 means never";
  if (probe.trial_gap < Duration::zero()) return "probe.trial_gap is negative; 0 means never";
  if (!(probe.per_hour_max >= 0 && probe.per_hour_max <= 3600))
    return fmt::format("probe.per_hour_max is {}; it must be from 0 to 3600", probe.per_hour_max);
  return std::nullopt;
}

Complaint recovery_complaint(const BreakerPolicy& policy) {
  if (policy.cool_down <= Duration::zero()) return "cool_down is not positive; 5s would do";
  if (policy.cool_down_max < policy.cool_down) return "cool_down_max is less than cool_down";
  if (policy.stage_samples_min == 0) return "stage_samples_min is 0; it must be at least 1";
  if (policy.stage_failures_max == 0) return "stage_failures_max is 0; it must be at least 1";
  if (policy.stage_time_min < Duration::zero()) return "stage_time_min is negative; 0 means no minimum";
  if (auto bad = not_a_share("stage_failure_max", policy.stage_failure_max)) return bad;
  if (!(policy.ramp_error_max > 0 && policy.ramp_error_max < 1))
    return fmt::format("ramp_error_max is {}; it must be above 0 and below 1", policy.ramp_error_max);
  return not_a_share("ramp_harm_max", policy.ramp_harm_max);
}

}  // namespace

std::optional<std::string> validate(const BreakerPolicy& policy) {
  for (auto check :
       {window_complaint, limits_complaint, feedback_complaint, recovery_complaint, probe_complaint})
    if (auto complaint = check(policy)) return complaint;
  return ramp_complaint(policy.ramp);
}

}  // namespace troupe::policy
