// The checker must see what the writer would never write.
#include "runtime/journal/check.hpp"

#include "tests/journal/journal_support.hpp"

#include <gmock/gmock.h>

namespace troupe::journal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

RunRow at_epoch(std::uint64_t epoch, RunState state = RunState::running) {
  auto row = run_row("r");
  row.epoch = epoch;
  row.state = state;
  return row;
}

Entry placed(std::uint64_t seq, Kind kind, const std::string& key, std::uint64_t epoch = 1) {
  auto e = entry("r", seq, kind, key, epoch);
  e.lsn = seq * 10;
  e.attempt = kind == Kind::result ? 1 : 0;
  return e;
}

TEST(CheckHistory, ASoundHistoryHasNoFindings) {
  std::vector<Entry> history{placed(1, Kind::start, ""),           placed(2, Kind::intent, "a"),
                             placed(3, Kind::result, "a"),         placed(4, Kind::timer_set, "t"),
                             placed(5, Kind::timer_fired, "t", 2), placed(6, Kind::done, "", 2)};
  EXPECT_THAT(check_history(at_epoch(2, RunState::done), history), IsEmpty());
}

TEST(CheckHistory, SeesAGapInSeq) {
  EXPECT_THAT(
      check_history(at_epoch(1), std::vector{placed(1, Kind::start, ""), placed(3, Kind::intent, "a")}),
      ElementsAre(HasSubstr("entry 3: follows entry 1")));
}

TEST(CheckHistory, SeesEpochsThatFallOrWereNeverGiven) {
  EXPECT_THAT(
      check_history(at_epoch(2), std::vector{placed(1, Kind::start, "", 2), placed(2, Kind::intent, "a", 1)}),
      ElementsAre(HasSubstr("epoch 1 after 2")));
  EXPECT_THAT(check_history(at_epoch(1), std::vector{placed(1, Kind::start, "", 5)}),
              ElementsAre(HasSubstr("the run is at 1")));
}

TEST(CheckHistory, SeesASecondResultAndOneWithoutIntent) {
  std::vector<Entry> history{placed(1, Kind::intent, "a"), placed(2, Kind::result, "a"),
                             placed(3, Kind::result, "a"), placed(4, Kind::result, "b")};
  EXPECT_THAT(check_history(at_epoch(1), history),
              ElementsAre(HasSubstr("second result of step a"), HasSubstr("step b without an intent")));
  history = {placed(1, Kind::result, "pure")};
  history[0].attempt = 0;
  EXPECT_THAT(check_history(at_epoch(1), history), IsEmpty()) << "a pure step writes no intent";
}

TEST(CheckHistory, SeesAnEndWithoutAnEntry) {
  std::vector<Entry> history{placed(1, Kind::cancel, "")};
  EXPECT_THAT(check_history(at_epoch(1, RunState::done), history), ElementsAre(HasSubstr("no end")));
  EXPECT_THAT(check_history(at_epoch(1, RunState::cancelled), history), IsEmpty());
}

TEST(CheckHistory, LeavesAFailedRunOpenForItsNextLife) {
  EXPECT_THAT(check_history(at_epoch(1, RunState::failed), std::vector{placed(1, Kind::start, "")}),
              IsEmpty());
}

TEST(CheckHistory, SeesATimerThatFiredUnset) {
  EXPECT_THAT(check_history(at_epoch(1), std::vector{placed(1, Kind::timer_fired, "t")}),
              ElementsAre(HasSubstr("without being set")));
}

TEST(CheckHistory, SeesChildrenThatEndUnstartedOrTwice) {
  std::vector<Entry> history{placed(1, Kind::child_start, "a"), placed(2, Kind::child_end, "a"),
                             placed(3, Kind::child_end, "a"), placed(4, Kind::child_end, "b")};
  EXPECT_THAT(
      check_history(at_epoch(1), history),
      ElementsAre(HasSubstr("child a ended twice"), HasSubstr("child b ended without being started")));
}

TEST(CheckHistory, SeesAnAttemptIntendedTwice) {  // RUNTIME 4.3 h
  std::vector<Entry> history{placed(1, Kind::intent, "a"), placed(2, Kind::intent, "a"),
                             placed(3, Kind::intent, "b")};
  history[0].attempt = history[1].attempt = history[2].attempt = 1;
  EXPECT_THAT(check_history(at_epoch(1), history),
              ElementsAre(HasSubstr("attempt 1 of step a is intended twice")));
  history[1].attempt = 2;
  EXPECT_THAT(check_history(at_epoch(1), history), IsEmpty()) << "another attempt is another key";
}

TEST(CheckHistory, SeesAnEndedRunThatIsParked) {  // RUNTIME 4.3 f
  auto row = at_epoch(1, RunState::failed);
  row.wake = {5};
  EXPECT_THAT(check_history(row, std::vector{placed(1, Kind::start, "")}),
              ElementsAre(HasSubstr("failed, but parked")));
}

}  // namespace
}  // namespace troupe::journal
