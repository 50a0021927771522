// Runs whose ids were just made for them: begun without being looked for.
#include "tests/journal/journal_support.hpp"

#include <gmock/gmock.h>

#include <memory>

namespace troupe::journal {
namespace {

using ::testing::IsEmpty;

class NewRunTest : public StoreTest {
 protected:
  static std::future<Result<RunRow>> begin(Journal& journal, RunRow row) {
    auto answered = std::make_shared<std::promise<Result<RunRow>>>();
    journal.begin_then(std::move(row),
                       [answered](Result<RunRow> begun) { answered->set_value(std::move(begun)); });
    return answered->get_future();
  }
  static std::future<Result<void>> append(Journal& journal, Batch batch) {
    auto answered = std::make_shared<std::promise<Result<void>>>();
    journal.append(std::move(batch), [answered](Result<void> done) { answered->set_value(std::move(done)); });
    return answered->get_future();
  }
};
INSTANTIATE_TEST_SUITE_P(Sqlite, NewRunTest, ::testing::Values(StoreKind::sqlite));
INSTANTIATE_TEST_SUITE_P(Postgres, NewRunTest, ::testing::Values(StoreKind::postgres));

TEST_P(NewRunTest, IsThereWithWhatWasQueuedBehindIt) {
  auto journal = open();
  auto row = run_row("r");
  row.input.assign(20'000, 'x');
  auto begun = begin(*journal, row);
  auto first = append(*journal, batch_of(entry("r", 1, Kind::start, "")));
  auto second = append(*journal, batch_of(entry("r", 2, Kind::result, "step")));
  auto answer = begun.get();
  ASSERT_TRUE(answer) << answer.error().what;
  EXPECT_EQ(answer->epoch, 1u);
  EXPECT_TRUE(first.get());
  EXPECT_TRUE(second.get());
  EXPECT_EQ(journal->run("r").value()->input, row.input);
  EXPECT_EQ(journal->history("r")->size(), 2u);
  EXPECT_EQ(journal->claim(run_row("r"))->epoch, 2u) << "from here on it is like any other";
  EXPECT_FALSE(append_now(*journal, entry("r", 3))) << "its first writer is fenced";
  EXPECT_THAT(faults(*journal), IsEmpty());
}

TEST_P(NewRunTest, OneThatIsThereAlreadyStaysAsItWasAndHarmsNoOther) {
  auto journal = open();
  for (auto id : {"taken", "other"}) ASSERT_TRUE(journal->claim(run_row(id)));
  auto row = run_row("taken");
  row.input = R"({"mine":true})";
  auto begun = begin(*journal, row);
  auto behind = append(*journal, batch_of(entry("other", 1)));
  EXPECT_FALSE(begun.get());
  EXPECT_TRUE(behind.get());
  EXPECT_EQ(journal->run("taken").value()->input, "{}");
  EXPECT_EQ(journal->run("taken").value()->epoch, 1u);
  EXPECT_TRUE(append_now(*journal, entry("taken", 1))) << "its holder goes on";
}

TEST_P(NewRunTest, ThousandsAtOnceAreAllThere) {
  auto journal = open();
  constexpr int runs = 2'500;
  std::vector<std::future<Result<RunRow>>> begun;
  for (int i = 0; i < runs; ++i) begun.push_back(begin(*journal, run_row("r" + std::to_string(i))));
  for (auto& each : begun) ASSERT_TRUE(each.get());
  EXPECT_EQ(journal->runs(2 * runs)->size(), static_cast<std::size_t>(runs));
  EXPECT_THAT(faults(*journal), IsEmpty());
}

}  // namespace
}  // namespace troupe::journal
