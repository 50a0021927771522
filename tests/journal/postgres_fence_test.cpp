// Who may write to a shared store: seats, leases, taking over, and what a holder that does not know it is
// dead can still do.
#include "tests/journal/postgres_support.hpp"

#include <gmock/gmock.h>

#include <future>

namespace troupe::journal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class PostgresFenceTest : public PostgresTest {
 protected:
  /// Node a holds run r with one entry; its lease has run out, but it does not know.
  void leave_a_stale_holder() {
    stale_ = open("a");
    ASSERT_TRUE(stale_->claim(run_row("r")));
    ASSERT_TRUE(append_now(*stale_, entry("r", 1)));
    let_lapse("a");
    heir_ = open("b");
    let_live("b");
  }
  std::vector<RunRow> inherit() { return heir_->membership()->take_over(100).value(); }

  std::unique_ptr<Journal> stale_, heir_;
};

TEST_F(PostgresFenceTest, AStaleHolderWritesNothingAfterAnotherTookOver) {  // RUNTIME 4.5, 5.5
  leave_a_stale_holder();
  ASSERT_TRUE(append_now(*stale_, entry("r", 2))) << "nobody has taken over yet, so nobody is hurt";
  auto rows = inherit();
  ASSERT_THAT(ids(rows), ElementsAre("r"));
  EXPECT_EQ(rows[0].epoch, 2u);
  EXPECT_EQ(rows[0].node, "b");
  auto late = append_now(*stale_, entry("r", 3));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Errc::storage);
  EXPECT_THAT(late.error().what, HasSubstr("fenced"));
  EXPECT_FALSE(stale_->claim(run_row("new"))) << "a fenced node starts nothing either";
  EXPECT_FALSE(stale_->membership()->held());
  EXPECT_EQ(stale_->membership()->renew().error().code, Errc::refused);
  EXPECT_TRUE(append_now(*heir_, entry("r", 3, Kind::note, "k", 2)));
  EXPECT_EQ(heir_->history("r")->size(), 3u);
  EXPECT_THAT(faults(*heir_), IsEmpty());
}

TEST_F(PostgresFenceTest, WithoutTheFenceALateRowGetsIn) {
  leave_a_stale_holder();
  inherit();
  execute(
      "CREATE OR REPLACE FUNCTION open_commit(mine int8, my_session int8, number int8) RETURNS void"
      " LANGUAGE plpgsql AS $$ BEGIN END $$");
  EXPECT_TRUE(append_now(*stale_, entry("r", 2))) << "this is what the fence is for";
  EXPECT_FALSE(append_now(*heir_, entry("r", 2, Kind::note, "k", 2))) << "and the new holder pays for it";
}

TEST_F(PostgresFenceTest, AFencedNodeJoinsAnewAndIsAnotherIncarnation) {
  leave_a_stale_holder();
  inherit();
  ASSERT_FALSE(append_now(*stale_, entry("r", 2)));
  auto again = stale_->membership()->join("a", "tcp://a", "eu");
  ASSERT_TRUE(again) << again.error().what;
  EXPECT_FALSE(append_now(*stale_, entry("r", 2))) << "the run has gone to b, whatever a is now";
  EXPECT_TRUE(stale_->claim(run_row("new")));
}

TEST_F(PostgresFenceTest, ManyWritersAreAllCutOffAtOnce) {
  constexpr std::size_t runs = 4;
  auto stale = open("a"), heir = open("b");
  let_live("a");
  let_live("b");
  Load load(*stale, runs);
  load.wait_for(50);
  let_lapse("a");
  ASSERT_EQ(heir->membership()->take_over(100)->size(), runs);
  std::vector<std::size_t> inherited;
  for (std::size_t i = 0; i < runs; ++i) inherited.push_back(heir->history(Load::run(i))->size());
  load.join();
  for (std::size_t i = 0; i < runs; ++i) {
    auto size = heir->history(Load::run(i))->size();
    EXPECT_EQ(size, inherited[i]) << "a late row";
    EXPECT_GE(size, load.acknowledged(i)) << "an acknowledged row is lost";
    EXPECT_TRUE(append_now(*heir, entry(Load::run(i), size + 1, Kind::note, "k", 2)));
  }
  EXPECT_THAT(faults(*heir), IsEmpty());
}

TEST_F(PostgresFenceTest, TheOlderOfTwoProcessesOfOneNodeIsRefused) {  // RUNTIME 6, complaint 2
  auto older = open("a");
  let_live("a");
  ASSERT_TRUE(older->claim(run_row("r")));
  auto newer = open("a");
  EXPECT_FALSE(append_now(*older, entry("r", 1)));
  EXPECT_FALSE(older->membership()->held());
  EXPECT_FALSE(append_now(*newer, entry("r", 1))) << "it has not taken the run up yet";
  auto rows = newer->membership()->take_over(10).value();
  ASSERT_THAT(ids(rows), ElementsAre("r"));
  EXPECT_TRUE(append_now(*newer, entry("r", 1, Kind::note, "k", rows[0].epoch)));
}

TEST_F(PostgresFenceTest, ARunOfALivingNodeCannotBeClaimed) {
  auto holder = open("a");
  let_live("a");
  ASSERT_TRUE(holder->claim(run_row("r")));
  auto other = open("b");
  let_live("b");
  auto claimed = other->claim(run_row("r"));
  ASSERT_FALSE(claimed);
  EXPECT_EQ(claimed.error().code, Errc::refused);
  EXPECT_THAT(claimed.error().what, HasSubstr("held by node n1"));
  EXPECT_THAT(ids(other->membership()->take_over(10)), IsEmpty());
  EXPECT_TRUE(append_now(*holder, entry("r", 1)));
  // Once it has ended, anyone may resume it, and then its old holder may not.
  auto row = holder->run("r").value().value();
  row.state = RunState::failed;
  Batch last;
  last.run = row;
  ASSERT_TRUE(append_now(*holder, last));
  EXPECT_EQ(other->claim(run_row("r"))->epoch, 2u);
  EXPECT_FALSE(append_now(*holder, entry("r", 2)));
  EXPECT_FALSE(append_now(*holder, entry("r", 2, Kind::note, "k", 2))) << "nor by guessing the epoch";
  EXPECT_TRUE(append_now(*other, entry("r", 2, Kind::note, "k", 2)));
}

TEST_F(PostgresFenceTest, ADrainedNodesRunsMoveAtOnce) {
  auto leaving = open("a");
  let_live("a");
  for (int i = 0; i < 70; ++i) ASSERT_TRUE(leaving->claim(run_row("r" + std::to_string(i))));
  auto parked = leaving->run("r7").value().value();
  parked.wake = {99};
  Batch batch;
  batch.run = parked;
  ASSERT_TRUE(append_now(*leaving, batch));
  auto heir = open("b");
  let_live("b");
  ASSERT_TRUE(leaving->membership()->leave());
  EXPECT_FALSE(append_now(*leaving, entry("r0", 1)));
  EXPECT_EQ(heir->membership()->take_over(40)->size(), 40u) << "as many as asked for";
  auto rest = heir->membership()->take_over(100).value();
  EXPECT_EQ(rest.size(), 30u);
  EXPECT_EQ(heir->run("r7").value()->wake.ms, 99) << "parked runs move along and stay parked";
  EXPECT_THAT(heir->membership()->take_over(100).value(), IsEmpty());
}

TEST_F(PostgresFenceTest, TwoHeirsShareTheRunsWithoutOverlap) {
  auto dead = open("a");
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(dead->claim(run_row("r" + std::to_string(i))));
  auto one = open("b"), two = open("c");
  let_live("b");
  let_live("c");
  let_lapse("a");
  auto theirs = std::async(std::launch::async, [&] { return two->membership()->take_over(1000).value(); });
  auto mine = one->membership()->take_over(1000).value();
  auto others = theirs.get();
  EXPECT_EQ(mine.size() + others.size(), 200u);
  for (const auto& row : mine) EXPECT_EQ(row.epoch, 2u);
  for (const auto& row : others) EXPECT_EQ(row.epoch, 2u);
}

TEST_F(PostgresFenceTest, AProcessStoppedInTheMiddleOfACommitHoldsNobodyUp) {  // RUNTIME 4.5
  leave_a_stale_holder();
  // What a process stopped by SIGSTOP leaves behind: a transaction that has locked its seat and says no more.
  auto frozen = session();
  auto opened =
      frozen.query("SELECT my_session FROM open_session((SELECT incarnation FROM node WHERE id = 'a'))");
  ASSERT_TRUE(opened) << opened.error().what;
  ASSERT_TRUE(frozen.execute("BEGIN"));
  ASSERT_TRUE(frozen.query("SELECT open_commit((SELECT incarnation FROM node WHERE id = 'a'), $1::int8, 99)",
                           PgParams::of(opened->integer(0, 0))));
  EXPECT_THAT(ids(inherit()), ElementsAre("r"));
  EXPECT_FALSE(frozen.execute("COMMIT")) << "when it wakes up, its transaction is gone";
}

TEST_F(PostgresFenceTest, AServerThatWasAwayMakesNobodyDead) {
  auto config_a = config("a"), config_b = config("b");
  config_a.lease = config_b.lease = std::chrono::minutes(10);
  auto holder = open(config_a);
  ASSERT_TRUE(holder->claim(run_row("r")));
  auto other = open(config_b);
  let_lapse("a");
  // As after a start of the server: the lease that counts is its length from there, which is not over.
  EXPECT_THAT(ids(other->membership()->take_over(10)), IsEmpty());
  EXPECT_TRUE(append_now(*holder, entry("r", 1)));
}

class PostgresSeatTest : public PostgresTest {};

TEST_F(PostgresSeatTest, AHolderDistrustsItsLeaseBeforeOthersMay) {  // RUNTIME 5.5
  SteppedClock clock;
  auto timed = config("a");
  timed.clock = &clock;
  timed.lease = std::chrono::seconds(9);
  auto journal = open(timed);
  auto* membership = journal->membership();
  clock.pass(std::chrono::milliseconds(5999));
  EXPECT_TRUE(membership->held());
  clock.pass(std::chrono::milliseconds(1));
  EXPECT_FALSE(membership->held()) << "from two thirds of the lease on";
  ASSERT_TRUE(membership->renew());
  EXPECT_TRUE(membership->held());
  clock.pass(std::chrono::seconds(6));
  EXPECT_FALSE(membership->held());
}

TEST_F(PostgresSeatTest, TheStoreRenewsByItselfWhenAsked) {
  auto renewing = config("a");
  renewing.lease = std::chrono::milliseconds(60);
  renewing.renew_every = std::chrono::milliseconds(20);
  auto journal = open(renewing);
  auto before = journal->membership()->nodes().value().at(0).lease_until;
  auto after = before;
  while (after.ms <= before.ms) after = journal->membership()->nodes().value().at(0).lease_until;
  EXPECT_GT(after.ms, before.ms);
}

TEST_F(PostgresSeatTest, NamesItsNodes) {
  auto a = open("a"), b = open("b");
  let_live("b");
  let_lapse("a");
  ASSERT_TRUE(b->membership()->join("b", "tcp://b:1", "eu"));
  auto nodes = b->membership()->nodes().value();
  ASSERT_EQ(nodes.size(), 2u);
  EXPECT_FALSE(nodes[0].alive);
  EXPECT_TRUE(nodes[1].alive);
  EXPECT_EQ(nodes[1].address, "tcp://b:1");
  EXPECT_EQ(nodes[1].region, "eu");
  EXPECT_GT(nodes[1].incarnation, nodes[0].incarnation);
  EXPECT_GT(nodes[1].joined.ms, 1'600'000'000'000);
}

TEST_F(PostgresSeatTest, APokeReachesTheWatchersOfOtherNodes) {
  auto a = open("a"), b = open("b");
  std::promise<std::string> heard;
  std::atomic<bool> ticked = false;
  b->membership()->watch([&, told = false](const std::string& topic) mutable {
    if (topic.empty()) ticked = true;
    if (!topic.empty() && !std::exchange(told, true)) heard.set_value(topic);
  });
  auto hearing = heard.get_future();
  // It may not be listening yet: hints get lost, so who needs to be heard repeats.
  do ASSERT_TRUE(a->membership()->poke("signal r"));
  while (hearing.wait_for(std::chrono::milliseconds(50)) != std::future_status::ready);
  EXPECT_EQ(hearing.get(), "signal r");
  EXPECT_TRUE(ticked);
  b->membership()->watch({});
  EXPECT_EQ(a->membership()->poke("").error().code, Errc::invalid_input);
  EXPECT_EQ(a->membership()->poke(std::string(201, 'x')).error().code, Errc::invalid_input);
}

}  // namespace
}  // namespace troupe::journal
