// Each rule of the audit holds of what the engine writes and finds a breach that is planted (RUNTIME 4.3).
#include "actors/audit.hpp"
#include "actors/audit_run.hpp"

#include "runtime/protocol/run_values.hpp"
#include "tests/actors/host_world.hpp"

#include <gmock/gmock.h>

namespace troupe::actors::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// A history that a test writes entry by entry.
struct Written {
  journal::RunRow row;
  std::vector<journal::Entry> entries;

  Written() {
    row.run_id = "r";
    row.node = "n1";
    put(journal::Kind::start, "");
  }
  journal::Entry& put(journal::Kind kind, const std::string& key, std::string payload = {},
                      std::uint32_t attempt = 1, std::uint64_t epoch = 1) {
    journal::Entry entry;
    entry.run_id = row.run_id;
    entry.seq = entries.size() + 1;
    entry.kind = kind;
    entry.step_key = key;
    entry.payload = std::move(payload);
    entry.attempt = attempt;
    entry.epoch = row.epoch = epoch;
    entry.at.ms = 1000;
    entries.push_back(std::move(entry));
    return entries.back();
  }
  void intend(const std::string& key, Budget reserved = {}, std::uint32_t attempt = 1,
              std::uint64_t epoch = 1) {
    reserved.calls = 1;
    put(journal::Kind::intent, key, to_payload(IntentNote{IntentOf::model, reserved}), attempt, epoch);
  }
  void answer(const std::string& key, std::int64_t tokens, double usd = 0) {
    Answer answer;
    AttemptRecord attempt;
    attempt.usage.input = tokens;
    attempt.usd = usd;
    answer.attempts.push_back(attempt);
    put(journal::Kind::result, key, protocol::to_bytes(answer));
  }
  std::vector<std::string> audit() const {
    std::vector<std::string> out;
    audit_history({row, entries}, out);
    return out;
  }
};

Budget tokens(std::int64_t count) {
  Budget budget;
  budget.tokens = count;
  return budget;
}
Budget money(double usd) {
  Budget budget;
  budget.usd = usd;
  return budget;
}

TEST(Audit, NoStepSetsAsideTokensTheBudgetDidNotHave) {  // (e)
  Written run;
  run.row.budget = budget_json(tokens(100));
  run.intend("a", tokens(60));
  run.answer("a", 30);
  run.intend("b", tokens(70));
  EXPECT_THAT(run.audit(), IsEmpty());
  run.intend("c", tokens(1));
  EXPECT_THAT(run.audit(), ElementsAre(HasSubstr("step c what its budget of tokens")));
}

TEST(Audit, NoStepSetsAsideMoneyTheBudgetDidNotHave) {
  Written run;
  run.row.budget = budget_json(money(1));
  run.intend("a", money(0.5));
  run.answer("a", 1, 0.9);  // more than was set aside: the estimate was wrong, which is no breach
  EXPECT_THAT(run.audit(), IsEmpty());
  run.intend("b", money(0.2));
  EXPECT_THAT(run.audit(), ElementsAre(HasSubstr("step b what its budget of usd")));
}

TEST(Audit, WhatNobodyKnowsStaysSpentInTheNextLife) {
  Written run;
  run.row.budget = budget_json(tokens(100));
  run.intend("a", tokens(60));
  run.intend("b", tokens(30), 1, 2);
  EXPECT_THAT(run.audit(), IsEmpty());
  run.intend("a", tokens(20), 2, 2);
  EXPECT_THAT(run.audit(), ElementsAre(HasSubstr("step a what its budget of tokens")));
}

TEST(Audit, AttemptsAreNumberedOneAfterTheOther) {  // (h)
  Written run;
  run.intend("a");
  run.intend("a", {}, 3);
  EXPECT_THAT(run.audit(), ElementsAre(HasSubstr("attempt 3 after 1")));
}

TEST(Audit, AnEndedRunLeftNothingUnderWay) {  // (f)
  Written run;
  run.intend("a");
  run.intend("b", {}, 1, 2);  // what an earlier life left is unknown for good, and no claim
  run.answer("b", 1);
  run.entries.back().epoch = 2;
  run.put(journal::Kind::done, "", {}, 0, 2);
  EXPECT_THAT(run.audit(), IsEmpty());
  run.entries.pop_back();
  run.intend("c", {}, 1, 2);
  run.put(journal::Kind::done, "", {}, 0, 2);
  EXPECT_THAT(run.audit(), ElementsAre(HasSubstr("step c is still under way")));
}

TEST(Audit, ARunThatWaitsForNothingMustNotStandStill) {  // (g)
  Written run;
  LivenessRule rule{{1000 + 3'600'000}, std::chrono::minutes(10), {"n1"}};
  auto stuck = [&] {
    std::vector<std::string> out;
    audit_liveness({run.row, run.entries}, rule, out);
    return out;
  };
  EXPECT_THAT(stuck(), ElementsAre(HasSubstr("waits for nothing")));
  rule.living = {"n2"};
  EXPECT_THAT(stuck(), IsEmpty()) << "who is dead drives nothing; others will";
  rule.living = {"n1"};
  run.intend("a");
  EXPECT_THAT(stuck(), IsEmpty()) << "a call is out";
  run.answer("a", 1);
  run.put(journal::Kind::timer_set, "nap", std::to_string(rule.now.ms + 1));
  EXPECT_THAT(stuck(), IsEmpty());
  run.entries.back().payload = "2000";
  EXPECT_THAT(stuck(), ElementsAre(HasSubstr("waits for nothing"))) << "its timer should have fired";
  run.row.wake = journal::kWakeBySignal;
  EXPECT_THAT(stuck(), IsEmpty());
  run.row.wake = {2000};
  EXPECT_THAT(stuck(), ElementsAre(HasSubstr("was to be woken")));
}

class AuditTest : public HostTest {
 protected:
  std::vector<std::string> problems() { return audit(journal_).value_or(std::vector<std::string>{"none"}); }
  void run_with_child() {
    add("child", [](Workflow& wf, JsonText) -> Task<Result<JsonText>> {
      auto answer = co_await ask_model(wf, "x");
      co_return JsonText{answer.value_or("refused")};
    });
    add("parent", [](Workflow& wf, JsonText) -> Task<Result<JsonText>> {
      StepKey key{"child", "1"};
      ChildSpec spec{"child", {"{}"}, {}};
      spec.slice.calls = 3;
      auto ended = co_await wf.child(std::move(key), std::move(spec));
      auto own = co_await ask_model(wf, "own");
      co_return JsonText{own.value_or("refused")};
    });
    Budget budget;
    budget.calls = 10;
    submit("parent", "run-1", budget);
    settle();
    ASSERT_EQ(report().end, RunEnd::done);
  }
};

TEST_F(AuditTest, WhatTheEngineWritesIsSound) {
  run_with_child();
  EXPECT_THAT(problems(), IsEmpty());
}

TEST_F(AuditTest, AChildHasTheSliceItWasGivenAndItsParentBooksWhatItUsed) {  // (e)
  run_with_child();
  auto parent_row = journal_.run("run-1")->value();
  auto parent_entries = *journal_.history("run-1");
  AuditedRun parent{parent_row, parent_entries};
  auto row = (*journal_.children("run-1")).front();
  auto entries = *journal_.history(row.run_id);
  std::vector<std::string> out;
  audit_child(parent, {row, entries}, out);
  EXPECT_THAT(out, IsEmpty());
  auto richer = row;
  richer.budget = R"({"calls":4})";
  audit_child(parent, {richer, entries}, out);
  EXPECT_THAT(out, ElementsAre(HasSubstr("is not the slice")));
  out.clear();
  auto cheaper = entries;
  std::erase_if(cheaper, [](const auto& each) { return each.kind == journal::Kind::result; });
  std::erase_if(cheaper, [](const auto& each) { return each.kind == journal::Kind::intent; });
  audit_child(parent, {row, cheaper}, out);
  EXPECT_THAT(out, ElementsAre(HasSubstr("booked")));
}

}  // namespace
}  // namespace troupe::actors::testing
