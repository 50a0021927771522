#include "replay/clouds.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::replay {
namespace {

config::SimulatedEndpoint default_model(const config::EndpointConfig& endpoint) {
  config::SimulatedEndpoint model;
  model.name = endpoint.id;
  model.region = endpoint.region;
  model.limits = endpoint.limits;
  model.context_tokens_max = endpoint.context_tokens_max;
  return model;
}

bool concerns(const config::SharedFault& fault, const config::EndpointConfig& endpoint,
              const config::SimulatedEndpoint& model) {
  bool provider = fault.provider.empty() || fault.provider == endpoint.provider ||
                  fault.provider == config::provider_of(model);
  bool region = fault.region.empty() || fault.region == endpoint.region || fault.region == model.region;
  return provider && region;
}

void add_incident(Clouds& clouds, std::string label, std::vector<std::uint32_t> endpoints,
                  const config::Fault& fault) {
  if (endpoints.empty() || clouds.incidents.size() >= incidents_max) return;
  bool once = fault.every == Duration{};
  clouds.incidents.push_back(
      {std::move(label), std::move(endpoints), fault.from, once ? fault.to : Duration{}});
}

void add_own_incidents(Clouds& clouds, std::uint32_t index) {
  const auto& endpoint = clouds.config.endpoints.list[index];
  for (const auto& fault : clouds.models[index].faults)
    add_incident(clouds, fmt::format("{} {}", endpoint.id, config::to_string(fault.kind)), {index}, fault);
}

void add_shared(Clouds& clouds, const config::SharedFault& shared) {
  std::vector<std::uint32_t> struck;
  for (std::uint32_t i = 0; i < clouds.models.size(); ++i)
    if (concerns(shared, clouds.config.endpoints.list[i], clouds.models[i])) {
      clouds.models[i].faults.push_back(shared.fault);
      struck.push_back(i);
    }
  auto where =
      shared.provider + (shared.provider.empty() || shared.region.empty() ? "" : " ") + shared.region;
  auto label =
      fmt::format("{} {}", where.empty() ? "everything" : where, config::to_string(shared.fault.kind));
  add_incident(clouds, std::move(label), std::move(struck), shared.fault);
}

// A bucket of its own for input and output, both a multiple of the trace's mean.
policy::QuotaPolicy sized(const TraceFacts& facts, double factor) {
  policy::QuotaPolicy limits;
  limits.input_tokens_per_minute = std::max(1.0, facts.input_per_minute() * factor);
  limits.output_tokens_per_minute = std::max(1.0, facts.output_per_minute() * factor);
  return limits;
}

// An hour of the reserved capacity costs what this share of its tokens would on demand. An assumption: what
// a unit of capacity carries, no vendor publishes.
constexpr double kBreakEvenUse = 0.6;

void price_reserved(config::EndpointConfig& endpoint, const policy::Price& on_demand) {
  double per_minute = endpoint.limits.input_tokens_per_minute * on_demand.input +
                      endpoint.limits.output_tokens_per_minute * on_demand.output;
  endpoint.reserved.units = 1;
  endpoint.reserved.usd_per_hour = kBreakEvenUse * per_minute * 60 / 1e6;
}

void size_endpoint(config::EndpointConfig& endpoint, const TraceFacts& facts) {
  constexpr double on_demand_factor = 2;
  bool reserved = endpoint.kind == policy::CapacityKind::reserved;
  bool large = endpoint.model == "llama-70b";
  endpoint.breaker = {};
  endpoint.limits = {};
  if (reserved) endpoint.limits = sized(facts, 1);
  if (reserved || !large) return;
  endpoint.limits = sized(facts, on_demand_factor);
  // Its cloud holds back all that a request allows, so we must too.
  endpoint.limits.reserve_output_max = true;
}

void size_model(config::SimulatedEndpoint& model, const config::EndpointConfig& endpoint) {
  model.faults.clear();
  model.limits = {};
  if (endpoint.kind != policy::CapacityKind::reserved) {
    model.limits = endpoint.limits;
    return;
  }
  model.capacity.law = config::CapacityLaw::bedrock_provisioned;
  model.capacity.units = 1;
  model.capacity.unit_input_tokens_per_minute = endpoint.limits.input_tokens_per_minute;
  model.capacity.unit_output_tokens_per_minute = endpoint.limits.output_tokens_per_minute;
}

}  // namespace

Result<Clouds> make_clouds(config::Config config) {
  Clouds clouds;
  clouds.config = std::move(config);
  const auto& list = clouds.config.endpoints.list;
  if (list.empty() || clouds.config.features.empty())
    return fail(Errc::bad_config, "a replay needs endpoints and features");
  if (list.size() > endpoints_max)
    return fail(Errc::bad_config, fmt::format("a replay takes at most {} endpoints", endpoints_max));
  const auto& simulated = clouds.config.simulator.endpoints;
  for (const auto& endpoint : list) {
    auto it = std::ranges::find(simulated, endpoint.id, &config::SimulatedEndpoint::name);
    clouds.models.push_back(it == simulated.end() ? default_model(endpoint) : *it);
  }
  for (std::uint32_t i = 0; i < clouds.models.size(); ++i) add_own_incidents(clouds, i);
  for (const auto& shared : clouds.config.simulator.faults) add_shared(clouds, shared);
  return clouds;
}

Result<Clouds> demo_clouds(const TraceFacts& facts) {
  auto config = config::demo_config();
  config.simulator.scale = 1;
  config.simulator.faults.clear();
  for (auto& endpoint : config.endpoints.list) size_endpoint(endpoint, facts);
  for (auto& reserved : config.endpoints.list)
    for (const auto& other : config.endpoints.list)
      if (reserved.kind == policy::CapacityKind::reserved && other.kind != policy::CapacityKind::reserved &&
          other.model == reserved.model && reserved.reserved.units <= 0)
        price_reserved(reserved, other.price);
  for (auto& model : config.simulator.endpoints)
    for (const auto& endpoint : config.endpoints.list)
      if (endpoint.id == model.name) size_model(model, endpoint);
  // What one node can carry is not what is asked here.
  for (auto& [name, feature] : config.features) feature.admission.running_max = 0;
  return make_clouds(std::move(config));
}

}  // namespace troupe::replay
