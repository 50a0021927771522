// Budgets from the ledger's rows to the queue's decision, and over a restart (I6).
#include "actors/budgets.hpp"

#include "actors/ledger.hpp"
#include "tests/actors/queue_world.hpp"
#include "tests/support/memory_journal.hpp"

namespace troupe::actors::testing {
namespace {

class BudgetsTest : public QueueTest {
 protected:
  BudgetsTest() {
    rules_.features["recap"] = {{.usd_per_day = 10}, 1};
    rules_.tenants["acme"] = {.usd_per_day = 4};
    config_.dispatch.rules.hierarchy = {"large", "small"};
    config_.budgets = cell_;
    add("a", "large");
    add("b", "small");
    behave("a", std::nullopt);
    behave("b", std::nullopt);
    open();
    ledger_ = start_ledger();
  }
  LedgerActor start_ledger() {
    return keep(spawn_ledger(system_, nullptr, &journal_, "n1", {}, {rules_, cell_, &clock_}));
  }
  void spend(double usd, const std::string& tenant = "default") {
    AttemptBooked fact;
    fact.row.feature = "recap";
    fact.row.tenant = tenant;
    fact.row.endpoint = "a";
    fact.row.cause = "primary";
    fact.row.attempt = ++attempts_;
    fact.row.usd = usd;
    fact.row.started = clock_.wall();
    tell(ledger_, fact);
    while (journal_.pending() > 0) journal_.commit_next();
  }

  policy::BudgetRules rules_;
  std::shared_ptr<BudgetCell> cell_ = std::make_shared<BudgetCell>();
  journal::testing::MemoryJournal journal_;
  LedgerActor ledger_;
  std::uint32_t attempts_ = 0;
};

TEST_F(BudgetsTest, ACheaperModelLeadsThenCallsAreRefusedUntilTheDayEnds) {  // I6
  EXPECT_TRUE(ask()->well());
  EXPECT_EQ(orders("a").size(), 1u);
  spend(9.5);
  EXPECT_TRUE(ask()->well());
  EXPECT_EQ(orders("a").size(), 1u);
  EXPECT_EQ(orders("b").size(), 1u);
  spend(0.5);
  auto refused = ask();
  ASSERT_TRUE(refused->done());
  EXPECT_EQ(refused->error(), Errc::quota_exhausted);
  auto wait = refused->answers[0].completion.error().retry_after;
  ASSERT_TRUE(wait);
  EXPECT_GT(*wait, Duration{});
  EXPECT_LE(*wait, Duration(24h));
  EXPECT_EQ(orders("a").size() + orders("b").size(), 2u) << "nothing was sent";
  clock_.pass(*wait);
  EXPECT_TRUE(ask()->well()) << "another day";
  EXPECT_EQ(orders("a").size(), 2u);
}

TEST_F(BudgetsTest, OfATenantLeavesOthersAlone) {
  spend(4, "acme");
  auto theirs = question("hello");
  theirs.tenant = "acme";
  EXPECT_EQ(ask(theirs)->error(), Errc::quota_exhausted);
  EXPECT_TRUE(ask()->well());
}

TEST_F(BudgetsTest, SurviveARestart) {
  spend(10);
  cell_ = std::make_shared<BudgetCell>();
  ledger_ = start_ledger();
  run();
  policy::CallFacts facts;
  EXPECT_TRUE(apply_budget(cell_.get(), "recap", clock_.wall(), facts));
  // Off: a node that forgets would spend the budget again.
  policy::BudgetBook forgetful(rules_);
  EXPECT_FALSE(
      policy::judge_budget(forgetful.state(clock_.wall()).get(), "recap", "t", clock_.wall()).refusal);
}

/// The small model is being rolled out to everyone.
class BudgetedRolloutTest : public BudgetsTest {
 protected:
  BudgetedRolloutTest() {
    for (const auto& [id, place] : places_)
      place.script->reply = [id, model = place.facts->model](const RunAttempt& order) {
        auto result = answered(id, order);
        result->record.model = model;
        return result;
      };
    auto leads = std::make_shared<policy::LeadRules>();
    leads->rollouts.push_back({.name = "r", .feature = "recap", .model = "large"});
    config_.leads = leads;
    auto controls = std::make_shared<Published<policy::Controls>>();
    policy::Controls dealt;
    absorb(dealt, policy::Share{.name = "r", .share = 1, .stamp = {1, "n1"}});
    dealt.fresh_until = clock_.now() + 48h;
    controls->store(std::make_shared<const policy::Controls>(dealt));
    config_.controls = controls;
    config_.rollouts =
        keep(RolloutActor(system_.spawn([this](RolloutActor::pointer) -> RolloutActor::behavior_type {
          return {[this](const RolloutOutcome& fact) { outcomes_.push_back(fact); },
                  [](const RolloutHeard&) {}, [](const RolloutCommand&) {}, [](const RolloutsChanged&) {},
                  [](Tick) {}};
        })));
    open();
  }
  std::vector<RolloutOutcome> outcomes_;
};

TEST_F(BudgetedRolloutTest, ACallWhoseModelTheBudgetChoseCountsForNoSide) {  // I6, E5
  EXPECT_TRUE(ask()->well());
  ASSERT_EQ(outcomes_.size(), 1u);
  EXPECT_TRUE(outcomes_[0].new_side);
  EXPECT_FALSE(outcomes_[0].figures.failed);
  spend(9.5);
  EXPECT_TRUE(ask()->well());
  EXPECT_EQ(orders("b").size(), 1u) << "the cheaper one served it";
  EXPECT_EQ(outcomes_.size(), 1u) << "else it would count as failed: another model served the new side";
}

TEST(ApplyBudget, WithoutACellNothingIsChanged) {
  policy::CallFacts facts;
  facts.lead = 3;
  EXPECT_FALSE(apply_budget(nullptr, "recap", {}, facts));
  EXPECT_EQ(facts.lead, 3u);
}

}  // namespace
}  // namespace troupe::actors::testing
