// What the journal promises to those who write and read it.
#include "tests/journal/journal_support.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <thread>

namespace troupe::journal {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST_P(StoreTest, GivesBackWhatWasWrittenAfterReopening) {  // M12
  Entry written = entry("r", 1, Kind::intent, "ask/1");
  written.input_hash = 0xfedcba9876543210;
  written.attempt = 3;
  written.payload = std::string("\0\xff binary", 9);
  {
    auto journal = open();
    ASSERT_TRUE(journal->claim(run_row("r")));
    ASSERT_TRUE(append_now(*journal, written));
  }
  auto journal = open();
  auto history = journal->history("r");
  ASSERT_TRUE(history) << history.error().what;
  ASSERT_EQ(history->size(), 1u);
  const auto& read = history->front();
  EXPECT_EQ(read.run_id, "r");
  EXPECT_EQ(read.seq, 1u);
  EXPECT_EQ(read.kind, Kind::intent);
  EXPECT_EQ(read.step_key, "ask/1");
  EXPECT_EQ(read.input_hash, written.input_hash);
  EXPECT_EQ(read.epoch, 1u);
  EXPECT_EQ(read.attempt, 3u);
  EXPECT_EQ(read.at.ms, 2000);
  EXPECT_EQ(read.payload, written.payload);
  EXPECT_GT(read.lsn, 0u);
}

TEST_P(StoreTest, ReadsEverythingAcknowledgedBefore) {
  auto journal = open();
  ASSERT_TRUE(journal->claim(run_row("r")));
  for (std::uint64_t seq = 1; seq <= 50; ++seq) {
    ASSERT_TRUE(append_now(*journal, entry("r", seq)));
    ASSERT_EQ(journal->history("r")->size(), seq);
  }
}

TEST_P(StoreTest, KeepsHistoryInSeqOrderAndRunsNewestFirst) {
  auto journal = open();
  for (auto id : {"a", "b", "c"}) ASSERT_TRUE(journal->claim(run_row(id)));
  for (std::uint64_t seq = 1; seq <= 20; ++seq)
    for (auto id : {"c", "a"}) ASSERT_TRUE(append_now(*journal, entry(id, seq)));
  auto history = journal->history("a").value();
  ASSERT_EQ(history.size(), 20u);
  for (std::size_t i = 0; i < history.size(); ++i) EXPECT_EQ(history[i].seq, i + 1);
  auto runs = journal->runs(2).value();
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_EQ(runs[0].run_id, "c");
  EXPECT_EQ(runs[1].run_id, "b");
  EXPECT_THAT(journal->history("nobody").value(), IsEmpty());
  EXPECT_FALSE(journal->run("nobody").value().has_value());
}

TEST_P(StoreTest, AnEndedRunIsWrittenWithItsLastEntry) {
  auto journal = open();
  auto row = journal->claim(run_row("r")).value();
  row.state = RunState::done;
  row.output = "{\"ok\":1}";
  row.finished = {5000};
  row.usd = 0.5;
  row.tokens_in = 7;
  row.tokens_out = 8;
  auto batch = batch_of(entry("r", 1, Kind::done, ""));
  batch.run = row;
  ASSERT_TRUE(append_now(*journal, std::move(batch)));
  auto read = journal->run("r").value().value();
  EXPECT_EQ(read.state, RunState::done);
  EXPECT_EQ(read.output, "{\"ok\":1}");
  EXPECT_EQ(read.created.ms, 1000);
  EXPECT_EQ(read.finished.ms, 5000);
  EXPECT_DOUBLE_EQ(read.usd, 0.5);
  EXPECT_EQ(read.tokens_in, 7);
  EXPECT_EQ(read.tokens_out, 8);
  EXPECT_THAT(faults(*journal), IsEmpty());
}

TEST_P(StoreTest, ABadBatchFailsAloneAndWhole) {
  auto journal = open();
  ASSERT_TRUE(journal->claim(run_row("good")));
  ASSERT_TRUE(journal->claim(run_row("bad")));
  ASSERT_TRUE(append_now(*journal, entry("bad", 1, Kind::result, "step")));
  Batch bad;
  bad.entries = {entry("bad", 2, Kind::signal_in, "kept?"), entry("bad", 3, Kind::result, "step")};
  std::vector<Result<void>> answers(40);
  std::atomic<int> left = 41;
  std::promise<void> all;
  auto count = [&] {
    if (--left == 0) all.set_value();
  };
  Result<void> bad_answer;
  for (std::uint64_t i = 0; i < 40; ++i) {
    if (i == 20) journal->append(bad, [&](Result<void> answer) { bad_answer = std::move(answer), count(); });
    journal->append(batch_of(entry("good", i + 1)),
                    [&, i](Result<void> answer) { answers[i] = std::move(answer), count(); });
  }
  all.get_future().wait();
  for (const auto& answer : answers) EXPECT_TRUE(answer);
  ASSERT_FALSE(bad_answer);
  EXPECT_EQ(bad_answer.error().code, Errc::storage);
  EXPECT_THAT(bad_answer.error().what, HasSubstr("has a result already"));
  EXPECT_EQ(journal->history("good")->size(), 40u);
  EXPECT_EQ(journal->history("bad")->size(), 1u) << "its first entry must not stay";
  EXPECT_TRUE(append_now(*journal, entry("bad", 2))) << "and the run goes on where it was";
}

TEST_P(StoreTest, ClaimingAgainFencesTheOldWriter) {  // O3: one fenced writer
  auto journal = open();
  auto old_owner = journal->claim(run_row("r")).value();
  ASSERT_TRUE(append_now(*journal, entry("r", 1, Kind::signal_in, "k", old_owner.epoch)));
  // Without a claim the same writer goes on: it is the claim that fences.
  ASSERT_TRUE(append_now(*journal, entry("r", 2, Kind::signal_in, "k", old_owner.epoch)));
  auto again = run_row("r");
  again.node = "n2";
  auto new_owner = journal->claim(again).value();
  EXPECT_EQ(new_owner.epoch, old_owner.epoch + 1);
  EXPECT_EQ(new_owner.node, "n2");
  auto late = append_now(*journal, entry("r", 3, Kind::signal_in, "k", old_owner.epoch));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Errc::storage);
  EXPECT_THAT(late.error().what, HasSubstr("fenced"));
  Batch late_row;
  late_row.run = old_owner;
  EXPECT_FALSE(append_now(*journal, late_row)) << "the row is fenced like the entries";
  EXPECT_TRUE(append_now(*journal, entry("r", 3, Kind::signal_in, "k", new_owner.epoch)));
  EXPECT_FALSE(append_now(*journal, entry("r", 4, Kind::signal_in, "k", new_owner.epoch + 1)));
  EXPECT_THAT(faults(*journal), IsEmpty());
}

TEST_P(StoreTest, FencesAcrossReopening) {
  { ASSERT_TRUE(open()->claim(run_row("r"))); }
  auto journal = open();
  EXPECT_EQ(journal->claim(run_row("r"))->epoch, 2u);
  EXPECT_FALSE(append_now(*journal, entry("r", 1, Kind::signal_in, "k", 1)));
  EXPECT_TRUE(append_now(*journal, entry("r", 1, Kind::signal_in, "k", 2)));
}

TEST_P(StoreTest, ATakenOverRunKeepsWhatItWasStartedWith) {
  auto journal = open();
  auto first = run_row("r");
  first.input = "{\"day\":1}";
  ASSERT_TRUE(journal->claim(first));
  auto second = run_row("r");
  second.input = "{\"day\":2}";
  second.created = {9000};
  auto row = journal->claim(second).value();
  EXPECT_EQ(row.input, "{\"day\":1}");
  EXPECT_EQ(row.created.ms, 1000);
  second.workflow = "summary";
  auto other = journal->claim(second);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, Errc::invalid_input);
  EXPECT_EQ(journal->run("r").value()->epoch, 2u);
}

TEST_P(StoreTest, ManyClaimsAtOnceGetDifferentEpochs) {
  auto journal = open();
  std::vector<std::uint64_t> epochs(8);
  std::vector<std::thread> claimers;
  for (auto& epoch : epochs)
    claimers.emplace_back([&] { epoch = journal->claim(run_row("r")).value().epoch; });
  for (auto& claimer : claimers) claimer.join();
  std::ranges::sort(epochs);
  EXPECT_THAT(epochs, ::testing::ElementsAre(1, 2, 3, 4, 5, 6, 7, 8));
}

TEST_P(StoreTest, RefusesRepeatedAndMissingSeq) {
  auto journal = open();
  ASSERT_TRUE(journal->claim(run_row("r")));
  ASSERT_TRUE(append_now(*journal, entry("r", 1)));
  auto repeated = append_now(*journal, entry("r", 1));
  ASSERT_FALSE(repeated);
  EXPECT_EQ(repeated.error().code, Errc::storage);
  auto gap = append_now(*journal, entry("r", 3));
  ASSERT_FALSE(gap);
  EXPECT_THAT(gap.error().what, HasSubstr("gap"));
  auto unknown = append_now(*journal, entry("nobody", 1));
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, Errc::invalid_input);
  EXPECT_EQ(journal->history("r")->size(), 1u);
}

TEST_P(StoreTest, TakesFromManyProducersAtOnce) {
  constexpr int producers = 16, each = 100;
  auto journal = open();
  std::atomic<int> failed = 0;
  std::vector<std::thread> threads;
  for (int p = 0; p < producers; ++p)
    threads.emplace_back([&, id = "run" + std::to_string(p)] {
      failed += !journal->claim(run_row(id));
      for (std::uint64_t seq = 1; seq <= each; ++seq) failed += !append_now(*journal, entry(id, seq));
      failed += journal->history(id)->size() != each;
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(failed, 0);
  EXPECT_THAT(faults(*journal), IsEmpty());
}

TEST_P(StoreTest, ACallbackMayAppendAndClaim) {
  auto journal = open();
  ASSERT_TRUE(journal->claim(run_row("a")));
  std::promise<Result<void>> answered;
  journal->append(batch_of(entry("a", 1)), [&](Result<void>) {
    auto claimed = journal->claim(run_row("b"));
    EXPECT_TRUE(claimed);
    journal->append(batch_of(entry("b", 1)), [&](Result<void> answer) { answered.set_value(answer); });
  });
  EXPECT_TRUE(answered.get_future().get());
}

TEST_P(StoreTest, ClosingCommitsAndAnswersWhatWasQueued) {
  int answered = 0;
  {
    auto journal = open();
    ASSERT_TRUE(journal->claim(run_row("r")));
    for (std::uint64_t seq = 1; seq <= 3000; ++seq)
      journal->append(batch_of(entry("r", seq)),
                      [&](Result<void> answer) { answered += answer.has_value(); });
  }
  EXPECT_EQ(answered, 3000);
  EXPECT_EQ(open()->history("r")->size(), 3000u);
}

TEST_P(StoreTest, AnswersBreakersInOrder) {
  auto journal = open();
  Batch batch;
  for (int i = 0; i < 4; ++i)
    batch.breakers.push_back({.endpoint = "e",
                              .node = "n",
                              .from = "closed",
                              .to = "open",
                              .reason = "r",
                              .detail = "d",
                              .at = {i * 10},
                              .cool_until = {i * 10 + 5},
                              .share = 0.25});
  ASSERT_TRUE(append_now(*journal, batch));
  auto rows = journal->breakers({20}).value();
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].at.ms, 20);
  EXPECT_EQ(rows[1].cool_until.ms, 35);
  EXPECT_EQ(rows[1].to, "open");
  EXPECT_DOUBLE_EQ(rows[1].share, 0.25);
}

TEST_P(StoreTest, KeepsTheNewestMemoryOfEachBreaker) {  // F13
  auto journal = open();
  for (std::int64_t i = 1; i < 4; ++i) {
    Batch batch;
    batch.breaker_memories.push_back({"a", "n", "memory " + std::to_string(i), {i}});
    if (i == 1) batch.breaker_memories.push_back({"b", "n", "other", {i}});
    ASSERT_TRUE(append_now(*journal, batch));
  }
  journal.reset();
  auto rows = open()->breaker_memories().value();
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].endpoint, "a");
  EXPECT_EQ(rows[0].memory, "memory 3");
  EXPECT_EQ(rows[0].at.ms, 3);
  EXPECT_EQ(rows[1].memory, "other");
}

INSTANTIATE_TEST_SUITE_P(Sqlite, StoreTest, ::testing::Values(StoreKind::sqlite));
INSTANTIATE_TEST_SUITE_P(Postgres, StoreTest, ::testing::Values(StoreKind::postgres));

}  // namespace
}  // namespace troupe::journal
