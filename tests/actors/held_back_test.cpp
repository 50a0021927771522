// A model that is tried out is not led to by what would save money or goes by difficulty (B5, E1, I6, K4).
#include "runtime/base/tiers.hpp"
#include "tests/actors/queue_world.hpp"

namespace troupe::actors::testing {
namespace {

/// What would rather have the small model, second in the hierarchy.
enum class Wish { short_run, cheap_tier, budget, choice };

class HeldBackTest : public QueueTest, public ::testing::WithParamInterface<Wish> {
 protected:
  HeldBackTest() {
    config_.dispatch.rules.hierarchy = {"large", "small"};
    config_.dispatch.route.explore_share = 0;
    config_.controls = std::make_shared<Published<policy::Controls>>();
    config_.cheaper = 1;
    if (GetParam() == Wish::budget) config_.budgets = nearly_spent();
    if (GetParam() == Wish::choice) config_.choice = policy::ChoiceRule{everything_is_easy(), 1, 0, 0.5};
    add("a", "large");
    add("b", "small");
    behave("a", std::nullopt);
    behave("b", std::nullopt);
  }
  std::shared_ptr<BudgetCell> nearly_spent() {
    policy::BudgetRules rules;
    rules.features["recap"] = {{.usd_per_day = 10}, 1};
    policy::BudgetBook book(rules);
    book.book("recap", "default", 9.5, clock_.wall());
    auto cell = std::make_shared<BudgetCell>();
    cell->store(book.state(clock_.wall()));
    return cell;
  }
  static std::shared_ptr<const policy::DifficultyModel> everything_is_easy() {
    policy::DifficultyModel model;
    model.intercept = -5;
    model.quantiles.assign(101, 0.5);
    return std::make_shared<const policy::DifficultyModel>(std::move(model));
  }
  void try_out(policy::LeadRules rules) {
    config_.leads = std::make_shared<const policy::LeadRules>(std::move(rules));
  }
  void ask_as_wished() {
    auto request = question("hello");
    if (GetParam() == Wish::cheap_tier) request.labels[kTierLabel] = kCheapTier;
    auto call = std::make_shared<Call>();
    call->request = std::make_shared<const CompletionRequest>(std::move(request));
    call->cheaper = GetParam() == Wish::short_run;
    tell(queue_, CallPtr(std::move(call)));
  }
};

TEST_P(HeldBackTest, NobodyIsSentToAShadowsModelForIt) {
  policy::LeadRules rules;
  rules.shadowed.push_back({"recap", "small"});
  try_out(std::move(rules));
  open();
  for (int i = 0; i < 20; ++i) ask_as_wished();
  EXPECT_EQ(orders("a").size(), 20u);
  EXPECT_TRUE(orders("b").empty());
}

TEST_P(HeldBackTest, NobodyIsSentToARolloutsModelForItBeforeAStageSendsThemThere) {  // B7
  policy::LeadRules rules;
  rules.rollouts.push_back({.name = "r", .feature = "recap", .model = "small"});
  try_out(std::move(rules));
  open();
  for (int i = 0; i < 20; ++i) ask_as_wished();
  EXPECT_TRUE(orders("b").empty());
  policy::Controls everyone;
  absorb(everyone, policy::Share{.name = "r", .share = 1, .stamp = {1, "n1"}});
  everyone.fresh_until = clock_.now() + 1h;
  std::const_pointer_cast<Published<policy::Controls>>(config_.controls)
      ->store(std::make_shared<const policy::Controls>(everyone));
  ask_as_wished();
  EXPECT_EQ(orders("b").size(), 1u);
}

TEST_P(HeldBackTest, OneThatIsNotTriedOutIsLedTo) {  // the rule off
  open();
  ask_as_wished();
  EXPECT_EQ(orders("b").size(), 1u);
}

std::string name_of_wish(const ::testing::TestParamInfo<Wish>& wish) {
  constexpr const char* names[] = {"ShortRun", "CheapTier", "Budget", "Choice"};
  return names[static_cast<int>(wish.param)];
}
INSTANTIATE_TEST_SUITE_P(Wishes, HeldBackTest,
                         ::testing::Values(Wish::short_run, Wish::cheap_tier, Wish::budget, Wish::choice),
                         name_of_wish);

}  // namespace
}  // namespace troupe::actors::testing
