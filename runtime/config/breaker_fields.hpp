// What a breaker's options are called in a file; part of fields.hpp.
#pragma once

#include "runtime/policy/breaker_policy.hpp"

namespace troupe::config {

template <class V>
void fields(V& v, policy::ProbePolicy& x) {
  v("enabled", x.enabled);
  v("idle_after", x.idle_after);
  v("trial_gap", x.trial_gap);
  v("per_hour_max", x.per_hour_max);
}
template <class V>
void fields(V& v, policy::BreakerPolicy& x) {
  v("enabled", x.enabled);
  v("window", x.window);
  v("window_samples_max", x.window_samples_max);
  v("samples_min", x.samples_min);
  v("ttft_p90_max", x.ttft_p90_max);
  v("itl_p90_max", x.itl_p90_max);
  v("total_p90_max", x.total_p90_max);
  v("ttft_ratio_max", x.ttft_ratio_max);
  v("itl_ratio_max", x.itl_ratio_max);
  v("total_ratio_max", x.total_ratio_max);
  v("stall_ratio_max", x.stall_ratio_max);
  v("stall_trial_share", x.stall_trial_share);
  v("peers_well_min", x.peers_well_min);
  v("error_share_max", x.error_share_max);
  v("trip_chance_max", x.trip_chance_max);
  v("failures_in_row_max", x.failures_in_row_max);
  v("baseline_samples_min", x.baseline_samples_min);
  v("baseline_half_life", x.baseline_half_life);
  v("baseline_growth_per_day", x.baseline_growth_per_day);
  v("throttle_share_max", x.throttle_share_max);
  v("throttle_sustained", x.throttle_sustained);
  v("feedback_ratio_max", x.feedback_ratio_max);
  v("feedback_samples_min", x.feedback_samples_min);
  v("feedback_false_alarm", x.feedback_false_alarm);
  v("feedback_trial_share", x.feedback_trial_share);
  v("feedback_patience", x.feedback_patience);
  v("cool_down", x.cool_down);
  v("cool_down_max", x.cool_down_max);
  v("ramp", x.ramp);
  v("stage_samples_min", x.stage_samples_min);
  v("stage_time_min", x.stage_time_min);
  v("stage_failure_max", x.stage_failure_max);
  v("ramp_harm_max", x.ramp_harm_max);
  v("ramp_error_max", x.ramp_error_max);
  v("stage_failures_max", x.stage_failures_max);
  v("probe", x.probe);
}

}  // namespace troupe::config
