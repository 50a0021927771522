// Predicted difficulty chooses the model that leads, live: each request by its own text, written down with
// its reasons, and made again from the record (E1, E9).
#include "actors/choosing.hpp"
#include "actors/decision_record.hpp"
#include "actors/following.hpp"
#include "tests/actors/queue_world.hpp"
#include "tests/support/memory_journal.hpp"

#include <cmath>

namespace troupe::actors {
namespace {

using namespace std::chrono_literals;

/// Long texts are hard.
std::shared_ptr<const policy::DifficultyModel> by_length() {
  policy::DifficultyModel model;
  model.terms[0] = {std::log1p(20.0), 1, 5};
  model.quantiles.assign(101, 0.5);
  return std::make_shared<const policy::DifficultyModel>(std::move(model));
}
const char* const kEasy = "How many legs have two dogs?";
std::string hard_text() {
  std::string text;
  for (int i = 0; i < 60; ++i) text += "word ";
  return text;
}

CompletionRequest asking(std::string text) {
  auto request = testing::question("");
  request.messages = {{Role::system, {TextPart{hard_text()}}}, {Role::user, {TextPart{std::move(text)}}}};
  return request;
}

TEST(AskedText, IsTheLastMessageOfAUser) {
  auto request = asking("first");
  request.messages.push_back({Role::assistant, {TextPart{"answer"}}});
  request.messages.push_back({Role::user, {TextPart{"second"}, TextPart{"half"}}});
  request.messages.push_back({Role::assistant, {TextPart{"prefill"}}});
  EXPECT_EQ(asked_text(request), "second\nhalf");
  EXPECT_EQ(asked_text(CompletionRequest{}), "");
  EXPECT_EQ(asked_text(asking(std::string(policy::difficulty_text_max + 1, 'x'))).size(),
            policy::difficulty_text_max);
}

TEST(ChooseLead, LeavesTheLeadOfAnExperimentOrARolloutAlone) {
  policy::ChoiceRule rule{by_length(), 0, 1, 0.5};
  policy::CallFacts free, led;
  led.lead = 0;
  auto chosen = choose_lead(rule, asking(hard_text()), free);
  ASSERT_TRUE(chosen);
  EXPECT_EQ(free.lead, 1u);
  EXPECT_FALSE(chosen->overruled);
  auto overruled = choose_lead(rule, asking(hard_text()), led);
  ASSERT_TRUE(overruled);
  EXPECT_EQ(led.lead, 0u);
  EXPECT_TRUE(overruled->overruled);
  policy::CallFacts without;
  EXPECT_FALSE(choose_lead(std::nullopt, asking(hard_text()), without));
  EXPECT_FALSE(without.lead);
}

class ChoiceTest : public testing::QueueTest {
 protected:
  ChoiceTest() {
    config_.dispatch.rules.hierarchy = {"small", "large"};
    config_.dispatch.route.explore_share = 0;
    config_.journal = &journal_;
    config_.node = "n1";
    add("a", "small");
    add("b", "large");
    behave("a", std::nullopt);
    behave("b", std::nullopt);
  }
  void choose_by_length() { config_.choice = policy::ChoiceRule{by_length(), 0, 1, 0.5}; }
  std::string decision_of(const Asked& asked) { return asked.answers.at(0).attempts.at(0).decision; }

  journal::testing::MemoryJournal journal_;
};

TEST_F(ChoiceTest, SendsTheEasyToTheWeakAndTheHardToTheStrong) {
  choose_by_length();
  open();
  EXPECT_TRUE(ask(asking(kEasy))->well());
  EXPECT_EQ(orders("a").size(), 1u);
  EXPECT_TRUE(ask(asking(hard_text()))->well());
  EXPECT_EQ(orders("b").size(), 1u);
}

TEST_F(ChoiceTest, SendsAllToTheFirstOfTheHierarchyWhenItIsOff) {
  open();
  EXPECT_TRUE(ask(asking(kEasy))->well());
  EXPECT_TRUE(ask(asking(hard_text()))->well());
  EXPECT_EQ(orders("a").size(), 2u);
  EXPECT_TRUE(orders("b").empty());
}

TEST_F(ChoiceTest, FallsBackToTheOtherModelWhenTheChosenIsIll) {
  choose_by_length();
  open();
  set_state("b", policy::BreakerState::open, 1min);
  run();
  EXPECT_TRUE(ask(asking(hard_text()))->well());
  EXPECT_EQ(orders("a").size(), 1u);
}

TEST_F(ChoiceTest, IsWrittenDownExplainedAndMadeAgain) {
  choose_by_length();
  open();
  for (const auto& [text, leads] :
       {std::pair(std::string(kEasy), "small"), std::pair(hard_text(), "large")}) {
    auto asked = ask(asking(text));
    ASSERT_TRUE(asked->well());
    journal_.commit_next();
    auto record = journal_.decision(decision_of(*asked));
    ASSERT_TRUE(record && *record);
    auto made = make_again((**record).body);
    ASSERT_TRUE(made) << made.error().what;
    EXPECT_TRUE(made->same);
    const auto& choice = made->explanation.at("choice");
    EXPECT_EQ(choice.at("leads"), leads);
    EXPECT_EQ(choice.at("weak"), "small");
    EXPECT_EQ(choice.at("threshold"), 0.5);
    EXPECT_EQ(choice.at("difficulty"), policy::difficulty_of(*by_length(), text));
    EXPECT_EQ(made->explanation.at("plan").at(0).at("model"), leads);
  }
}

// ---- what a rollout's gates are told (B7) ----

TEST(FiguresOf, CountACallOfTheNewSideThatAnotherModelServedAsFailed) {
  std::vector<AttemptRecord> records(2);
  records[0].model = "new";
  records[1].model = "old";
  records[0].usd = records[1].usd = 0.5;
  policy::Lead lead;
  lead.model = "new";
  lead.new_side = true;
  EXPECT_TRUE(figures_of(records, false, lead).failed);
  EXPECT_EQ(figures_of(records, false, lead).usd, 1);
  records[1].model = "new";
  EXPECT_FALSE(figures_of(records, false, lead).failed);
  EXPECT_TRUE(figures_of(records, true, lead).failed);
  records[1].model = "old";
  EXPECT_FALSE(figures_of(records, false, {}).failed) << "on the old side any model will do";
}

}  // namespace
}  // namespace troupe::actors
