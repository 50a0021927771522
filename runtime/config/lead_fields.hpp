// What the options of sign-offs, experiments, rollouts, shadows and judges are called in a file; part of
// fields.hpp.
#pragma once

#include "runtime/config/lead_config.hpp"

namespace troupe::config {

template <class V>
void fields(V& v, SignOffConfig& x) {
  v("kind", x.kind);
  v("data_classes", x.data_classes);
  v("expires", x.expires);
}
template <class V>
void fields(V& v, DataClassConfig& x) {
  v("provider", x.provider);
  v("model", x.model);
}
template <class V>
void fields(V& v, ArmConfig& x) {
  v("name", x.name);
  v("model", x.model);
  v("share", x.share);
}
template <class V>
void fields(V& v, ExperimentConfig& x) {
  v("layer", x.layer);
  v("salt", x.salt);
  v("unit", x.unit);
  v("from", x.from);
  v("percent", x.percent);
  v("features", x.features);
  v("tenants", x.tenants);
  v("cohorts", x.cohorts);
  v("languages", x.languages);
  v("input_tokens_min", x.input_tokens_min);
  v("input_tokens_max", x.input_tokens_max);
  v("arms", x.arms);
  v("begins", x.begins);
  v("ends", x.ends);
}
template <class V>
void fields(V& v, RolloutConfig& x) {
  v("feature", x.feature);
  v("model", x.model);
  v("unit", x.unit);
  v("salt", x.salt);
  v("home", x.home);
  v("after_copies", x.policy.after_copies);
  v("stages", x.policy.stages);
  v("dwell", x.policy.dwell);
  v("samples_min", x.policy.samples_min);
  v("stage_time_max", x.policy.stage_time_max);
  v("gates", x.policy.gates);
  v("failure_margin", x.policy.failure_margin);
  v("ttft_ratio_max", x.policy.ttft_ratio_max);
  v("total_ratio_max", x.policy.total_ratio_max);
  v("cost_ratio_max", x.policy.cost_ratio_max);
  v("quality_margin", x.policy.quality_margin);
  v("alpha", x.policy.alpha);
}
template <class V>
void fields(V& v, JudgeConfig& x) {
  v("feature", x.feature);
  v("share", x.policy.share);
  v("usd_per_day", x.policy.usd_per_day);
  v("in_flight_max", x.policy.in_flight_max);
  v("rubric", x.rubric);
}
template <class V>
void fields(V& v, ShadowConfig& x) {
  v("model", x.model);
  v("share", x.policy.share);
  v("tokens_per_hour", x.policy.tokens_per_hour);
  v("usd_per_hour", x.policy.usd_per_hour);
  v("in_flight_max", x.policy.in_flight_max);
  v("judge", x.judge);
}

}  // namespace troupe::config
