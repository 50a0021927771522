// Orders and exposures: kept in order, counted once, and given to files that were made before there were any.
#include "runtime/journal/database.hpp"
#include "tests/journal/journal_support.hpp"

namespace troupe::journal {
namespace {

ControlRow control_row(const std::string& subject, std::int64_t at) {
  return {"stop", subject, 7, "n1", R"({"name":"x"})", "ann", "bill", {at}};
}
ExposureRow exposure_row(const std::string& arm, std::uint64_t unit, std::uint64_t version = ~0ull) {
  return {"x", version, arm, unit, "d1", "n1", {static_cast<std::int64_t>(unit)}};
}

class ControlRowsTest : public StoreTest {};
class ControlFileTest : public JournalTest {};

TEST_P(ControlRowsTest, OrdersSurviveAndKeepTheirOrder) {  // C15
  {
    auto journal = open();
    Batch batch;
    batch.controls = {control_row("east", 20), control_row("west", 10)};
    ASSERT_TRUE(append_now(*journal, batch));
  }
  auto rows = open()->controls({});
  ASSERT_TRUE(rows) << rows.error().what;
  ASSERT_EQ(rows->size(), 2u);
  EXPECT_EQ((*rows)[0].subject, "east");
  EXPECT_EQ((*rows)[1].epoch, 7u);
  EXPECT_EQ((*rows)[1].why, "bill");
  EXPECT_EQ(open_readonly()->controls({15})->size(), 1u);
}

TEST_P(ControlRowsTest, AUnitIsCountedOnceForEachVersion) {
  auto journal = open();
  Batch batch;
  batch.exposures = {exposure_row("a", 1), exposure_row("a", 1), exposure_row("b", 2), exposure_row("a", 3),
                     exposure_row("a", 1, 5)};
  ASSERT_TRUE(append_now(*journal, batch));
  auto counts = journal->exposures();
  ASSERT_TRUE(counts);
  ASSERT_EQ(counts->size(), 3u);
  std::uint64_t units = 0;
  for (const auto& each : *counts) {
    units += each.units;
    EXPECT_TRUE(each.version == 5 || each.version == ~0ull);
  }
  EXPECT_EQ(units, 4u);
}

TEST_F(ControlFileTest, AFileFromBeforeIsReadAsEmptyAndGivenTheTablesWhenWritten) {
  open();
  {
    auto connection = Connection::open(path(), Connection::Mode::create);
    ASSERT_TRUE(connection &&
                connection->execute("DROP TABLE control; DROP TABLE exposure; DROP TABLE breaker_memory;"
                                    "PRAGMA user_version=1"));
  }
  auto reading = open_sqlite_readonly(path());
  ASSERT_TRUE(reading);
  EXPECT_EQ((*reading)->controls({})->size(), 0u);
  EXPECT_EQ((*reading)->exposures()->size(), 0u);
  EXPECT_EQ((*reading)->breaker_memories()->size(), 0u);
  auto journal = open();
  Batch batch;
  batch.controls = {control_row("east", 20)};
  batch.breaker_memories = {{"e", "n", "m", {1}}};
  EXPECT_TRUE(append_now(*journal, batch));
  EXPECT_EQ(journal->controls({})->size(), 1u);
  EXPECT_EQ(journal->breaker_memories()->size(), 1u);
}

TEST_P(ControlRowsTest, TextsOverTheirBoundAreRefused) {
  auto journal = open();
  Batch batch;
  batch.controls = {control_row(std::string(2048, 'x'), 1)};
  EXPECT_TRUE(append_now(*journal, batch));
  batch.controls = {control_row(std::string(2049, 'x'), 1)};
  EXPECT_EQ(append_now(*journal, batch).error().code, Errc::invalid_input);
  batch = {};
  batch.exposures = {exposure_row(std::string(2049, 'x'), 1)};
  EXPECT_EQ(append_now(*journal, batch).error().code, Errc::invalid_input);
}

INSTANTIATE_TEST_SUITE_P(Sqlite, ControlRowsTest, ::testing::Values(StoreKind::sqlite));
INSTANTIATE_TEST_SUITE_P(Postgres, ControlRowsTest, ::testing::Values(StoreKind::postgres));

}  // namespace
}  // namespace troupe::journal
