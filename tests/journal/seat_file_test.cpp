// What one SQLite file knows of seats and trees: who opens it next, and what files from before lack.
#include "tests/journal/journal_support.hpp"

#include "runtime/journal/database.hpp"
#include "runtime/journal/membership.hpp"

#include <gmock/gmock.h>

namespace troupe::journal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class SeatFileTest : public JournalTest {
 protected:
  SeatFileTest() : journal_(open()) {}
  RunRow start(const std::string& id) { return journal_->claim(run_row(id)).value(); }

  std::unique_ptr<Journal> journal_;
};

TEST_F(SeatFileTest, ANodeThatJoinsTakesOverWhatEarlierProcessesLeft) {
  auto* membership = journal_->membership();
  ASSERT_TRUE(membership);
  EXPECT_FALSE(membership->held());
  EXPECT_EQ(membership->take_over(10).error().code, Errc::refused) << "not without a seat";
  auto first = membership->join("n1", "tcp://a", "eu").value();
  EXPECT_TRUE(membership->held());
  start("a");
  start("b");
  EXPECT_THAT(membership->take_over(10).value(), IsEmpty()) << "they are ours already";
  journal_.reset();
  journal_ = open();
  membership = journal_->membership();
  auto second = membership->join("n1", "tcp://b", "eu").value();
  EXPECT_GT(second, first);
  EXPECT_EQ(membership->join("n1", "tcp://c", "eu").value(), second) << "still the same seat";
  EXPECT_THAT(ids(membership->take_over(1)), ElementsAre("a"));
  auto rows = membership->take_over(10).value();
  ASSERT_THAT(ids(rows), ElementsAre("b"));
  EXPECT_EQ(rows[0].epoch, 2u);
  EXPECT_FALSE(append_now(*journal_, entry("b", 1, Kind::note, "k", 1)));
  EXPECT_TRUE(append_now(*journal_, entry("b", 1, Kind::note, "k", 2)));
  auto nodes = membership->nodes().value();
  ASSERT_EQ(nodes.size(), 1u);
  EXPECT_EQ(nodes[0].address, "tcp://c");
  EXPECT_TRUE(nodes[0].alive);
  ASSERT_TRUE(membership->leave());
  EXPECT_FALSE(membership->held());
  EXPECT_FALSE(membership->renew());
  EXPECT_EQ(membership->join("", "", "").error().code, Errc::invalid_input);
  EXPECT_EQ(membership->join(std::string(201, 'n'), "", "").error().code, Errc::invalid_input);
  EXPECT_TRUE(membership->join(std::string(200, 'n'), "", ""));
}

TEST_F(SeatFileTest, APokeReachesTheWatcherUntilItIsReplaced) {
  auto* membership = journal_->membership();
  std::vector<std::string> heard;
  membership->watch([&](const std::string& topic) { heard.push_back(topic); });
  ASSERT_TRUE(membership->poke("signal r"));
  membership->watch({});
  ASSERT_TRUE(membership->poke("unheard"));
  EXPECT_THAT(heard, ElementsAre("signal r"));
  EXPECT_EQ(membership->poke("").error().code, Errc::invalid_input);
}

TEST_F(SeatFileTest, AFileFromBeforeTreesIsReadAndGivenThemWhenWritten) {
  start("r");
  journal_.reset();
  {
    auto connection = Connection::open(path(), Connection::Mode::create);
    ASSERT_TRUE(
        connection &&
        connection->execute("DROP INDEX run_due; DROP INDEX run_unfinished; DROP INDEX run_by_parent;"
                            "ALTER TABLE run DROP COLUMN parent; ALTER TABLE run DROP COLUMN budget;"
                            "ALTER TABLE run DROP COLUMN version; ALTER TABLE run DROP COLUMN wake;"
                            "ALTER TABLE run DROP COLUMN holder; ALTER TABLE run DROP COLUMN durability;"
                            "DROP TABLE node; PRAGMA user_version=5"));
  }
  auto reading = open_sqlite_readonly(path()).value();
  EXPECT_EQ(reading->run("r").value()->parent, "");
  EXPECT_THAT(ids(reading->unfinished("n1", 9)), ElementsAre("r"));
  EXPECT_THAT(reading->due({999}, 9).value(), IsEmpty());
  EXPECT_THAT(faults(*reading), IsEmpty());
  EXPECT_EQ(reading->forget({999}, "").error().code, Errc::unsupported);
  reading.reset();
  journal_ = open();
  Batch batch;
  batch.run = start("r");
  batch.run->wake = {10};
  ASSERT_TRUE(append_now(*journal_, batch));
  EXPECT_THAT(journal_->due({10}, 9).value(), ElementsAre("r"));
}

}  // namespace
}  // namespace troupe::journal
