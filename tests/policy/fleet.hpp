// A handful of endpoints, and the plan for a request among them.
#pragma once

#include "runtime/policy/controls.hpp"
#include "runtime/policy/router.hpp"

#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace troupe::policy::testing {

inline constexpr WallTime noon{1'700'000'000'000};

struct Fleet {
  std::deque<EndpointFacts> facts;
  std::vector<std::shared_ptr<HealthView>> health;
  RouteRules rules{.feature = "summary", .hierarchy = {"sonnet", "flash"}};
  ControlsPtr controls;

  /// Measured just now, unless the test says otherwise.
  HealthView& add(EndpointFacts f) {
    f.id = f.provider + "/" + f.region + "/" + f.model + "/" + to_string(f.kind);
    facts.push_back(std::move(f));
    health.push_back(std::make_shared<HealthView>());
    health.back()->measured = noon;
    return *health.back();
  }
  Router router(const RoutePolicy& policy = {}) const {
    Router router(rules, policy);
    std::vector<FactsPtr> endpoints;
    for (const auto& each : facts) endpoints.push_back(std::make_shared<const EndpointFacts>(each));
    router.set_endpoints(std::move(endpoints));
    for (std::size_t i = 0; i < health.size(); ++i) router.set_health(i, health[i]);
    router.set_controls(controls);
    return router;
  }
  RoutePlan plan(const RouteRequest& request, const RoutePolicy& policy = {}) const {
    RoutePlan plan;
    router(policy).plan(request, {}, noon, plan);
    return plan;
  }
  std::string words(const Remark& remark, std::size_t endpoint) const {
    return words_of(remark, facts[endpoint], health[endpoint].get());
  }
  std::string reason(const Planned& planned) const { return words(planned.remark, planned.endpoint); }
  std::string reason(const PassedOver& passed) const { return words(passed.remark, passed.endpoint); }
};

inline std::vector<std::size_t> order(const RoutePlan& plan) {
  std::vector<std::size_t> indexes;
  for (const auto& planned : plan.order) indexes.push_back(planned.endpoint);
  return indexes;
}

inline const RouteRequest small_request{
    .input_tokens = 1000, .output_tokens = 200, .output_tokens_max = 400, .draw = 0.7};
inline EndpointFacts reserved_sonnet() {
  return {.provider = "bedrock", .region = "us-east-1", .model = "sonnet", .kind = CapacityKind::reserved};
}
inline EndpointFacts sonnet(std::string provider = "bedrock", std::string region = "us-east-1") {
  return {.provider = std::move(provider), .region = std::move(region), .model = "sonnet"};
}
inline EndpointFacts flash(std::string provider = "vertex") {
  return {.provider = std::move(provider), .region = "us-central1", .model = "flash"};
}

}  // namespace troupe::policy::testing
