// The words of the configuration's enumerations, and the simulator's published keys.
#include "runtime/config/config.hpp"
#include "runtime/policy/price_table.hpp"

namespace troupe::config {

const char* to_string(FaultKind kind) {
  switch (kind) {
    case FaultKind::down: return "down";
    case FaultKind::half_open: return "half_open";
    case FaultKind::slow_head: return "slow_head";
    case FaultKind::throttle: return "throttle";
    case FaultKind::errors: return "errors";
    case FaultKind::unavailable: return "unavailable";
    case FaultKind::model_error: return "model_error";
    case FaultKind::slow: return "slow";
    case FaultKind::late_first_token: return "late_first_token";
    case FaultKind::in_stream_error: return "in_stream_error";
    case FaultKind::cut: return "cut";
    case FaultKind::stall: return "stall";
    case FaultKind::malformed: return "malformed";
    case FaultKind::truncated: return "truncated";
    case FaultKind::poor_quality: return "poor_quality";
  }
  return "unknown";
}

const char* to_string(CapacityLaw law) {
  switch (law) {
    case CapacityLaw::limits: return "limits";
    case CapacityLaw::bedrock_on_demand: return "bedrock_on_demand";
    case CapacityLaw::bedrock_provisioned: return "bedrock_provisioned";
    case CapacityLaw::vertex_provisioned: return "vertex_provisioned";
    case CapacityLaw::vertex_shared: return "vertex_shared";
    case CapacityLaw::sagemaker_instances: return "sagemaker_instances";
  }
  return "unknown";
}

std::vector<std::string> provider_dialects() {
  return {"openai",         "openai_responses", "azure_openai",  "anthropic",     "bedrock",
          "bedrock_invoke", "sagemaker",        "sagemaker_tgi", "vertex_gemini", "vertex_anthropic"};
}

const char* to_string(AuthKind kind) {
  switch (kind) {
    case AuthKind::none: return "none";
    case AuthKind::bearer: return "bearer";
    case AuthKind::aws_env: return "aws_env";
    case AuthKind::aws_static: return "aws_static";
    case AuthKind::simulated: return "simulated";
    case AuthKind::api_key: return "api_key";
    case AuthKind::aws: return "aws";
    case AuthKind::google: return "google";
    case AuthKind::azure: return "azure";
  }
  return "unknown";
}

std::string provider_of(const SimulatedEndpoint& endpoint) {
  return endpoint.provider.empty() ? endpoint.dialect.substr(0, endpoint.dialect.find('_'))
                                   : endpoint.provider;
}

SimulatedCredentials simulated_credentials() {
  return {.verify = true,
          .access_key_id = "AKIDEXAMPLE",
          .secret_access_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
          .api_key = "simulator-key"};
}

policy::GuardPolicy guard_policy(const EndpointConfig& endpoint, bool shares) {
  const auto& capacity = endpoint.capacity;
  auto spill = capacity.spill;
  // In a crowd one refusal after the other would close all endpoints at once, and the room kept for
  // guarantees would serve nobody (C6). Without guarantees that pause is all that holds a crowd back.
  spill.hysteresis = spill.hysteresis && (!shares || endpoint.kind == policy::CapacityKind::reserved);
  return {endpoint.limits, capacity.estimate, spill, capacity.pacing, capacity.concurrency};
}

policy::EndpointFacts endpoint_facts(const EndpointConfig& endpoint) {
  return {.id = endpoint.id,
          .provider = endpoint.provider,
          .region = endpoint.region,
          .model = endpoint.model,
          .kind = endpoint.kind,
          .price = endpoint.price,
          .context_tokens_max = endpoint.context_tokens_max,
          .output_tokens_max = endpoint.output_tokens_max,
          .boundary = endpoint.boundary,
          .accepts_prefix = endpoint.accepts_prefix};
}

policy::DispatchPolicy dispatch_policy(const Config& config, const std::string& feature) {
  const auto& from = config.features.at(feature);
  policy::DispatchPolicy policy;
  policy.rules.feature = feature;
  policy.rules.hierarchy = from.hierarchy;
  policy.rules.boundary = from.boundary;
  policy.rules.work_class = from.work_class;
  policy.rules.data_class = from.data_class;
  policy.rules.diverts = from.diverts;
  policy.rules.region = config.node.region == "local" ? std::string() : config.node.region;
  for (const auto& score : from.quality)
    policy.rules.quality.push_back(
        {score.model, score.lower, policy::midnight_of(score.expires).value_or(WallTime{})});
  policy.route = from.route;
  policy.retry = from.retry;
  policy.admission = from.admission;
  policy.hedge = from.hedge;
  return policy;
}

policy::QuotaTreePolicy quota_tree_policy(const Config& config) {
  policy::QuotaTreePolicy policy;
  policy.tokens_per_minute = config.node.tokens_per_minute;
  for (const auto& [name, feature] : config.features) {
    auto& share = policy.features[name];
    share.guaranteed_tokens_per_minute = feature.share.guaranteed_tokens_per_minute;
    share.tokens_per_minute_max = feature.share.tokens_per_minute_max;
    for (const auto& [tenant, each] : config.tenants) share.tenant_weights[tenant] = each.weight;
  }
  return policy;
}

}  // namespace troupe::config
