// A supervisor with two endpoints and a feature, whose providers answer when the test says so.
#pragma once

#include "actors/supervisor.hpp"
#include "tests/support/actor_test.hpp"

namespace troupe::actors::testing {

class IdleAttempt final : public HttpAttempt {
 public:
  void cancel() override {}
};

class SupervisorTest : public ActorTest {
 protected:
  void open() {
    SupervisorConfig config;
    config.node = "n1";
    config.restarts_max = 3;
    for (const char* id : {"a", "b"}) config.endpoints.push_back(local(id));
    config.features.push_back(recap());
    if (with_second_feature_) config.features.push_back(recap("chat"));
    if (!shadow_model_.empty()) add_shadow(config);
    config.peers = peers_;
    Stage stage;
    stage.clock = &clock_;
    stage.gateway = gateway_;
    stage.ledger = ledger_probe(books_);
    stage.board = board_;
    supervisor_ = keep(spawn_supervisor(system_, std::move(config), std::move(stage)));
    run();
    pass(100ms);
  }
  FeatureConfig recap(const std::string& name = "recap") {
    FeatureConfig feature;
    feature.dispatch.rules = {.feature = name, .hierarchy = {"large"}};
    feature.shadows = {board_, &board_->shadows};
    return feature;
  }
  void add_shadow(SupervisorConfig& config) {
    config.endpoints.push_back(local("c"));
    config.endpoints.back().endpoint.facts.model = shadow_model_;
    FeatureShadow shadow;
    shadow.config.feature = "recap";
    shadow.config.model = shadow_model_;
    shadow.config.policy = {.share = 1, .tokens_per_hour = 1'000'000, .usd_per_hour = 1, .in_flight_max = 9};
    shadow.report = std::make_shared<Published<policy::ParityReport>>();
    config.shadows.push_back(std::move(shadow));
    config.controls = std::make_shared<Published<policy::Controls>>();
  }
  LocalEndpoint local(const std::string& id) {
    LocalEndpoint local;
    local.endpoint.facts.id = id;
    local.endpoint.facts.model = "large";
    local.endpoint.facts.provider = "cloud " + id;
    local.breaker.endpoint = id;
    if (healthy_.ttft_p90 > 0) {
      local.breaker.cell = std::make_shared<BreakerCell>();
      policy::BreakerMemory memory;
      memory.healthy = healthy_;
      local.breaker.cell->store(std::make_shared<const BreakerKnown>(memory, clock_.wall()));
    }
    local.starter = [this, id](const RunAttempt& order, HttpAttempt::Ended ended) {
      orders_[id].push_back({order, std::move(ended)});
      return std::make_shared<IdleAttempt>();
    };
    return local;
  }
  void pass(Duration span) { ActorTest::pass(span, supervisor_); }
  EndpointActor endpoint(const std::string& id) {
    auto all = board_->endpoints.load();
    auto it = all->find(id);
    return it == all->end() ? EndpointActor() : it->second;
  }
  void change(CastChange change) {
    tell(supervisor_, ChangeCast{std::make_shared<const CastChange>(std::move(change))});
  }
  FeatureQueueActor queue(const std::string& feature = "recap") { return board_->queues.load()->at(feature); }
  std::shared_ptr<std::vector<CallResult>> ask(Duration deadline = 10s) {
    auto answers = std::make_shared<std::vector<CallResult>>();
    auto call = std::make_shared<Call>();
    auto request = question("hello");
    request.deadline = deadline;
    call->request = std::make_shared<const CompletionRequest>(std::move(request));
    call->done = [answers](CallResult result) { answers->push_back(std::move(result)); };
    tell(queue(), CallPtr(std::move(call)));
    return answers;
  }
  template <class Handle>
  static bool gone(const Handle& actor) {
    return caf::actor_cast<caf::abstract_actor*>(actor)->getf(caf::abstract_actor::is_terminated_flag);
  }
  std::size_t sent() { return orders_["a"].size() + orders_["b"].size(); }
  /// How long until the endpoint is back, looking every 50 ms.
  Duration back_after(const std::string& id, Duration patience = 10s) {
    Duration waited{};
    for (; !endpoint(id) && waited < patience; waited += 50ms) pass(50ms);
    return waited;
  }
  std::map<std::string, HealthPtr> health() {
    std::map<std::string, HealthPtr> out;
    tell(supervisor_, GetBoard{[&](std::vector<HealthPtr> board) {
           for (auto& view : board) out[view->endpoint] = view;
         }});
    return out;
  }

  struct Order {
    RunAttempt order;
    HttpAttempt::Ended ended;
  };
  /// Other nodes, and the way to them.
  std::vector<RemotePeer> peers_;
  transport::Gateway* gateway_ = nullptr;
  std::string shadow_model_;
  bool with_second_feature_ = false;
  /// What breakers know of their endpoints from before.
  policy::HealthyFigures healthy_;
  std::map<std::string, std::vector<Order>> orders_;
  LedgerBooks books_;
  std::shared_ptr<CastBoard> board_ = std::make_shared<CastBoard>();
  SupervisorActor supervisor_;
};

}  // namespace troupe::actors::testing
