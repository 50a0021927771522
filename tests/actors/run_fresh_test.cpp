// A run whose id was just made begins before it hears that it is claimed; what that must not change.
#include "tests/actors/host_world.hpp"

#include <gmock/gmock.h>

namespace troupe::actors::testing {
namespace {

class FreshTest : public HostTest {
 protected:
  FreshTest() { journal_.hold_claims = true; }

  /// A step of its own, then a call.
  WorkflowFunction cut_and_ask() {
    return [this](Workflow& wf, JsonText) -> Task<Result<JsonText>> {
      StepKey key{"cut", ""};
      std::function<Result<JsonText>()> body = [this] { return Result<JsonText>(JsonText{cut()}); };
      auto cut = co_await wf.step(std::move(key), std::move(body));
      if (!cut) co_return std::unexpected(cut.error());
      auto asking = ask_model(wf, "1");
      auto text = co_await asking;
      if (!text) co_return std::unexpected(text.error());
      co_return JsonText{*text};
    };
  }
  std::string cut() { return ++cuts_, "1"; }

  int cuts_ = 0;
};

TEST_F(FreshTest, BeginsBehindItsClaimWithoutWaitingForIt) {
  begin(cut_and_ask(), "new", true);
  EXPECT_EQ(cuts_, 1);
  EXPECT_EQ(journal_.pending(), 2u) << "its start and its step, behind the claim";
  journal_.answer_claims();
  settle();
  EXPECT_EQ(report().end, RunEnd::done);
  EXPECT_EQ(journal_.story, (std::vector<std::string>{"start", "result cut", "intent ask/1", "call ask/1",
                                                      "result ask/1", "done"}));
}

TEST_F(FreshTest, ARunSomebodyElseMayHaveBegunWaits) {
  begin(cut_and_ask(), "given", false);
  EXPECT_EQ(cuts_, 0);
  EXPECT_EQ(journal_.pending(), 0u);
  journal_.answer_claims();
  settle();
  EXPECT_EQ(report().end, RunEnd::done);
}

TEST_F(FreshTest, OnlyIdsOfOurOwnMakingAreNew) {
  add("flow", cut_and_ask());
  submit("flow", "given");
  EXPECT_EQ(cuts_, 0);
  submit("flow", "");
  EXPECT_EQ(cuts_, 1);
}

TEST_F(FreshTest, CallsNobodyWithoutItsClaim) {
  WorkflowFunction flow = [](Workflow& wf, JsonText) -> Task<Result<JsonText>> {
    auto asking = ask_model(wf, "1");
    auto text = co_await asking;
    if (!text) co_return std::unexpected(text.error());
    co_return JsonText{*text};
  };
  journal_.refuse_claims = true;
  begin(flow, "new", true);
  EXPECT_EQ(calls(), 0);
  journal_.answer_claims();
  settle();
  EXPECT_EQ(calls(), 0);
  ASSERT_EQ(report().end, RunEnd::failed);
  EXPECT_EQ(report().error->code, Errc::refused);
  EXPECT_TRUE(journal_.story.empty()) << "and nothing of it is durable";
}

TEST_F(FreshTest, DoesNothingToTheRunThatHasItsId) {
  journal::RunRow other;
  other.run_id = "new";
  ASSERT_TRUE(journal_.claim(other));
  begin(cut_and_ask(), "new", true);
  journal_.answer_claims();
  settle();
  ASSERT_EQ(report().end, RunEnd::failed);
  EXPECT_EQ(report().error->code, Errc::internal);
  EXPECT_TRUE(journal_.history("new")->empty());
  EXPECT_EQ((*journal_.run("new"))->state, journal::RunState::running);
}

}  // namespace
}  // namespace troupe::actors::testing
