// Emergency stops and revoked sign-offs under load: no request is begun after the order (B4, C15).
#include "runtime/base/clock.hpp"
#include "runtime/base/rng.hpp"
#include "runtime/policy/controls.hpp"
#include "runtime/policy/dispatcher.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

namespace troupe::policy {
namespace {

using namespace std::chrono_literals;

// Two models at two providers each; an eighth of all attempts fail and are tried elsewhere.
struct LoadedWorld {
  ManualClock clock;
  std::optional<Dispatcher> dispatcher;
  Actions actions;
  std::vector<FactsPtr> endpoints;
  std::vector<std::uint64_t> out;
  std::vector<int> sent;
  Controls controls;
  Rng rng{11};
  std::uint64_t last_call = 0;

  LoadedWorld() {
    DispatchPolicy policy;
    policy.rules.feature = "recap";
    policy.rules.hierarchy = {"large", "small"};
    policy.rules.data_class = "customer";
    policy.admission.running_max = 0;
    dispatcher.emplace(std::move(policy), 1, clock.now());
    controls.sign_offs.add(Checklist{"customer", {"legal"}, {}});
    for (const char* provider : {"aws", "gcp"}) {
      controls.sign_offs.add(SignOff{Signed::provider, provider, "legal", {}, {}, {}});
      for (const char* model : {"large", "small"}) {
        EndpointFacts facts;
        facts.id = std::string(provider) + "-" + model;
        facts.provider = provider;
        facts.region = "r";
        facts.model = model;
        endpoints.push_back(std::make_shared<const EndpointFacts>(std::move(facts)));
      }
    }
    sent.resize(endpoints.size());
    dispatcher->set_endpoints(endpoints);
    for (std::uint32_t i = 0; i < endpoints.size(); ++i)
      dispatcher->set_health(i, std::make_shared<HealthView>());
    publish();
  }
  Moment moment() const { return {clock.now(), clock.wall()}; }
  void publish() { dispatcher->set_controls(std::make_shared<const Controls>(controls)); }
  void stop(Subject subject, std::string name) {
    absorb(controls, Stop{.subject = subject, .name = std::move(name), .stamp = {controls.epoch + 1, "n"}});
    publish();
    std::fill(sent.begin(), sent.end(), 0);
  }
  void take_actions() {
    for (const auto& order : actions.send) {
      ++sent[order.endpoint];
      out.push_back(order.id);
    }
    actions.clear();
  }
  // One step: a call arrives, one that is out ends, time passes.
  void step() {
    CallFacts call;
    call.id = ++last_call;
    call.tenant = "t";
    call.input_tokens = 100;
    call.output_tokens = call.output_tokens_max = 50;
    call.deadline = clock.now() + 60s;
    dispatcher->on_call(call, moment(), actions);
    take_actions();
    if (!out.empty()) {
      std::swap(out[rng.below(out.size())], out.back());
      AttemptReport report;
      report.id = out.back();
      out.pop_back();
      if (rng.below(8) == 0) report.error = make_error(Errc::transient_server, "by script");
      dispatcher->on_ended(report, moment(), actions);
      take_actions();
    }
    clock.pass(10ms);
    dispatcher->on_tick(moment(), actions);
    take_actions();
  }
  void run(int steps) {
    for (int i = 0; i < steps; ++i) step();
  }
  int sent_where(auto matches) const {
    int sum = 0;
    for (std::size_t i = 0; i < endpoints.size(); ++i)
      if (matches(*endpoints[i])) sum += sent[i];
    return sum;
  }
};

TEST(EmergencyStop, OfAnEndpointBeginsNothingThereAnyMoreThoughRetriesHadPlannedIt) {
  LoadedWorld world;
  world.run(300);
  auto there = [](const EndpointFacts& facts) { return facts.id == "gcp-large"; };
  EXPECT_GT(world.sent_where(there), 0);  // without the order
  world.stop(Subject::endpoint, "gcp-large");
  world.run(300);
  EXPECT_EQ(world.sent_where(there), 0);
  EXPECT_GT(world.sent_where([](const EndpointFacts&) { return true; }), 100);
}

TEST(EmergencyStop, OfAModelOrAProviderLeavesTheOthers) {
  LoadedWorld world;
  world.run(300);
  world.stop(Subject::model, "large");
  world.run(300);
  EXPECT_EQ(world.sent_where([](const EndpointFacts& facts) { return facts.model == "large"; }), 0);
  world.stop(Subject::provider, "aws");
  world.run(300);
  EXPECT_EQ(world.sent_where([](const EndpointFacts& facts) { return facts.provider == "aws"; }), 0);
  EXPECT_GT(world.sent_where([](const EndpointFacts& facts) { return facts.provider == "gcp"; }), 100);
}

TEST(EmergencyStop, OfTheFeatureBeginsNothingAtAll) {
  LoadedWorld world;
  world.run(300);
  world.stop(Subject::feature, "recap");
  world.run(300);
  EXPECT_EQ(world.sent_where([](const EndpointFacts&) { return true; }), 0);
}

TEST(EmergencyStop, ARevokedSignOffStopsNewRequestsWithTheNextSnapshot) {  // B4
  LoadedWorld world;
  world.run(300);
  world.stop(Subject::sign_off, "legal:provider:aws");
  world.run(300);
  EXPECT_EQ(world.sent_where([](const EndpointFacts& facts) { return facts.provider == "aws"; }), 0);
  EXPECT_GT(world.sent_where([](const EndpointFacts& facts) { return facts.provider == "gcp"; }), 100);
}

}  // namespace
}  // namespace troupe::policy
