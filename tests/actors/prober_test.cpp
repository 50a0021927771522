// Probes of endpoints that nobody calls: what is sent, what is booked, and that a recovery needs no customer.
#include "actors/prober.hpp"

#include "actors/supervisor.hpp"
#include "tests/support/actor_test.hpp"

namespace troupe::actors::testing {
namespace {

class ProberTest : public ActorTest {
 protected:
  void SetUp() override {
    auto facts = std::make_shared<policy::EndpointFacts>();
    facts->id = "a";
    prober_ = keep(spawn_prober(system_, nullptr, clock_, ledger_probe(books_)));
    tell(prober_, RosterChanged{std::make_shared<Roster>(Roster{{facts, scripted_endpoint(script_), "n"}})});
  }
  std::shared_ptr<EndpointScript> script_ = std::make_shared<EndpointScript>();
  LedgerBooks books_;
  ProberActor prober_;
};

TEST_F(ProberTest, SendsASmallCallAndBooksItApart) {  // F15
  script_->reply = [](const RunAttempt& order) { return answered("a", order); };
  tell(prober_, ProbeDue{"a"});
  ASSERT_EQ(script_->orders.size(), 1u);
  EXPECT_EQ(script_->orders[0].cause, Cause::probe);
  EXPECT_LE(script_->orders[0].request->output_tokens_max, 16);
  ASSERT_EQ(books_.attempts.size(), 1u);
  EXPECT_EQ(books_.attempts[0].row.cause, "probe");
  EXPECT_EQ(books_.attempts[0].row.feature, kProbes) << "no feature pays for it";
  EXPECT_EQ(books_.attempts[0].row.run_id, "");
}

TEST_F(ProberTest, HasOneOutAtATimeAndForgetsOneThatNobodyAnswers) {
  tell(prober_, ProbeDue{"a"});
  tell(prober_, ProbeDue{"a"});
  tell(prober_, ProbeDue{"nobody"});
  EXPECT_EQ(script_->orders.size(), 1u);
  pass(40s, prober_);
  tell(prober_, ProbeDue{"a"});
  EXPECT_EQ(script_->orders.size(), 2u);
}

TEST_F(ProberTest, AsksNothingOfWhatIsStopped) {  // C15
  auto controls = std::make_shared<Published<policy::Controls>>();
  auto facts = std::make_shared<policy::EndpointFacts>();
  facts->id = "a";
  facts->provider = "cloud";
  auto heeding = keep(spawn_prober(system_, nullptr, clock_, ledger_probe(books_), controls));
  tell(heeding, RosterChanged{std::make_shared<Roster>(Roster{{facts, scripted_endpoint(script_), "n"}})});
  policy::Controls orders;
  policy::absorb(orders,
                 policy::Stop{.subject = policy::Subject::provider, .name = "cloud", .stamp = {1, "n"}});
  controls->store(std::make_shared<const policy::Controls>(orders));
  tell(heeding, ProbeDue{"a"});
  EXPECT_TRUE(script_->orders.empty());
  controls->store(std::make_shared<const policy::Controls>());
  tell(heeding, ProbeDue{"a"});
  EXPECT_EQ(script_->orders.size(), 1u);
}

TEST_F(ProberTest, BooksNothingThatWasNotSent) {
  script_->reply = [](const RunAttempt& order) { return no_room("a", order, 1s); };
  tell(prober_, ProbeDue{"a"});
  EXPECT_TRUE(books_.attempts.empty());
}

/// An attempt that goes well as soon as it is looked at.
class WellAttempt final : public HttpAttempt {
 public:
  void cancel() override {}
};

/// A cast of one endpoint that works, and a feature that nobody uses.
class IdleCastTest : public ActorTest {
 protected:
  void open(bool probes) {
    SupervisorConfig config;
    config.node = "n1";
    LocalEndpoint local;
    local.endpoint.facts.id = "a";
    local.endpoint.facts.model = "large";
    local.endpoint.facts.provider = "cloud";
    local.breaker.endpoint = "a";
    local.breaker.policy.probe.enabled = probes;
    local.starter = [this](const RunAttempt& order, HttpAttempt::Ended ended) {
      causes_.push_back(order.cause);
      auto result = answered("a", order);
      result->record.ttft = result->record.total = 100ms;
      ended(std::move(result));
      return std::make_shared<WellAttempt>();
    };
    config.endpoints.push_back(std::move(local));
    Stage stage;
    stage.clock = &clock_;
    stage.ledger = ledger_probe(books_);
    stage.board = board_;
    supervisor_ = keep(spawn_supervisor(system_, std::move(config), std::move(stage)));
    pass(100ms, supervisor_);
    tell(board_->breakers.load()->at("a"), ForceBreaker{policy::BreakerState::open, 1s, "ana", "drill"});
  }
  policy::BreakerState state() {
    auto found = policy::BreakerState::closed;
    tell(supervisor_, GetBoard{[&](std::vector<HealthPtr> board) { found = board.at(0)->state; }});
    return found;
  }
  std::vector<Cause> causes_;
  LedgerBooks books_;
  std::shared_ptr<CastBoard> board_ = std::make_shared<CastBoard>();
  SupervisorActor supervisor_;
};

TEST_F(IdleCastTest, AnEndpointNobodyCallsRecoversByProbesAlone) {  // F15
  open(true);
  ASSERT_EQ(state(), policy::BreakerState::open);
  Duration waited{};
  for (; state() != policy::BreakerState::closed && waited < 3h; waited += 10s) pass(10s, supervisor_);
  EXPECT_EQ(state(), policy::BreakerState::closed);
  std::printf("[ figures  ] an idle endpoint is closed again after %s and %zu probes\n",
              to_human(waited).c_str(), causes_.size());
  for (auto cause : causes_) EXPECT_EQ(cause, Cause::probe);
  EXPECT_EQ(books_.by_cause().at("probe"), static_cast<int>(causes_.size()));
}

TEST_F(IdleCastTest, WithoutProbesItNeverDoes) {
  open(false);
  pass(30min, supervisor_);
  EXPECT_EQ(state(), policy::BreakerState::partial);
  EXPECT_TRUE(causes_.empty());
}

}  // namespace
}  // namespace troupe::actors::testing
