// A dispatcher under a hand-moved clock, and what it has ordered so far.
#pragma once

#include "runtime/base/clock.hpp"
#include "runtime/policy/dispatcher.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace troupe::policy::testing_dispatch {

inline DispatchPolicy usual_policy() {
  DispatchPolicy policy;
  policy.rules = {.feature = "summary", .hierarchy = {"sonnet", "flash"}};
  policy.route.explore_share = 0;
  return policy;
}

inline FactsPtr endpoint_at(std::string provider, CapacityKind kind = CapacityKind::on_demand) {
  EndpointFacts facts{.id = provider + "/" + to_string(kind), .provider = provider, .region = "r"};
  facts.model = "sonnet";
  facts.kind = kind;
  return std::make_shared<const EndpointFacts>(std::move(facts));
}

/// A dispatcher, a clock, and what has been ordered so far.
struct World {
  ManualClock clock;
  Dispatcher dispatcher;
  Actions actions;
  std::vector<std::shared_ptr<HealthView>> health;
  std::uint64_t last_call = 0;

  explicit World(std::vector<FactsPtr> endpoints, DispatchPolicy policy = usual_policy())
      : dispatcher(std::move(policy), 1, clock.now()) {
    auto count = endpoints.size();
    dispatcher.set_endpoints(std::move(endpoints));
    for (std::uint32_t i = 0; i < count; ++i) {
      health.push_back(std::make_shared<HealthView>());
      dispatcher.set_health(i, health[i]);
    }
  }
  Moment moment() const { return {clock.now(), clock.wall()}; }
  CallFacts facts(Duration deadline = std::chrono::seconds(60)) {
    CallFacts call;
    call.id = ++last_call;
    call.tenant = "t";
    call.input_tokens = 100;
    call.output_tokens = 50;
    call.output_tokens_max = 100;
    call.deadline = clock.now() + deadline;
    return call;
  }
  std::uint64_t call(Duration deadline = std::chrono::seconds(60)) {
    dispatcher.on_call(facts(deadline), moment(), actions);
    return last_call;
  }
  void ended(std::uint64_t attempt, std::optional<Error> error = std::nullopt, bool content = false) {
    dispatcher.on_ended(
        {.id = attempt, .error = std::move(error), .ttft = std::chrono::seconds(1), .content_seen = content},
        moment(), actions);
  }
  void refused(std::uint64_t attempt) {
    dispatcher.on_ended({.id = attempt, .error = make_error(Errc::rate_limited, "full"), .not_sent = true},
                        moment(), actions);
  }
  void pass(Duration d) {
    clock.pass(d);
    dispatcher.on_tick(moment(), actions);
  }
  /// The only attempt ordered since the last look.
  AttemptOrder sent() {
    EXPECT_EQ(actions.send.size(), 1u);
    auto order = actions.send.empty() ? AttemptOrder{} : actions.send.back();
    actions.clear();
    return order;
  }
};

}  // namespace troupe::policy::testing_dispatch
