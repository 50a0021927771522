// A new model from the reload that brings it to all customers, with the real cast on a virtual clock: how
// long it takes by itself, and what customers notice (C13).
#include "actors/rollout.hpp"

#include "runtime/base/rng.hpp"
#include "tests/actors/cast_world.hpp"
#include "tests/actors/judge_world.hpp"

#include <cmath>
#include <cstdio>

namespace troupe::actors::testing {
namespace {

class UpgradeTest : public ActorTest {
 protected:
  UpgradeTest() {
    rule_.name = "to-new";
    rule_.feature = "recap";
    rule_.model = "new";
    rule_.policy.after_copies = 500;
    // A margin that a few hundred calls can decide; with the default of one point thousands are needed.
    rule_.policy.failure_margin = 0.05;
  }
  void SetUp() override {
    auto nobody = [](const std::string&, std::string) {};
    ControlsConfig controls;
    controls.node = "n1";
    controls_ = keep(spawn_controls(system_, nullptr, std::move(controls),
                                    ControlsStage{&clock_, nullptr, nobody, orders_}));
    rollouts_ = keep(spawn_rollouts(system_, nullptr, {"n1", {}, 1s},
                                    RolloutActorStage{&clock_, orders_, controls_, nobody}));
    SupervisorConfig cast;
    cast.node = "n1";
    cast.endpoints = {endpoint("a", "old"), endpoint("b", "old"), endpoint("j", "wise")};
    cast.features = {feature({"old"}, {}), judge()};
    cast.controls = orders_;
    supervisor_ = keep(spawn_supervisor(system_, std::move(cast),
                                        {nullptr, nullptr, &clock_, nullptr, ledger_probe(books_), board_}));
    run();
    span(10s);
  }
  LocalEndpoint endpoint(const std::string& id, const std::string& model) {
    LocalEndpoint local;
    local.endpoint.facts.id = id;
    local.endpoint.facts.model = model;
    local.endpoint.facts.provider = "cloud " + id;
    local.endpoint.facts.price = {.input = 1000, .output = 1000};
    local.breaker.endpoint = id;
    local.starter = [this, id, model](const RunAttempt& order, HttpAttempt::Ended ended) {
      double failure = model == "new" ? new_fails_ : 0.0;
      auto result =
          rng_.uniform() < failure ? failed(id, order, Errc::transient_server) : answered(id, order);
      result->record.ttft = from_seconds(0.3 * std::exp(0.1 * rng_.normal()));
      result->record.total = 2 * result->record.ttft;
      result->record.usage.output = 3 + static_cast<std::int64_t>(rng_.below(5));
      if (!result->error) result->completion = text_answer(said_by(model, *order.request));
      auto due = clock_.now() + result->record.total;
      pending_.emplace(due, Pending{std::move(ended), std::move(result)});
      if (order.cause == Cause::primary) ++primaries_[model];
      return std::make_shared<IdleAttempt>();
    };
    return local;
  }
  // One answer in ten is bad, and of a new model that is worse some more; who is wise sees which.
  std::string said_by(const std::string& model, const CompletionRequest& request) {
    if (model == "wise") return honest(request);
    bool bad = rng_.uniform() < 0.1 || (model == "new" && rng_.uniform() < new_worse_);
    return (bad ? "bad " : "good ") + std::to_string(rng_.below(1'000'000));
  }
  FeatureConfig judge() {
    FeatureConfig feature;
    feature.dispatch.rules = {
        .feature = "judge", .hierarchy = {"wise"}, .work_class = policy::WorkClass::batch};
    return feature;
  }
  FeatureConfig feature(std::vector<std::string> hierarchy, std::vector<policy::RolloutRule> rules) {
    FeatureConfig feature;
    feature.dispatch.rules = {.feature = "recap", .hierarchy = std::move(hierarchy)};
    feature.shadows = {board_, &board_->shadows};
    feature.controls = orders_;
    feature.leads = std::make_shared<const policy::LeadRules>(policy::LeadRules{{}, std::move(rules)});
    feature.rollouts = rollouts_;
    return feature;
  }
  /// What Node::reload makes of the new file: the one thing that a person asks for.
  void reload() {
    FeatureShadow shadow;
    shadow.config.feature = "recap";
    shadow.config.model = "new";
    shadow.config.policy = {
        .share = 0.1, .tokens_per_hour = 10'000'000, .usd_per_hour = 100, .in_flight_max = 50};
    shadow.report = std::make_shared<Published<policy::ParityReport>>();
    shadow.shown = std::make_shared<Published<policy::TwoSides>>();
    shadow.judged = judged_;
    if (with_judge_)
      shadow.config.judge = JudgeActorConfig{.feature = "judge",
                                             .policy = {.share = 1, .usd_per_day = 1e6, .in_flight_max = 50}};
    CastChange change;
    change.endpoints = {endpoint("c", "new"), endpoint("d", "new")};
    change.shadows = {shadow};
    change.features = {feature({"old", "new"}, {rule_})};
    caf::anon_send(rollouts_, RolloutsChanged{{{rule_, "n1", shadow.shown, judged_}}, {}});
    tell(supervisor_, ChangeCast{std::make_shared<const CastChange>(std::move(change))});
  }
  // Twenty calls a second of many tenants.
  void span(Duration time) {
    for (; time > Duration::zero(); time -= 100ms) {
      clock_.pass(100ms);
      for (int i = 0; i < 2 && serving_; ++i) ask();
      while (!pending_.empty() && pending_.begin()->first <= clock_.now()) {
        auto due = pending_.extract(pending_.begin());
        due.mapped().ended(std::move(due.mapped().result));
      }
      caf::anon_send(supervisor_, Tick{});
      caf::anon_send(controls_, Tick{});
      caf::anon_send(rollouts_, Tick{});
      run();
      most_ = std::max(most_, share());
      if (most_ > 0 && shares_.back() != most_) shares_.push_back(most_);
    }
  }
  void ask() {
    auto request = question("hello");
    request.tenant = "T" + std::to_string(rng_.below(100'000));
    auto call = std::make_shared<Call>();
    call->request = std::make_shared<const CompletionRequest>(std::move(request));
    call->done = [this](const CallResult& result) { ++(result.completion ? answered_ : failed_); };
    caf::anon_send(board_->queues.load()->at("recap"), CallPtr(std::move(call)));
  }
  double share() const {
    auto known = orders_->load();
    const auto* share = known->share_of("to-new");
    return share != nullptr ? share->share : 0;
  }
  /// For people: how it stands, with its gates.
  std::string status() {
    std::string told;
    tell(rollouts_, RolloutCommand{"to-new", "status", {}, {}, [&](const auto& said) { told = *said; }});
    return told;
  }
  std::string state() const {
    auto known = orders_->load();
    const auto* share = known->share_of("to-new");
    return share != nullptr ? to_string(share->state) : "not begun";
  }

  struct Pending {
    HttpAttempt::Ended ended;
    std::shared_ptr<AttemptResult> result;
  };
  policy::RolloutRule rule_;
  Rng rng_{11};
  std::multimap<Instant, Pending> pending_;
  std::shared_ptr<Published<policy::Controls>> orders_ = std::make_shared<Published<policy::Controls>>();
  std::shared_ptr<CastBoard> board_ = std::make_shared<CastBoard>();
  LedgerBooks books_;
  ControlsActor controls_;
  RolloutActor rollouts_;
  SupervisorActor supervisor_;
  std::map<std::string, int> primaries_;
  std::vector<double> shares_{0};
  std::shared_ptr<Published<policy::JudgeTally>> judged_ = std::make_shared<Published<policy::JudgeTally>>();
  double new_fails_ = 0, new_worse_ = 0, most_ = 0;
  bool with_judge_ = false;
  int answered_ = 0, failed_ = 0;
  bool serving_ = true;
};

TEST_F(UpgradeTest, ReachesAllCustomersWithinADayWithoutOneMoreWord) {
  auto began = clock_.now();
  reload();
  while ((state() == "running" || state() == "not begun") && clock_.now() - began < 24h) span(10s);
  auto took = clock_.now() - began;
  std::printf("upgrade: done after %.1f virtual minutes at 20 calls/s, %d calls answered, %d failed\n",
              seconds(took) / 60, answered_, failed_);
  ASSERT_EQ(state(), "done") << status();
  EXPECT_LT(took, 24h);
  EXPECT_GT(took, 40min) << "four stages of ten minutes each at least";
  EXPECT_EQ(shares_, (std::vector<double>{0, 0.01, 0.05, 0.1, 1}));
  EXPECT_EQ(failed_, 0);
  auto before = primaries_["old"];
  span(1min);
  EXPECT_EQ(primaries_["old"], before) << "everyone is on the new model";
}

TEST_F(UpgradeTest, AModelThatFailsNowAndThenIsGivenToNobody) {
  new_fails_ = 0.15;
  reload();
  span(30min);
  EXPECT_EQ(most_, 0) << state();
  EXPECT_EQ(failed_, 0);
  EXPECT_EQ(primaries_["new"], 0);
  EXPECT_GT(books_.by_cause()["shadow"], 30);
}

TEST_F(UpgradeTest, AModelWhoseAnswersAreWorseIsGivenToNobody) {  // L7
  new_worse_ = 0.3;
  with_judge_ = true;
  reload();
  span(15min);
  EXPECT_EQ(state(), "rolled_back") << status();
  EXPECT_EQ(most_, 0);
  EXPECT_EQ(primaries_["new"], 0);
  EXPECT_EQ(failed_, 0);
  auto told = *parse_json(status());
  EXPECT_NE(get_string(told, "why").find("quality"), std::string::npos) << status();
  EXPECT_GT(get_double(told, "judged"), 30);
  EXPECT_EQ(get_double(*find(told, "judge"), "agreement"), 1);
  EXPECT_EQ(books_.by_cause()["judge"], static_cast<int>(judged_->load()->calls.at("wise")));
  for (const auto& each : books_.attempts)
    EXPECT_EQ(each.row.cause == "judge", each.row.tenant == kJudgeTenant) << each.row.cause;
}

// Nothing else tells: the same model fails no more often, and is as quick.
TEST_F(UpgradeTest, WithoutAJudgeTheModelWhoseAnswersAreWorseReachesEveryone) {
  new_worse_ = 0.3;
  reload();
  auto began = clock_.now();
  while (state() != "done" && clock_.now() - began < 3h) span(10s);
  EXPECT_EQ(state(), "done");
}

TEST_F(UpgradeTest, AJudgedTwinArrives) {
  with_judge_ = true;
  rule_.policy.quality_margin = 0.1;
  reload();
  auto began = clock_.now();
  while ((state() == "running" || state() == "not begun") && clock_.now() - began < 24h) span(10s);
  EXPECT_EQ(state(), "done") << status();
  EXPECT_GT(judged_->load()->pairs, 500u);
  EXPECT_EQ(failed_, 0);
}

// What the copies are worth: begun by an order, the same model is seen by customers.
TEST_F(UpgradeTest, WithoutCopiesTheSameModelIsGivenToSome) {
  new_fails_ = 0.15;
  rule_.policy.after_copies = 0;
  reload();
  tell(rollouts_, RolloutCommand{"to-new", "start", "ann", "hurry", {}});
  span(30min);
  EXPECT_GT(primaries_["new"], 0);
}

}  // namespace
}  // namespace troupe::actors::testing
