#include "replay/policies.hpp"

#include "replay/baselines.hpp"
#include "replay/troupe_steering.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace troupe::replay {
namespace {

using policy::Pools;

struct Ablation {
  const char* name;
  const char* sentence;
  void (*on_endpoint)(config::EndpointConfig&);
  void (*on_feature)(config::FeatureConfig&);
  /// Features share what node.tokens_per_minute gives, and leave room to better classes.
  bool shares = true, kept_room = true;
};

constexpr auto kNoEndpoint = [](config::EndpointConfig&) {};
constexpr auto kNoFeature = [](config::FeatureConfig&) {};

void judge_errors_only(config::EndpointConfig& endpoint) {
  auto& breaker = endpoint.breaker;
  breaker.ttft_p90_max = breaker.itl_p90_max = breaker.total_p90_max = {};
  breaker.ttft_ratio_max = breaker.itl_ratio_max = breaker.total_ratio_max = breaker.stall_ratio_max = 0;
  breaker.feedback_ratio_max = 0;
}

const std::array kAblations{
    Ablation{"troupe", "the live routing layer as configured", kNoEndpoint, kNoFeature},
    Ablation{"troupe-no-breaker", "breakers never trip",
             [](config::EndpointConfig& e) { e.breaker.enabled = false; }, kNoFeature},
    Ablation{"troupe-error-rate-only",
             "breakers look at failures alone, not at latency, hanging calls or feedback", judge_errors_only,
             kNoFeature},
    Ablation{"troupe-no-feedback", "breakers do not look at customers' ratings",
             [](config::EndpointConfig& e) { e.breaker.feedback_ratio_max = 0; }, kNoFeature},
    Ablation{"troupe-no-peers", "slow calls count as sickness also where all endpoints are slow",
             [](config::EndpointConfig& e) { e.breaker.peers_well_min = 0; }, kNoFeature},
    Ablation{"troupe-no-ramp", "after the cool-down all traffic returns at once",
             [](config::EndpointConfig& e) { e.breaker.ramp = {1}; }, kNoFeature},
    Ablation{"troupe-no-spillover", "reserved capacity is waited for", kNoEndpoint,
             [](config::FeatureConfig& f) { f.route.spillover = false; }},
    Ablation{"troupe-no-headroom", "endpoints' limits are not known: capacity is left only after a 429",
             [](config::EndpointConfig& e) { e.limits = {}; }, kNoFeature},
    Ablation{"troupe-no-estimate", "the largest possible output is reserved instead of an estimate",
             [](config::EndpointConfig& e) { e.capacity.estimate.enabled = false; }, kNoFeature},
    Ablation{"troupe-no-fallback", "one endpoint per call, no second try elsewhere", kNoEndpoint,
             [](config::FeatureConfig& f) { f.route.fallback = false; }},
    Ablation{"troupe-no-retry-budget", "every extra attempt is allowed", kNoEndpoint,
             [](config::FeatureConfig& f) { f.retry.enabled = false; }},
    Ablation{"troupe-no-exploration", "endpoints nobody has measured lately are left alone", kNoEndpoint,
             [](config::FeatureConfig& f) { f.route.explore_share = 0; }},
    Ablation{"troupe-no-hedge", "no second attempt beside a slow one", kNoEndpoint,
             [](config::FeatureConfig& f) { f.hedge.enabled = false; }},
    Ablation{"troupe-no-shares", "features take what they can get: no guarantees, no room kept", kNoEndpoint,
             kNoFeature, false},
    Ablation{"troupe-no-kept-room", "shares are kept, but no room for better classes", kNoEndpoint,
             kNoFeature, true, false},
    Ablation{"troupe-no-ageing", "who has waited long gets nothing more for it", kNoEndpoint,
             [](config::FeatureConfig& f) { f.admission.ageing_share = 1; }},
    Ablation{"troupe-no-in-time", "what can no longer be done in time is sent all the same", kNoEndpoint,
             [](config::FeatureConfig& f) { f.admission.finish_share = 0; }},
    Ablation{"troupe-reserved-only", "on-demand capacity is never used", kNoEndpoint,
             [](config::FeatureConfig& f) { f.route.pools = Pools::reserved_only; }},
    Ablation{"troupe-on-demand-only", "reserved capacity is never used", kNoEndpoint,
             [](config::FeatureConfig& f) { f.route.pools = Pools::on_demand_only; }},
};

std::unique_ptr<Steering> ablated(const Ablation& ablation, const Clouds& clouds,
                                  const std::vector<std::string>& features, std::uint64_t seed, Instant start,
                                  WallTime wall) {
  auto config = clouds.config;
  for (auto& endpoint : config.endpoints.list) ablation.on_endpoint(endpoint);
  for (auto& [name, feature] : config.features) ablation.on_feature(feature);
  if (!ablation.shares) config.node.tokens_per_minute = 0;
  return make_troupe(config, features, seed, start, wall, ablation.kept_room);
}

std::vector<PolicyName> list_policies() {
  std::vector<PolicyName> names{{kAblations[0].name, kAblations[0].sentence}};
  for (auto kind :
       {Baseline::round_robin, Baseline::static_primary, Baseline::fallback_on_429, Baseline::least_latency})
    names.push_back({name_of(kind), sentence_of(kind)});
  for (std::size_t i = 1; i < kAblations.size(); ++i)
    names.push_back({kAblations[i].name, kAblations[i].sentence});
  return names;
}

bool known_policy(const std::string& name) {
  return std::ranges::find(policy_names(), name, &PolicyName::name) != policy_names().end();
}

}  // namespace

const std::vector<PolicyName>& policy_names() {
  static const auto names = list_policies();
  return names;
}

Result<std::vector<std::string>> parse_policies(const std::string& text) {
  std::vector<std::string> names;
  std::size_t from = 0;
  while (from <= text.size()) {
    auto to = std::min(text.find(',', from), text.size());
    auto name = text.substr(from, to - from);
    from = to + 1;
    if (name == "all") {
      for (const auto& each : policy_names()) names.push_back(each.name);
      continue;
    }
    if (!known_policy(name)) {
      std::string known = "all";
      for (const auto& each : policy_names()) known += ", " + each.name;
      return fail(Errc::invalid_input, fmt::format("no policy \"{}\"; there are {}", name, known));
    }
    names.push_back(std::move(name));
  }
  return names;
}

Result<std::unique_ptr<Steering>> make_policy(const std::string& name, const Clouds& clouds,
                                              const std::vector<std::string>& features, std::uint64_t seed,
                                              Instant start, WallTime wall) {
  auto world = world_of(clouds, features);
  for (std::size_t i = 0; i < features.size(); ++i)
    if (world.features[i].empty())
      return fail(Errc::bad_config, "no endpoint serves the feature " + features[i]);
  if (auto kind = baseline_from(name)) return make_baseline(*kind, std::move(world), seed);
  for (const auto& ablation : kAblations)
    if (ablation.name == name) return ablated(ablation, clouds, features, seed, start, wall);
  return fail(Errc::invalid_input, "no policy " + name);
}

}  // namespace troupe::replay
