// Runs that several runs share: joined by id, few at a time, the most urgent first (K2).
#include "actors/line_up.hpp"

#include "tests/support/memory_journal.hpp"

#include <gtest/gtest.h>

namespace troupe::actors::testing {
namespace {

/// Begins nothing; the test says how a run ends.
class HeldRuns final : public ChildRuns {
 public:
  Result<void> start(RunSpec spec, std::function<void(RunReport)> ended) override {
    if (refuses) return fail(Errc::refused, "the node is stopping");
    begun.push_back(spec.run_id);
    ends[spec.run_id] = std::move(ended);
    return {};
  }
  bool cancel(const std::string&, bool) override { return false; }
  bool signal(const std::string&, const std::string&, const std::string&, std::uint64_t) override {
    return false;
  }
  void end(const std::string& run_id, RunEnd how = RunEnd::done) {
    RunReport report;
    report.run_id = run_id;
    report.end = how;
    ends.at(run_id)(report);
  }
  bool refuses = false;
  std::vector<std::string> begun;
  std::map<std::string, std::function<void(RunReport)>> ends;
};

class LineUpTest : public ::testing::Test {
 protected:
  LineUp line_up(std::size_t running_max, bool by_urgency = true) {
    return LineUp(runs_, clock_, [this] { return &journal_; }, {running_max, by_urgency});
  }
  void join(LineUp& line, const std::string& id, int due_minutes) {
    RunSpec spec;
    spec.run_id = id;
    WallTime due{clock_.wall().ms + due_minutes * 60'000};
    line.join(std::move(spec), due, [this](const RunReport& report) { heard_.push_back(report); });
  }

  ManualClock clock_;
  HeldRuns runs_;
  journal::testing::MemoryJournal journal_;
  std::vector<RunReport> heard_;
};

using Ids = std::vector<std::string>;

TEST_F(LineUpTest, BeginsARunOnceHoweverManyJoinAndTellsThemAll) {
  auto line = line_up(4);
  for (int i = 0; i < 3; ++i) join(line, "day", 60);
  EXPECT_EQ(runs_.begun, Ids{"day"});
  runs_.end("day");
  EXPECT_EQ(heard_.size(), 3u);
}

TEST_F(LineUpTest, BeginsTheMostUrgentFirstWhoeverCameFirst) {
  auto line = line_up(1);
  for (auto [id, due] : {std::pair{"going", 500}, {"late", 300}, {"soon", 20}, {"later", 100}})
    join(line, id, due);
  for (const char* id : {"going", "soon", "later"}) runs_.end(id);
  EXPECT_EQ(runs_.begun, (Ids{"going", "soon", "later", "late"}));

  auto unordered = line_up(1, false);
  runs_.begun.clear();
  for (auto [id, due] : {std::pair{"a", 500}, {"b", 300}, {"c", 20}}) join(unordered, id, due);
  for (const char* id : {"a", "b"}) runs_.end(id);
  EXPECT_EQ(runs_.begun, (Ids{"a", "b", "c"}));
}

TEST_F(LineUpTest, MovesARunForwardWhenSomebodyMoreUrgentJoins) {
  auto line = line_up(1);
  for (auto [id, due] : {std::pair{"going", 500}, {"first", 100}, {"second", 300}, {"second", 20}})
    join(line, id, due);
  runs_.end("going");
  EXPECT_EQ(runs_.begun, (Ids{"going", "second"}));
}

TEST_F(LineUpTest, DoesNotBeginWhatNobodyNeedsAnyMore) {
  auto line = line_up(1);
  for (auto [id, due] : {std::pair{"going", 500}, {"missed", 10}, {"wanted", 10}, {"wanted", 400}})
    join(line, id, due);
  clock_.pass(std::chrono::minutes(30));
  runs_.end("going");
  EXPECT_EQ(runs_.begun, (Ids{"going", "wanted"}));
  ASSERT_EQ(heard_.size(), 2u);
  EXPECT_EQ(heard_.back().error->code, Errc::deadline_exceeded);
}

TEST_F(LineUpTest, AnswersAtOnceForARunThatIsDone) {
  journal::RunRow row;
  row.run_id = "day";
  (void)journal_.claim(row);
  journal::Batch batch;
  batch.run = *journal_.run("day").value();
  batch.run->state = journal::RunState::done;
  batch.run->output = "points";
  journal_.append(std::move(batch), [](auto) {});
  auto line = line_up(1);
  EXPECT_FALSE(line.output("day"));
  journal_.commit_next();
  join(line, "day", 10);
  ASSERT_EQ(heard_.size(), 1u);
  EXPECT_EQ(heard_[0].output.text, "points");
  EXPECT_EQ(line.output("day")->text, "points");
  EXPECT_TRUE(runs_.begun.empty());
}

TEST_F(LineUpTest, TellsAThousandWhoWaitWhenTheNodeStops) {
  auto line = line_up(1);
  for (int i = 0; i < 1000; ++i) join(line, "run " + std::to_string(i), 10);
  EXPECT_EQ(line.waiting(), 999u);
  runs_.refuses = true;
  runs_.end("run 0", RunEnd::interrupted);
  EXPECT_EQ(heard_.size(), 1000u);
  EXPECT_EQ(line.waiting(), 0u);
}

}  // namespace
}  // namespace troupe::actors::testing
