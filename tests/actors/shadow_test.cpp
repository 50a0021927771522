// Copies of calls: what they cost, what they show, and that the primary never feels them (B5, B6).
#include "actors/shadow.hpp"

#include "actors/supervisor.hpp"
#include "runtime/base/rng.hpp"
#include "tests/actors/judge_world.hpp"
#include "tests/actors/queue_world.hpp"

#include <cmath>

namespace troupe::actors::testing {
namespace {

class ShadowActorTest : public ActorTest {
 protected:
  ShadowActorTest() {
    config_.feature = "recap";
    config_.model = "candidate";
    config_.policy = {.share = 1, .tokens_per_hour = 1'000'000, .usd_per_hour = 100, .in_flight_max = 100};
    config_.report_interval = 1s;
    target_->reply = [this](const RunAttempt& order) { return answer("new", order); };
    primary_->reply = [this](const RunAttempt& order) { return answer("old", order); };
  }
  void SetUp() override {
    ledger_ = ledger_probe(books_);
    roster_ = std::make_shared<Roster>();
    for (auto [id, model, script] :
         {std::tuple("old", "usual", primary_), std::tuple("new", "candidate", target_)}) {
      auto facts = std::make_shared<policy::EndpointFacts>();
      facts->id = id;
      facts->model = model;
      facts->provider = "aws";
      facts->price = {.input = 1000, .output = 1000};
      roster_->push_back({facts, scripted_endpoint(script), "n"});
    }
    open();
  }
  void open() {
    shadow_ = keep(spawn_shadow(system_, nullptr, config_,
                                {&clock_, ledger_, controls_, report_, shown_, judged_, queues_}));
    tell(shadow_, RosterChanged{roster_});
    hear(1e18);
  }
  /// Who prefers whichever answer begins with "good".
  void open_judge() {
    auto queue = keep(scripted_queue(system_, [this](const CallPtr& call) {
      ++asked_;
      call->answer({text_answer(honest(*call->request)), {}});
    }));
    queues_->store(std::make_shared<const Queues>(Queues{{"judge", queue}}));
    config_.judge = JudgeActorConfig{.feature = "judge", .policy = {.share = 1, .usd_per_day = 100}};
    open();
  }
  void hear(double headroom, policy::BreakerState state = policy::BreakerState::closed) {
    for (const char* id : {"old", "new"}) {
      auto view = std::make_shared<policy::HealthView>();
      view->endpoint = id;
      view->state = state;
      view->input_headroom = view->output_headroom = headroom;
      tell(shadow_, HealthChanged{view});
    }
  }
  std::shared_ptr<AttemptResult> answer(const std::string& endpoint, const RunAttempt& order) {
    auto result = answered(endpoint, order);
    result->record.ttft = from_seconds(std::exp(0.1 * rng_.normal()));
    result->record.total = 2 * result->record.ttft;
    result->record.usage.output = 5;
    result->record.usd = 0.015;
    auto word = rng_.uniform() < good_ ? "good" : "bad";
    result->completion = text_answer(word + (" from " + endpoint));
    return result;
  }
  const policy::ParityLine* quality() {
    pass(1s, shadow_);
    report_kept_ = report_->load();
    for (const auto& line : report_kept_->lines)
      if (line.what == "quality") return &line;
    return nullptr;
  }
  void offer(std::uint64_t call) {
    ShadowOffered offer;
    offer.call = {1, call};
    offer.request = std::make_shared<const CompletionRequest>(question("q"));
    offer.primary_endpoint = "old";
    offer.data_class = data_class_;
    offer.input_tokens = 10;
    offer.output_tokens = 5;
    offer.deadline = clock_.now() + 10s;
    tell(shadow_, offer);
  }
  // The primary is sent and ends; the shadow is only told.
  void serve(std::uint64_t call) {
    RunAttempt order;
    order.id = call;
    order.request = std::make_shared<const CompletionRequest>(question("q"));
    order.reply_to = primary_client_;
    tell((*roster_)[0].handle, order);
    offer(call);
    auto said = std::make_shared<const Completion>(text_answer("good " + std::to_string(call)));
    tell(shadow_, PrimaryEnded{{1, call}, {{}, std::exp(0.1 * rng_.normal()), 2, 5, {}}, "usual", said});
  }
  void stop(policy::Subject subject, std::string name) {
    auto controls = *controls_->load();
    policy::absorb(controls, policy::Stop{.subject = subject, .name = std::move(name), .stamp = {1, "a"}});
    controls_->store(std::make_shared<const policy::Controls>(controls));
  }

  Rng rng_{3};
  ShadowActorConfig config_;
  LedgerBooks books_;
  LedgerActor ledger_;
  std::shared_ptr<EndpointScript> primary_ = std::make_shared<EndpointScript>(),
                                  target_ = std::make_shared<EndpointScript>();
  std::vector<AttemptEnded> primary_ends_;
  AttemptClient primary_client_ = probe(primary_ends_);
  std::shared_ptr<Published<policy::Controls>> controls_ = std::make_shared<Published<policy::Controls>>();
  std::shared_ptr<Published<policy::ParityReport>> report_ =
      std::make_shared<Published<policy::ParityReport>>();
  std::shared_ptr<Published<policy::TwoSides>> shown_ = std::make_shared<Published<policy::TwoSides>>();
  using Queues = std::map<std::string, FeatureQueueActor>;
  std::shared_ptr<Published<policy::JudgeTally>> judged_ = std::make_shared<Published<policy::JudgeTally>>();
  std::shared_ptr<Published<Queues>> queues_ = std::make_shared<Published<Queues>>();
  std::shared_ptr<const policy::ParityReport> report_kept_;
  double good_ = 1;
  int asked_ = 0;
  std::shared_ptr<Roster> roster_;
  ShadowActor shadow_;
  std::string data_class_;
};

TEST_F(ShadowActorTest, CopiesGoToTheCandidateAndAreBookedApart) {
  for (std::uint64_t call = 1; call <= 5; ++call) serve(call);
  ASSERT_EQ(target_->orders.size(), 5u);
  EXPECT_EQ(target_->orders[0].cause, Cause::shadow);
  EXPECT_EQ(target_->orders[0].sink, nullptr);
  EXPECT_EQ(books_.by_cause(), (std::map<std::string, int>{{"shadow", 5}}));
  EXPECT_EQ(primary_->orders.size(), 5u);
}

TEST_F(ShadowActorTest, ShowsBothSidesOfEachPairToARolloutsGates) {  // C13
  for (std::uint64_t call = 1; call <= 40; ++call) serve(call);
  target_->reply = [](const RunAttempt& order) { return failed("new", order, Errc::transient_server); };
  for (std::uint64_t call = 41; call <= 50; ++call) serve(call);
  pass(100ms, shadow_);
  auto shown = shown_->load();
  EXPECT_EQ(shown->old.calls(), 50);
  EXPECT_EQ(shown->fresh.calls(), 50);
  EXPECT_NEAR(shown->fresh.failed.mean, 0.2, 1e-9);
  EXPECT_EQ(shown->old.failed.mean, 0);
  EXPECT_EQ(shown->fresh.log_ttft.n, 40) << "failures count as failures alone";
  EXPECT_NEAR(shown->fresh.usd.mean, 0.015, 1e-9);
}

TEST_F(ShadowActorTest, LeavesWhenItsCopiesHaveEnded) {
  std::vector<RunAttempt> held;
  target_->reply = [&](const RunAttempt& order) {
    held.push_back(order);
    return std::shared_ptr<AttemptResult>();
  };
  serve(1);
  tell(shadow_, Retire{});
  serve(2);
  ASSERT_EQ(held.size(), 1u) << "none begins any more";
  pass(1s, shadow_);
  tell(shadow_, AttemptEnded{held[0].id, answer("new", held[0])});
  EXPECT_EQ(books_.by_cause().at("shadow"), 1);
  pass(1s, shadow_);
  EXPECT_TRUE(caf::actor_cast<caf::abstract_actor*>(shadow_)->getf(caf::abstract_actor::is_terminated_flag));
}

TEST_F(ShadowActorTest, AKilledCandidateChangesNothingForThePrimary) {
  kill((*roster_)[1].handle);
  for (std::uint64_t call = 1; call <= 200; ++call) serve(call);
  EXPECT_EQ(primary_->orders.size(), 200u);
  EXPECT_EQ(primary_ends_.size(), 200u);
  for (const auto& end : primary_ends_) EXPECT_FALSE(end.result->error);
  EXPECT_TRUE(books_.attempts.empty());
  // Copies that nobody answered are given up on, so that the bound does not fill for ever.
  pass(16s, shadow_);
  target_ = std::make_shared<EndpointScript>();
  target_->reply = [this](const RunAttempt& order) { return answer("new", order); };
  (*roster_)[1].handle = scripted_endpoint(target_);
  tell(shadow_, RosterChanged{std::make_shared<Roster>(*roster_)});
  serve(1000);
  EXPECT_EQ(target_->orders.size(), 1u);
}

TEST_F(ShadowActorTest, AShortQuotaIsNeverDrawnOn) {
  hear(39);  // less than four such calls
  offer(1);
  EXPECT_TRUE(target_->orders.empty());
  hear(40);
  offer(2);
  EXPECT_EQ(target_->orders.size(), 1u);
}

TEST_F(ShadowActorTest, ASickStoppedOrUnsignedCandidateGetsNoCopy) {
  hear(1e18, policy::BreakerState::open);
  offer(1);
  hear(1e18);
  data_class_ = "customer";
  offer(2);
  data_class_.clear();
  stop(policy::Subject::model, "candidate");
  offer(3);
  EXPECT_TRUE(target_->orders.empty());
}

TEST_F(ShadowActorTest, ThePrimarysOwnEndpointIsNoCandidate) {
  ShadowOffered same;
  same.request = std::make_shared<const CompletionRequest>(question("q"));
  same.primary_endpoint = "new";
  same.deadline = clock_.now() + 10s;
  tell(shadow_, same);
  EXPECT_TRUE(target_->orders.empty());
}

TEST_F(ShadowActorTest, ReportsParityOfWhatBothAnswered) {
  for (std::uint64_t call = 1; call <= 500; ++call) serve(call);
  pass(1s, shadow_);
  auto report = report_->load();
  ASSERT_FALSE(report->lines.empty());
  EXPECT_EQ(report->lines[0].pairs, 500u);
  // The candidate is the primary's twin but for `total`, which is 2 here and 2 ttft there.
  EXPECT_NE(report->verdict, policy::Parity::equal);
}

TEST_F(ShadowActorTest, ItsJudgesPreferencesAreTheQualityOfItsReport) {  // B6, L7
  good_ = 0.7;
  open_judge();
  for (std::uint64_t call = 1; call <= 300; ++call) serve(call);
  const auto* line = quality();
  ASSERT_NE(line, nullptr);
  EXPECT_EQ(line->verdict, policy::Parity::different);
  EXPECT_EQ(line->pairs, 300u);
  EXPECT_LT(line->high, -0.15);
  EXPECT_NEAR(shown_->load()->fresh.preference.mean, -0.3, 0.1);
  EXPECT_EQ(shown_->load()->fresh.preference.n, 300);
  EXPECT_EQ(judged_->load()->pairs, 300u);
  EXPECT_EQ(books_.by_cause(), (std::map<std::string, int>{{"shadow", 300}}));
}

TEST_F(ShadowActorTest, TwinsAreNotFoundDifferentByTheirJudge) {
  open_judge();
  for (std::uint64_t call = 1; call <= 300; ++call) serve(call);
  ASSERT_NE(quality(), nullptr);
  EXPECT_NE(quality()->verdict, policy::Parity::different);
  EXPECT_EQ(judged_->load()->ties, 300u);
}

TEST_F(ShadowActorTest, WithoutAJudgeNobodyIsAskedAndThereIsNoQuality) {
  good_ = 0.5;
  for (std::uint64_t call = 1; call <= 200; ++call) serve(call);
  EXPECT_EQ(quality(), nullptr);
  EXPECT_EQ(asked_, 0);
}

TEST_F(ShadowActorTest, WhatFailedOrWasServedByTheCandidateIsNotJudged) {
  open_judge();
  target_->reply = [](const RunAttempt& order) { return failed("new", order, Errc::transient_server); };
  serve(1);
  target_->reply = [this](const RunAttempt& order) { return answer("new", order); };
  offer(2);
  tell(shadow_, PrimaryEnded{{1, 2}, {}, "candidate", std::make_shared<const Completion>(text_answer("x"))});
  offer(3);
  tell(shadow_, PrimaryEnded{{1, 3}, {Errc::timeout}, "usual", nullptr});
  EXPECT_EQ(asked_, 0);
  serve(4);
  EXPECT_EQ(asked_, 2);
  pass(100ms, shadow_);
  EXPECT_EQ(shown_->load()->fresh.calls(), 3) << "a model is not compared with itself";
}

TEST_F(ShadowActorTest, AJudgeLeavesWithItsShadow) {
  auto others = judged_.use_count();
  open_judge();
  serve(1);
  EXPECT_EQ(asked_, 2);
  EXPECT_GT(judged_.use_count(), others);
  tell(shadow_, Retire{});
  pass(1s, shadow_);
  EXPECT_TRUE(caf::actor_cast<caf::abstract_actor*>(shadow_)->getf(caf::abstract_actor::is_terminated_flag));
  EXPECT_EQ(judged_.use_count(), others) << "who published there is gone";
}

TEST_F(ShadowActorTest, GoesWithItsJudgeSoThatBothAreMadeAnew) {
  open_judge();
  ShadowActorStage stage{&clock_, ledger_, controls_, report_, shown_, judged_, queues_};
  stage.judge = keep(spawn_judge(system_, *config_.judge, {&clock_, queues_, judged_}));
  auto judge = stage.judge;
  shadow_ = keep(spawn_shadow(system_, nullptr, config_, std::move(stage)));
  run();
  kill(judge);
  EXPECT_TRUE(caf::actor_cast<caf::abstract_actor*>(shadow_)->getf(caf::abstract_actor::is_terminated_flag));
}

TEST_F(ShadowActorTest, HalvesWithoutTheOtherAreForgottenAtTheirBound) {
  config_.waiting_max = 10;
  open();
  for (std::uint64_t call = 1; call <= 1000; ++call) tell(shadow_, PrimaryEnded{{1, call}, {}});
  tell(shadow_, RosterChanged{roster_});
  hear(1e18);
  offer(1);  // its old half is long gone
  pass(1s, shadow_);
  EXPECT_TRUE(report_->load()->lines.empty());
}

TEST_F(ShadowActorTest, CallsOfOneNumberFromTwoQueuesMakeNoPair) {
  constexpr std::uint64_t calls = 60;
  for (std::uint64_t call = 1; call <= calls; ++call) {
    offer(call);
    tell(shadow_, PrimaryEnded{{2, call}, {}});
  }
  ASSERT_EQ(target_->orders.size(), calls);
  pass(1s, shadow_);
  EXPECT_TRUE(report_->load()->lines.empty()) << "the other queue's calls were never copied";
  for (std::uint64_t call = 1; call <= calls; ++call)
    tell(shadow_, PrimaryEnded{{1, call}, {{}, std::exp(0.1 * rng_.normal()), 2, 5, {}}});
  pass(1s, shadow_);
  ASSERT_FALSE(report_->load()->lines.empty());
  EXPECT_EQ(report_->load()->lines[0].pairs, calls);
}

/// A feature's queue beside its shadow.
class ShadowedQueueTest : public QueueTest {
 protected:
  void SetUp() override {
    config_.shadows = {board_, &board_->shadows};
    add("a");
  }
  void open_shadow() {
    auto shadow = ShadowActor(system_.spawn([this](ShadowActor::pointer) -> ShadowActor::behavior_type {
      return {[this](const ShadowOffered& offer) { offers_.push_back(offer); },
              [this](const PrimaryEnded& end) { ends_.push_back(end); },
              [](const AttemptEnded&) {},
              [](const PairJudged&) {},
              [](const HealthChanged&) {},
              [](const RosterChanged&) {},
              [](Retire) {},
              [](Tick) {}};
    }));
    board_->shadows.store(std::make_shared<const ShadowMap>(ShadowMap{{"recap", keep(shadow)}}));
  }
  std::shared_ptr<CastBoard> board_ = std::make_shared<CastBoard>();
  std::vector<ShadowOffered> offers_;
  std::vector<PrimaryEnded> ends_;
};

TEST_F(ShadowedQueueTest, OffersEachCallOnceWhenItsPrimaryIsOnItsWayAndTellsHowThatEnded) {
  add("b"), open(), open_shadow();
  behave("b", std::nullopt);
  auto asked = ask();
  ASSERT_EQ(offers_.size(), 1u) << "before the primary has answered";
  EXPECT_EQ(offers_[0].primary_endpoint, "a");
  EXPECT_TRUE(ends_.empty());
  end_newest("a", failed("a", orders("a").back(), Errc::timeout));
  EXPECT_EQ(asked->text(), "from b");
  EXPECT_EQ(offers_.size(), 1u) << "the fallback is the same call";
  ASSERT_EQ(ends_.size(), 1u);
  EXPECT_EQ(ends_[0].call, offers_[0].call);
  EXPECT_FALSE(ends_[0].side.error);
  ASSERT_TRUE(ends_[0].answer);
  EXPECT_EQ(ends_[0].answer->text(), "from b");
}

TEST_F(ShadowedQueueTest, AReplacedQueuesCallsAreToldFromThoseOfTheNext) {
  open(), open_shadow();
  behave("a", std::nullopt);
  ask();
  open();
  ask();
  ASSERT_EQ(offers_.size(), 2u);
  EXPECT_EQ(offers_[0].call.number, offers_[1].call.number);
  EXPECT_NE(offers_[0].call, offers_[1].call);
  EXPECT_EQ(ends_[1].call, offers_[1].call);
}

TEST_F(ShadowedQueueTest, AFeatureWithoutAShadowOffersNothing) {
  open();
  behave("a", std::nullopt);
  EXPECT_EQ(ask()->text(), "from a");
  open_shadow();
  config_.shadows = nullptr;
  open();
  EXPECT_EQ(ask()->text(), "from a");
  EXPECT_TRUE(offers_.empty());
}

}  // namespace
}  // namespace troupe::actors::testing
