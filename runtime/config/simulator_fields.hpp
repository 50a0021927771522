// What the simulator's options are called in a file; part of fields.hpp.
#pragma once

#include "runtime/config/simulator_config.hpp"

namespace troupe::config {

template <class V>
void fields(V& v, LatencyLaw& x) {
  v("ttft_median", x.ttft_median);
  v("ttft_sigma", x.ttft_sigma);
  v("ttft_per_1k_input", x.ttft_per_1k_input);
  v("inter_token_median", x.inter_token_median);
  v("inter_token_sigma", x.inter_token_sigma);
}
template <class V>
void fields(V& v, Fault& x) {
  v("kind", x.kind);
  v("from", x.from);
  v("to", x.to);
  v("every", x.every);
  v("call_from", x.call_from);
  v("call_to", x.call_to);
  v("share", x.share);
  v("retry_after", x.retry_after);
  v("factor", x.factor);
  v("delay", x.delay);
  v("at_byte", x.at_byte);
  v("model", x.model);
}
template <class V>
void fields(V& v, SharedFault& x) {
  v("provider", x.provider);
  v("region", x.region);
  fields(v, x.fault);
}
template <class V>
void fields(V& v, SimulatedCapacity& x) {
  v("law", x.law);
  v("tokens_per_day", x.tokens_per_day);
  v("units", x.units);
  v("unit_input_tokens_per_minute", x.unit_input_tokens_per_minute);
  v("unit_output_tokens_per_minute", x.unit_output_tokens_per_minute);
  v("gsus", x.gsus);
  v("gsu_tokens_per_second", x.gsu_tokens_per_second);
  v("output_weight", x.output_weight);
  v("cached_weight", x.cached_weight);
  v("window", x.window);
  v("pool_tokens_per_minute", x.pool_tokens_per_minute);
  v("others_mean", x.others_mean);
  v("others_swing", x.others_swing);
  v("others_period", x.others_period);
  v("instances", x.instances);
  v("instances_max", x.instances_max);
  v("instance_calls", x.instance_calls);
  v("start_up", x.start_up);
}
template <class V>
void fields(V& v, ReplayModel& x) {
  v("slots", x.slots);
  v("tail_share", x.tail_share);
  v("tail_ttft_median", x.tail_ttft_median);
  v("tail_ttft_sigma", x.tail_ttft_sigma);
}
template <class V>
void fields(V& v, SimulatedEndpoint& x) {
  v("name", x.name);
  v("dialect", x.dialect);
  v("provider", x.provider);
  v("host", x.host);
  v("models", x.models);
  v("region", x.region);
  v("latency", x.latency);
  v("limits", x.limits);
  v("capacity", x.capacity);
  v("price", x.price);
  v("context_tokens_max", x.context_tokens_max);
  v("ready_after", x.ready_after);
  v("verify", x.credentials.verify);
  v("faults", x.faults);
  v("replay", x.replay);
}
template <class V>
void fields(V& v, SimulatedRole& x) {
  v("arn", x.arn);
  v("region", x.region);
  v("external_id", x.external_id);
}
template <class V>
void fields(V& v, SimulatedSigner& x) {
  v("issuer", x.issuer);
  v("public_key", x.public_key);
}
template <class V>
void fields(V& v, SimulatedIssuers& x) {
  v("token_lifetime", x.token_lifetime);
  v("issued_max", x.issued_max);
  v("aws_account", x.aws_account);
  v("instance_role", x.instance_role);
  v("container_role", x.container_role);
  v("availability_zone", x.availability_zone);
  v("container_token", x.container_token);
  v("roles", x.roles);
  v("google_project", x.google_project);
  v("google_account", x.google_account);
  v("google_audience", x.google_audience);
  v("azure_tenant", x.azure_tenant);
  v("azure_client_id", x.azure_client_id);
  v("azure_client_secret", x.azure_client_secret);
  v("signers", x.signers);
}
template <class V>
void fields(V& v, SimulatorConfig& x) {
  v("listen", x.listen);
  v("seed", x.seed);
  v("scale", x.scale);
  v("in_flight_max", x.in_flight_max);
  v("endpoints", x.endpoints);
  v("faults", x.faults);
  v("issuers", x.issuers);
}

}  // namespace troupe::config
