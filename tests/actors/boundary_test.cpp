// Data stays inside its boundary wherever calls go and whatever they carry of earlier answers (C8, D11).
#include "tests/actors/boundary_world.hpp"

namespace troupe::actors::testing {
namespace {

TEST_F(BoundaryTest, NothingCrossesInRandomGraphsOfCalls) {  // D11
  for (const char* boundary : {"us", "eu", "ap", "us", "eu", "us", "eu"}) add("large", boundary);
  for (const char* boundary : {"ap", "us", "eu"}) add("small", boundary), add("candidate", boundary);
  constexpr std::size_t graphs = 300;
  play(graphs);
  EXPECT_EQ(crossings_, std::vector<std::string>());
  EXPECT_EQ(refused_at_endpoints(), 0u) << "routing keeps inside by itself";
  EXPECT_EQ(ended_, graphs);
  EXPECT_GT(bound_calls_, 1000u);
  for (const char* cause :
       {"primary", "retry", "fallback", "spillover", "hedge", "trickle", "probe", "shadow", "judging"})
    EXPECT_GT(reached_[cause], 5) << cause;
  EXPECT_EQ(marked(logged), std::set<std::string>()) << "content is never logged";
}

TEST_F(BoundaryTest, WhatIsKeptOfARunHoldsNobodyElsesData) {  // D11: recorded answers, decisions
  for (const char* boundary : {"us", "eu", "ap", "us", "eu"}) add("large", boundary);
  play(60);
  std::size_t recorded = 0;
  auto rows = journal_.runs(10'000, {});
  for (const auto& row : *rows) {
    auto entries = journal_.history(row.run_id);
    for (const auto& entry : *entries)
      for (const auto& tenant : marked(entry.payload)) {
        ++recorded;
        EXPECT_EQ(tenant, row.tenant) << row.run_id;
      }
  }
  EXPECT_GT(recorded, 100u);
  std::size_t decisions = 0;
  while (journal_.pending() > 0) journal_.commit_next();
  for (const auto& id : decisions_) {
    auto kept = journal_.decision(id);
    if (!kept || !*kept) continue;
    ++decisions;
    EXPECT_EQ(marked((*kept)->body), std::set<std::string>());
  }
  EXPECT_GT(decisions, 50u);
}

TEST_F(BoundaryTest, AnEndpointLooksAgainWhereRoutingWasToldWrong) {  // D11: "and at endpoint"
  for (const char* boundary : {"us", "eu", "us", "eu"}) add("large", boundary);
  add("large", "us", "eu"), add("large", "ap", "us"), add("candidate", "us", "eu");
  play(100);
  EXPECT_EQ(crossings_, std::vector<std::string>());
  EXPECT_GT(refused_at_endpoints(), 100u);
  EXPECT_EQ(ended_, 100u) << "who was refused there was served elsewhere";
}

TEST_F(BoundaryTest, WhatTwoPlacesMustHaveAloneIsRefused) {
  for (const char* boundary : {"us", "eu"}) add("large", boundary);
  open();
  auto call = std::make_shared<Call>();
  auto request = question("a clinic's question " + mark_of("clinic"));
  request.tenant = "clinic";
  call->request = std::make_shared<const CompletionRequest>(std::move(request));
  call->tenant = "bank";
  std::vector<CallResult> answers;
  call->done = [&](CallResult result) { answers.push_back(std::move(result)); };
  tell(queues_->load()->at("recap"), CallPtr(std::move(call)));
  ASSERT_EQ(answers.size(), 1u);
  ASSERT_FALSE(answers[0].completion);
  EXPECT_EQ(answers[0].completion.error().code, Errc::permission);
  EXPECT_TRUE(due_.empty());
}

}  // namespace
}  // namespace troupe::actors::testing
