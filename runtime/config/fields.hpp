// What every struct is called in a file: one description, walked by the reader, the printer and the list of
// keys, so that the three cannot disagree.
#pragma once

#include "runtime/config/breaker_fields.hpp"
#include "runtime/config/config.hpp"
#include "runtime/config/lead_fields.hpp"
#include "runtime/config/money_fields.hpp"
#include "runtime/config/schedule_fields.hpp"
#include "runtime/config/simulator_fields.hpp"
#include "runtime/config/tools_fields.hpp"

namespace troupe::config {

// A visitor `v` takes v(key, member), v.list(key, members, prototype) for lists whose entries start from
// something else than the defaults.

template <class V>
void fields(V& v, ConcentrationConfig& x) {
  v("provider_share_max", x.provider_share_max);
  v("region_share_max", x.region_share_max);
}
template <class V>
void fields(V& v, NodeConfig& x) {
  v("id", x.id);
  v("region", x.region);
  v("state_dir", x.state_dir);
  v("tokens_per_minute", x.tokens_per_minute);
  v("concentration", x.concentration);
  v("park_after", x.park_after);
  v("retention", x.retention);
}
template <class V>
void fields(V& v, StoreConfig& x) {
  v("kind", x.kind);
  v("path", x.path);
  v("url", x.url);
  v("schema", x.schema);
  v("power_safe", x.power_safe);
  v("durability", x.durability);
}
template <class V>
void fields(V& v, PeerEntry& x) {
  v("id", x.id);
  v("address", x.address);
  v("public_key", x.public_key);
}
template <class V>
void fields(V& v, ClientEntry& x) {
  v("public_key", x.public_key);
  v("principal", x.principal);
}
template <class V>
void fields(V& v, ClusterConfig& x) {
  v("listen", x.listen);
  v("secret_key", x.secret_key);
  v("peers", x.peers);
  v("client_keys", x.client_keys);
  v("clients", x.clients);
}
template <class V>
void fields(V& v, TimeoutsConfig& x) {
  v("connect", x.connect);
  v("header", x.header);
  v("first_byte", x.first_byte);
  v("idle", x.idle);
  v("total", x.total);
}
template <class V>
void fields(V& v, PoolConfig& x) {
  v("idle_per_origin_max", x.idle_per_origin_max);
  v("open_per_origin_max", x.open_per_origin_max);
  v("idle_age_max", x.idle_age_max);
}
template <class V>
void fields(V& v, HttpConfig& x) {
  v("timeouts", x.timeouts);
  v("pool", x.pool);
}
template <class V>
void fields(V& v, AuthConfig& x) {
  v("kind", x.kind);
  v("api_key", x.api_key);
  v("access_key_id", x.access_key_id);
  v("secret_access_key", x.secret_access_key);
  v("session_token", x.session_token);
  v("profile", x.profile);
  v("role_arn", x.role_arn);
  v("external_id", x.external_id);
  v("credentials_file", x.credentials_file);
  v("tenant_id", x.tenant_id);
  v("client_id", x.client_id);
  v("client_secret", x.client_secret);
  v("token_file", x.token_file);
  v("scope", x.scope);
  v("sts_url", x.sts_url);
  v("imds_url", x.imds_url);
  v("metadata_url", x.metadata_url);
  v("token_url", x.token_url);
}
template <class V>
void fields(V& v, ProviderConfig& x) {
  v("dialect", x.dialect);
  v("base_url", x.base_url);
  v("region", x.region);
  v("auth", x.auth);
  v("ca_file", x.ca_file);
  v("project", x.project);
  v("api_version", x.api_version);
  v("proxy", x.proxy);
  v("warm_connections", x.warm_connections);
  v("sign_offs", x.sign_offs);
}
template <class V>
void fields(V& v, policy::QuotaPolicy& x) {
  v("input_tokens_per_minute", x.input_tokens_per_minute);
  v("output_tokens_per_minute", x.output_tokens_per_minute);
  v("requests_per_minute", x.requests_per_minute);
  v("in_flight_max", x.in_flight_max);
  v("output_burndown", x.output_burndown);
  v("output_from_input", x.output_from_input);
  v("reserve_output_max", x.reserve_output_max);
  v("burst_minutes", x.burst_minutes);
}
template <class V>
void fields(V& v, policy::EstimatePolicy& x) {
  v("enabled", x.enabled);
  v("quantile", x.quantile);
  v("samples_min", x.samples_min);
  v("memory", x.memory);
}
template <class V>
void fields(V& v, policy::SpillPolicy& x) {
  v("hysteresis", x.hysteresis);
  v("return_factor", x.return_factor);
  v("return_refill", x.return_refill);
}
template <class V>
void fields(V& v, policy::PacingPolicy& x) {
  v("enabled", x.enabled);
  v("hint_life", x.hint_life);
}
template <class V>
void fields(V& v, policy::ConcurrencyPolicy& x) {
  v("enabled", x.enabled);
  v("limit_min", x.limit_min);
  v("limit_start", x.limit_start);
  v("limit_max", x.limit_max);
  v("samples_min", x.samples_min);
  v("ttft_tolerance", x.ttft_tolerance);
  v("decrease", x.decrease);
  v("growth", x.growth);
}
template <class V>
void fields(V& v, CapacityConfig& x) {
  v("estimate", x.estimate);
  v("spill", x.spill);
  v("pacing", x.pacing);
  v("concurrency", x.concurrency);
}
template <class V>
void fields(V& v, EndpointConfig& x) {
  v("id", x.id);
  v("provider", x.provider);
  v("model", x.model);
  v("remote_model", x.remote_model);
  v("region", x.region);
  v("kind", x.kind);
  v("boundary", x.boundary);
  v("home", x.home);
  v("limits", x.limits);
  v("capacity", x.capacity);
  v("price", x.price);
  v("reserved", x.reserved);
  v("context_tokens_max", x.context_tokens_max);
  v("output_tokens_max", x.output_tokens_max);
  v("accepts_prefix", x.accepts_prefix);
  v("breaker", x.breaker);
  v("sign_offs", x.sign_offs);
}
template <class V>
void fields(V& v, EndpointDefaults& x) {
  v("limits", x.limits);
  v("capacity", x.capacity);
  v("context_tokens_max", x.context_tokens_max);
  v("output_tokens_max", x.output_tokens_max);
  v("breaker", x.breaker);
}
template <class V>
void fields(V& v, EndpointsConfig& x) {
  v("defaults", x.defaults);
  v("data_classes", x.data_classes);
  EndpointConfig prototype;
  prototype.limits = x.defaults.limits;
  prototype.capacity = x.defaults.capacity;
  prototype.context_tokens_max = x.defaults.context_tokens_max;
  prototype.output_tokens_max = x.defaults.output_tokens_max;
  prototype.breaker = x.defaults.breaker;
  v.list("list", x.list, prototype);
}
template <class V>
void fields(V& v, ModelConfig& x) {
  v("description", x.description);
  v("sign_offs", x.sign_offs);
}
template <class V>
void fields(V& v, policy::ScoreWeights& x) {
  v("latency", x.latency);
  v("price", x.price);
  v("errors", x.errors);
  v("distance", x.distance);
  v("affinity", x.affinity);
}
template <class V>
void fields(V& v, QualityConfig& x) {
  v("model", x.model);
  v("lower", x.lower);
  v("expires", x.expires);
}
template <class V>
void fields(V& v, policy::Divert& x) {
  v("model", x.model);
  v("input_tokens_min", x.input_tokens_min);
  v("input_tokens_max", x.input_tokens_max);
  v("output_tokens_max", x.output_tokens_max);
}
template <class V>
void fields(V& v, policy::RoutePolicy& x) {
  v("fallback", x.fallback);
  v("spillover", x.spillover);
  v("attempts_max", x.attempts_max);
  v("headroom_factor", x.headroom_factor);
  v("backup_trickle_max", x.backup_trickle_max);
  v("pools", x.pools);
  v("quality_margin", x.quality_margin);
  v("explore_after", x.explore_after);
  v("explore_share", x.explore_share);
  v("weights_by_class", x.weights_by_class);
  v("weights", x.weights);
}
template <class V>
void fields(V& v, policy::RetryPolicy& x) {
  v("enabled", x.enabled);
  v("budget_share", x.budget_share);
  v("budget_floor", x.budget_floor);
  v("budget_per_second", x.budget_per_second);
  v("backoff_base", x.backoff_base);
  v("backoff_max", x.backoff_max);
}
template <class V>
void fields(V& v, policy::AdmissionPolicy& x) {
  v("queued_max", x.queued_max);
  v("running_max", x.running_max);
  v("ageing_share", x.ageing_share);
}
template <class V>
void fields(V& v, policy::HedgePolicy& x) {
  v("enabled", x.enabled);
  v("budget_share", x.budget_share);
  v("budget_max", x.budget_max);
  v("ttft_quantile", x.ttft_quantile);
  v("samples_min", x.samples_min);
  v("load_max", x.load_max);
  v("price_factor_max", x.price_factor_max);
  v("deadline_factor", x.deadline_factor);
}
template <class V>
void fields(V& v, ShareConfig& x) {
  v("guaranteed_tokens_per_minute", x.guaranteed_tokens_per_minute);
  v("tokens_per_minute_max", x.tokens_per_minute_max);
}
template <class V>
void fields(V& v, FeatureConfig& x) {
  v("hierarchy", x.hierarchy);
  v("class", x.work_class);
  v("boundary", x.boundary);
  v("data_class", x.data_class);
  v("quality", x.quality);
  v("diverts", x.diverts);
  v("deadline", x.deadline);
  v("after_first_token", x.after_first_token);
  v("route", x.route);
  v("retry", x.retry);
  v("admission", x.admission);
  v("hedge", x.hedge);
  v("share", x.share);
  v("shadow", x.shadow);
  v("choice", x.choice);
  v("budget", x.budget);
}
template <class V>
void fields(V& v, TenantConfig& x) {
  v("boundary", x.boundary);
  v("zone", x.zone);
  v("weight", x.weight);
  v("cohorts", x.cohorts);
  v("budget", x.budget);
}
template <class V>
void fields(V& v, TelemetryConfig& x) {
  v("log_level", x.log_level);
}
template <class V>
void fields(V& v, Config& x) {
  v("node", x.node);
  v("store", x.store);
  v("cluster", x.cluster);
  v("http", x.http);
  v("providers", x.providers);
  v("prices", x.prices);
  v("endpoints", x.endpoints);
  v("models", x.models);
  v("features", x.features);
  v("experiments", x.experiments);
  v("rollouts", x.rollouts);
  v("tenants", x.tenants);
  v("tools", x.tools);
  v("workflows", x.workflows);
  v("schedules", x.schedules);
  v("telemetry", x.telemetry);
  v("simulator", x.simulator);
}

}  // namespace troupe::config
