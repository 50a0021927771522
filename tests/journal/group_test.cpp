// What shares a commit: jobs that meet in one group are done as if each had one of its own.
#include "tests/journal/journal_support.hpp"

#include <gmock/gmock.h>

namespace troupe::journal {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// While it lives, everything that is queued waits; then it is one group.
class Held {
 public:
  Held(Journal& journal, Entry first) {
    journal.append(batch_of(std::move(first)), [this](Result<void>) {
      entered_.set_value();
      go_on_.get_future().wait();
    });
    entered_.get_future().wait();
  }
  ~Held() { go_on_.set_value(); }

 private:
  std::promise<void> entered_, go_on_;
};

class GroupTest : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    if (IsSkipped()) return;
    journal_ = open();
    ASSERT_TRUE(journal_->claim(run_row("before")));
  }
  std::future<Result<void>> append(Entry e) {
    auto answered = std::make_shared<std::promise<Result<void>>>();
    journal_->append(batch_of(std::move(e)),
                     [answered](Result<void> answer) { answered->set_value(std::move(answer)); });
    return answered->get_future();
  }
  std::future<Result<RunRow>> claim(RunRow row) {
    auto answered = std::make_shared<std::promise<Result<RunRow>>>();
    journal_->claim_then(std::move(row),
                         [answered](Result<RunRow> answer) { answered->set_value(std::move(answer)); });
    return answered->get_future();
  }

  std::unique_ptr<Journal> journal_;
};

TEST_P(GroupTest, ARunIsClaimedWrittenAndTakenOverInOne) {  // O3: one fenced writer
  std::vector<std::future<Result<RunRow>>> claims;
  std::vector<std::future<Result<void>>> written;
  {
    Held held(*journal_, entry("before", 1));
    claims.push_back(claim(run_row("r")));
    for (std::uint64_t seq = 1; seq <= 3; ++seq) written.push_back(append(entry("r", seq)));
    claims.push_back(claim(run_row("r")));
    written.push_back(append(entry("r", 4, Kind::signal_in, "k", 2)));
  }
  EXPECT_EQ(claims[0].get()->epoch, 1u);
  EXPECT_EQ(claims[1].get()->epoch, 2u);
  for (auto& each : written) EXPECT_TRUE(each.get());
  EXPECT_EQ(journal_->history("r")->size(), 4u);
  EXPECT_THAT(faults(*journal_), IsEmpty());
}

TEST_P(GroupTest, WhatIsRefusedLeavesClaimsAndEntriesOfItsGroupAlone) {
  std::vector<std::future<Result<void>>> good, bad;
  std::future<Result<RunRow>> fresh, again, stolen;
  {
    Held held(*journal_, entry("before", 1, Kind::result, "step"));
    fresh = claim(run_row("fresh"));
    good.push_back(append(entry("fresh", 1)));
    bad.push_back(append(entry("before", 2, Kind::result, "step")));
    again = claim(run_row("before"));
    bad.push_back(append(entry("before", 2)));
    good.push_back(append(entry("before", 2, Kind::signal_in, "k", 2)));
    auto other = run_row("fresh");
    other.workflow = "another";
    stolen = claim(std::move(other));
    good.push_back(append(entry("fresh", 2)));
  }
  EXPECT_EQ(fresh.get()->epoch, 1u);
  EXPECT_EQ(again.get()->epoch, 2u) << "once, however often the group was written";
  for (auto& each : good) {
    auto answer = each.get();
    EXPECT_TRUE(answer) << answer.error().what;
  }
  EXPECT_THAT(bad[0].get().error().what, HasSubstr("has a result already"));
  EXPECT_THAT(bad[1].get().error().what, HasSubstr("fenced"));
  EXPECT_EQ(stolen.get().error().code, Errc::invalid_input);
  EXPECT_EQ(journal_->history("before")->size(), 2u);
  EXPECT_EQ(journal_->history("fresh")->size(), 2u);
  EXPECT_THAT(faults(*journal_), IsEmpty());
}

TEST_P(GroupTest, KeepsEveryColumnOfEveryEntry) {
  constexpr std::uint64_t count = 50;
  std::vector<std::future<Result<void>>> written;
  auto made = [](std::uint64_t seq) {
    auto e = entry("before", seq, seq % 2 == 0 ? Kind::result : Kind::note, "key " + std::to_string(seq));
    e.input_hash = ~seq;
    e.attempt = seq % 2 == 0 ? 0 : static_cast<std::uint32_t>(seq);
    e.at = {static_cast<std::int64_t>(1000 + seq)};
    // None, some that stays in the row, some that is stored apart.
    e.payload.assign(seq % 3 == 0 ? 0 : seq % 3 == 1 ? 300 : 20'000, static_cast<char>('a' + seq % 7));
    return e;
  };
  {
    Held held(*journal_, made(1));
    for (std::uint64_t seq = 2; seq <= count; ++seq) written.push_back(append(made(seq)));
  }
  for (auto& each : written) ASSERT_TRUE(each.get());
  auto history = *journal_->history("before");
  ASSERT_EQ(history.size(), count);
  for (const auto& e : history) {
    auto wanted = made(e.seq);
    EXPECT_EQ(e.kind, wanted.kind);
    EXPECT_EQ(e.step_key, wanted.step_key);
    EXPECT_EQ(e.input_hash, wanted.input_hash);
    EXPECT_EQ(e.epoch, 1u);
    EXPECT_EQ(e.attempt, wanted.attempt);
    EXPECT_EQ(e.at, wanted.at);
    EXPECT_EQ(e.payload, wanted.payload);
  }
}

INSTANTIATE_TEST_SUITE_P(Sqlite, GroupTest, ::testing::Values(StoreKind::sqlite));
INSTANTIATE_TEST_SUITE_P(Postgres, GroupTest, ::testing::Values(StoreKind::postgres));

}  // namespace
}  // namespace troupe::journal
