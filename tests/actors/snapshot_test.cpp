// Runs that say where they stand: what a life begins with, what is not read again, and what goes on (RUNTIME
// 5.3, M12, M14).
#include "actors/audit.hpp"
#include "actors/audit_run.hpp"
#include "actors/run_snapshot.hpp"
#include "actors/verify_run.hpp"
#include "runtime/json/json.hpp"
#include "tests/actors/host_world.hpp"

#include <gmock/gmock.h>

namespace troupe::actors::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct WatchState {
  int round = 0;
  std::string seen;
};
JsonText to_json_text(const WatchState& state) {
  return {dump_json(Json{{"round", state.round}, {"seen", state.seen}})};
}
Result<void> from_json_text(const JsonText& json, WatchState& state) {
  auto value = parse_json(json.text);
  if (!value || !value->is_object()) return fail(Errc::invalid_input, "no state of a watch");
  state = {static_cast<int>(get_int(*value, "round")), get_string(*value, "seen")};
  return {};
}

constexpr int kRounds = 5;

/// Asks the same in each round, which is named by nothing but the snapshot before it.
Task<Result<JsonText>> watches(Workflow& wf, JsonText) {
  auto state = wf.restored_or(WatchState{});
  if (!state) co_return std::unexpected(state.error());
  while (state->round < kRounds) {
    auto rested = co_await wf.snapshot(*state);
    if (!rested) co_return std::unexpected(rested.error());
    auto text = co_await ask_model(wf, "look");
    state->seen +=
        (text ? text->substr(text->rfind('@') + 1) : std::string(to_string(text.error().code))) + " ";
    ++state->round;
  }
  co_return JsonText{state->seen};
}

class SnapshotTest : public HostTest {
 protected:
  std::size_t count(journal::Kind kind) {
    auto entries = *journal_.history("run-1");
    return static_cast<std::size_t>(
        std::ranges::count_if(entries, [&](const auto& entry) { return entry.kind == kind; }));
  }
  std::vector<std::string> problems() { return audit(journal_, {}).value(); }
  ReplayVerdict verify(WorkflowType code) {
    std::string lines;
    for (const auto& line : export_lines({(*journal_.run("run-1")).value(), *journal_.history("run-1")}))
      lines += dump_json(line) + "\n";
    auto read = read_histories(lines);
    EXPECT_TRUE(read) << read.error().what;
    return read ? verify_run(read->front(), {std::move(code), {}, {}}) : ReplayVerdict{};
  }
  void expect_made_again(const WorkflowFunction& code, const std::string& what) {
    auto verdict = verify({"flow", code, {}, {}, {}});
    EXPECT_GT(verdict.made, 0u) << what;
    for (const auto& each : verdict.drift)
      ADD_FAILURE() << what << ": entry " << each.seq << " recorded " << each.recorded << ", now "
                    << each.now;
  }
  void next_life() {
    new_process();
    ASSERT_TRUE(host_->resume());
    run();
    settle();
  }
  std::string output() { return (*journal_.run("run-1"))->output; }
};

TEST_F(SnapshotTest, AKeyIsANameOfItsRound) {
  add("flow", watches);
  submit("flow");
  settle();
  EXPECT_EQ(report().output.text, "1 2 3 4 5 ");
  EXPECT_EQ(count(journal::Kind::snapshot), 5u);
  EXPECT_EQ(calls(), 5);
  EXPECT_EQ(report().steps, 5u);
  EXPECT_EQ(report().spent.calls, 5);
  EXPECT_EQ(report().attempts.size(), 1u) << "those of the last round";
  EXPECT_EQ(report().before_snapshot.attempts, 4u);
  EXPECT_EQ((*journal_.run("run-1"))->tokens_in, 50) << "the row has them all";
  EXPECT_THAT(problems(), IsEmpty());
  expect_made_again(watches, "whole");
}

TEST_F(SnapshotTest, GoesOnFromTheLastOneWhereverTheProcessDied) {  // M12
  add("flow", watches);
  submit("flow", "whole");
  auto boundaries = settle();
  for (std::size_t at = 1; at <= boundaries; ++at)
    for (bool compacted : {false, true}) {
      journal_ = {};
      calls_.clear();
      new_process();
      submit("flow");
      settle(at);
      auto rested = count(journal::Kind::snapshot);
      if (compacted) (void)journal_.compact("run-1", 0);
      next_life();
      EXPECT_EQ(output(), "1 2 3 4 5 ") << "died after commit " << at;
      EXPECT_EQ(count(journal::Kind::snapshot), compacted && rested > 0 ? 6 - rested : 5u)
          << "none is taken twice";
      EXPECT_LE(calls(), 6) << "at most the call under way is made again";
      EXPECT_THAT(problems(), IsEmpty()) << at;
      EXPECT_EQ((*journal_.run("run-1"))->tokens_in, 50);
      expect_made_again(watches, "after commit " + std::to_string(at));
    }
}

TEST_F(SnapshotTest, WhatCameBeforeIsNotReadAgain) {
  int begun = 0, rounds = 0;
  hold_ = true;
  add("flow", [&](Workflow& wf, JsonText) -> Task<Result<JsonText>> {
    ++begun;
    auto state = wf.restored();
    int round = state ? std::stoi(state->text) : 0;
    for (;; ++round, ++rounds) {
      JsonText here{std::to_string(round)};
      auto rested = co_await wf.snapshot(std::move(here));
      if (round == 3) (void)co_await ask_model(wf, "last");
      if (round == 4) co_return JsonText{std::to_string(round)};
    }
  });
  submit("flow");
  settle();
  ASSERT_EQ(rounds, 3);
  hold_ = false;
  next_life();
  EXPECT_EQ(begun, 2);
  EXPECT_EQ(rounds, 4) << "of the four rounds one was gone through again";
  EXPECT_EQ(output(), "4");
}

TEST_F(SnapshotTest, TheBudgetGoesOn) {
  add("flow", watches);
  Budget three;
  three.calls = 3;
  submit("flow", "run-1", three);
  // A new process after each commit, and nothing of the past left.
  for (int life = 0; life < 40 && output().empty(); ++life) {
    settle(1);
    (void)journal_.compact("run-1", 0);
    new_process();
    ASSERT_TRUE(host_->resume());
    run();
  }
  settle();
  // Calls whose outcome a death left unknown count as spent; with none left the others are refused.
  EXPECT_THAT(output(), HasSubstr("refused refused"));
  EXPECT_LE(calls(), 3);
  EXPECT_THAT(problems(), IsEmpty());
}

TEST_F(SnapshotTest, TheAuditComparesWhatItSaysWasSpent) {
  add("flow", watches);
  submit("flow");
  settle();
  auto row = (*journal_.run("run-1")).value();
  auto entries = *journal_.history("run-1");
  for (auto& entry : entries) {
    if (entry.kind != journal::Kind::snapshot) continue;
    auto note = read_snapshot(entry.payload).value();
    if (note.number == 3) note.spent.tokens -= 15;
    entry.payload = to_payload(note);
  }
  std::vector<std::string> found;
  audit_history({row, entries}, found);
  // The next one adds to what this one said.
  EXPECT_THAT(found, ElementsAre(HasSubstr("15 tokens and $0.5"), HasSubstr("45 tokens")));
}

// ---- signals ----

Task<Result<JsonText>> rests_then_listens(Workflow& wf, JsonText) {
  auto state = wf.restored();
  if (!state) {
    (void)co_await ask_model(wf, "first");
    JsonText here{"1"};
    auto rested = co_await wf.snapshot(std::move(here));
    if (!rested) co_return std::unexpected(rested.error());
  }
  std::string words;
  for (auto id : {"1", "2", "3"}) {
    StepKey key{"word", id};
    auto word = co_await wf.signal(std::move(key));
    words += word->text;
  }
  co_return JsonText{words};
}

TEST_F(SnapshotTest, SignalsNobodyHasTakenGoOn) {
  hold_ = true;
  add("flow", rests_then_listens);
  submit("flow");
  settle();
  EXPECT_TRUE(host_->signal("run-1", "word", "a", 7));
  EXPECT_TRUE(host_->signal("run-1", "word", "b", 8));
  run();
  ASSERT_EQ(held_.size(), 1u);
  answer(held_.front());
  run();
  // The signals' entries are on their way when the snapshot is written.
  settle();
  ASSERT_EQ(count(journal::Kind::snapshot), 1u);
  ASSERT_TRUE(journal_.compact("run-1", 0));
  ASSERT_EQ(count(journal::Kind::signal_in), 0u);
  next_life();
  EXPECT_TRUE(host_->signal("run-1", "word", "b", 8)) << "said again";
  run();
  settle();
  EXPECT_EQ(output(), "");
  EXPECT_TRUE(host_->signal("run-1", "word", "c", 9));
  run();
  settle();
  EXPECT_EQ(output(), "abc");
  EXPECT_THAT(problems(), IsEmpty());
  expect_made_again(rests_then_listens, "signals");
}

// ---- only at rest ----

TEST_F(SnapshotTest, IsRefusedWhileAStepIsUnderWay) {
  std::string first, second;
  add("flow", [&](Workflow& wf, JsonText) -> Task<Result<JsonText>> {
    auto rest = [](Workflow& w, std::string* said) -> Task<Result<std::string>> {
      JsonText here{"1"};
      auto rested = co_await w.snapshot(std::move(here));
      *said = rested ? "rested" : rested.error().what;
      co_return *said;
    };
    std::vector<Task<Result<std::string>>> tasks;
    tasks.push_back(ask_model(wf, "a"));
    tasks.push_back(rest(wf, &first));
    auto joined = all(std::move(tasks));
    (void)co_await joined;
    std::vector<Task<Result<std::string>>> others;
    others.push_back(rest(wf, &second));
    others.push_back(ask_model(wf, "b"));
    auto together = all(std::move(others));
    (void)co_await together;
    std::string large(kSnapshotBytesMax + 1, ' ');
    JsonText here{large};
    auto rested = co_await wf.snapshot(std::move(here));
    co_return JsonText{rested ? "rested" : rested.error().what};
  });
  submit("flow");
  settle();
  EXPECT_THAT(first, HasSubstr("step ask/a is under way"));
  EXPECT_THAT(second, HasSubstr("step ask/b is under way"));
  EXPECT_THAT(output(), HasSubstr("the most is"));
  EXPECT_EQ(count(journal::Kind::snapshot), 0u);
  EXPECT_THAT(problems(), IsEmpty());
}

TEST_F(SnapshotTest, WaitsForWhatNobodyWaitsForAnyMore) {
  hold_ = true;
  add("flow", [](Workflow& wf, JsonText) -> Task<Result<JsonText>> {
    if (wf.restored()) co_return JsonText{"again"};
    std::vector<Task<Result<std::string>>> tasks;
    for (auto id : {"1", "2", "3"}) tasks.push_back(ask_model(wf, id));
    auto racing = first_k(std::move(tasks), 1);
    (void)co_await racing;
    JsonText here{"1"};
    auto rested = co_await wf.snapshot(std::move(here));
    co_return JsonText{rested ? "rested" : rested.error().what};
  });
  submit("flow");
  settle();
  ASSERT_EQ(held_.size(), 3u);
  answer(held_[1]);
  run();
  settle();
  EXPECT_EQ(output(), "rested");
  auto entries = *journal_.history("run-1");
  // The losers' ends are in the record before it, and no step is open at it.
  EXPECT_EQ(entries[entries.size() - 2].kind, journal::Kind::snapshot);
  EXPECT_THAT(problems(), IsEmpty());
}

// ---- upgrades ----

WorkflowFunction waits_a_round(std::string word) {
  return [word](Workflow& wf, JsonText) -> Task<Result<JsonText>> {
    auto state = wf.restored();
    std::string seen = state ? state->text : "";
    JsonText here{seen};
    auto rested = co_await wf.snapshot(std::move(here));
    if (!rested) co_return std::unexpected(rested.error());
    auto text = co_await ask_model(wf, "a");
    co_return JsonText{seen + word + *text};
  };
}

TEST_F(SnapshotTest, ARunIsUpgradedAtItsSnapshot) {  // M14
  hold_ = true;
  add("flow", waits_a_round("one "), "v1");
  submit("flow");
  settle();
  hold_ = false;
  auto from_v1 = [](const std::string& from) { return from == "v1"; };
  types_.clear();
  new_process();
  WorkflowType second{"flow", waits_a_round("two "), "v2", from_v1, {}};
  second.migrate = [](const std::string& from, JsonText) -> Result<JsonText> {
    return fail(Errc::invalid_input, "cannot read the state of " + from);
  };
  host_->add(second);
  ASSERT_TRUE(host_->resume());
  run();
  settle();
  EXPECT_EQ((*journal_.run("run-1"))->version, "v1") << "what cannot be converted stays as it is";
  EXPECT_EQ((*journal_.run("run-1"))->state, journal::RunState::running);
  second.migrate = [](const std::string& from, JsonText state) -> Result<JsonText> {
    return JsonText{"of " + from + state.text + " "};
  };
  host_->add(second);
  ASSERT_TRUE(host_->resume());
  run();
  settle();
  EXPECT_THAT(output(), HasSubstr("of v1 two answer to ask/a"));
  EXPECT_EQ((*journal_.run("run-1"))->version, "v2");
  EXPECT_EQ(count(journal::Kind::version_mark), 1u);
  EXPECT_THAT(problems(), IsEmpty());
  auto verdict = verify(second);
  EXPECT_GT(verdict.made, 0u);
  for (const auto& each : verdict.drift) ADD_FAILURE() << each.recorded << ", now " << each.now;
}

TEST(SnapshotNoteFile, SurvivesTheWayAndRefusesGarbage) {
  SnapshotNote note;
  note.number = 3;
  note.version = "v1";
  note.state = {"{\"a\":1}"};
  note.started = {1000};
  note.now = {2000};
  note.spent.calls = 7;
  note.spent.usd = 0.5;
  note.refused = true;
  note.stage = BudgetStage::degrade;
  note.attempts = {9, 100, 50, 0.75};
  note.signals = {{"word", {1500}, {"\"x\""}}};
  note.signal_ids = {1, 2};
  auto bytes = to_payload(note);
  auto read = read_snapshot(bytes);
  ASSERT_TRUE(read);
  EXPECT_EQ(to_payload(*read), bytes);
  EXPECT_EQ(read->signals, note.signals);
  EXPECT_EQ(read->attempts, note.attempts);
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) EXPECT_FALSE(read_snapshot(bytes.substr(0, cut)));
}

}  // namespace
}  // namespace troupe::actors::testing
