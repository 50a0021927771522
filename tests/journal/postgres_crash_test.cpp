// What survives when the server crashes, the wire is cut at COMMIT, or nobody answers.
#include "tests/journal/postgres_support.hpp"
#include "tests/support/cutting_proxy.hpp"

#include <gmock/gmock.h>

#include <thread>

namespace troupe::journal {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using troupe::testing::CuttingProxy;

class PostgresCrashTest : public PostgresTest {
 protected:
  void TearDown() override {
    if (!IsSkipped() && !server().available()) server().start();
  }
  PostgresConfig through(const std::filesystem::path& proxy) const {
    auto out = config("a");
    out.conninfo = "host=" + proxy.string() + " user=troupe dbname=postgres";
    return out;
  }
};

TEST_F(PostgresCrashTest, NoAcknowledgedEntryIsLostWhenTheServerCrashesUnderLoad) {  // RUNTIME 4.1
  constexpr std::size_t runs = 8;
  auto journal = open("a");
  Load load(*journal, runs);
  for (std::uint64_t crash = 1; crash <= 2; ++crash) {
    load.wait_for(60 * crash);
    server().stop(SIGQUIT);
    server().start();
  }
  load.wait_for(180);
  load.stop();
  // The server came back within outage_max, so every answer could be, and must be, the truth.
  EXPECT_EQ(load.refused(), 0);
  for (std::size_t i = 0; i < runs; ++i)
    EXPECT_EQ(journal->history(Load::run(i))->size(), load.acknowledged(i)) << i;
  EXPECT_THAT(faults(*journal), IsEmpty());
}

TEST_F(PostgresCrashTest, ACommitWhoseAnswerWasLostIsAcknowledgedAndDoneOnce) {
  CuttingProxy proxy(server().folder() / "cut_answer", server().socket());
  auto journal = open(through(server().folder() / "cut_answer"));
  ASSERT_TRUE(journal->claim(run_row("r")));
  for (std::uint64_t seq = 1; seq <= 5; ++seq) {
    proxy.arm(CuttingProxy::Cut::answer_to_commit);
    auto written = append_now(*journal, entry("r", seq, Kind::result, "step " + std::to_string(seq)));
    EXPECT_TRUE(written) << written.error().what;
  }
  EXPECT_EQ(proxy.cuts(), 5);
  EXPECT_EQ(journal->history("r")->size(), 5u);
  proxy.arm(CuttingProxy::Cut::answer_to_commit);
  EXPECT_EQ(journal->claim(run_row("s"))->epoch, 1u) << "a claim is not made twice either";
  EXPECT_EQ(journal->run("s").value()->epoch, 1u);
  EXPECT_EQ(proxy.cuts(), 6);
}

TEST_F(PostgresCrashTest, WithoutTheNumberInTheSeatALostAnswerBecomesALie) {
  CuttingProxy proxy(server().folder() / "cut_blind", server().socket());
  auto journal = open(through(server().folder() / "cut_blind"));
  ASSERT_TRUE(journal->claim(run_row("r")));
  execute(
      "CREATE OR REPLACE FUNCTION open_session(mine int8, OUT my_session int8, OUT last_commit int8)"
      " LANGUAGE plpgsql AS $$ BEGIN UPDATE seat SET session = session + 1 WHERE incarnation = mine"
      " RETURNING session, 0 INTO my_session, last_commit; END $$");
  proxy.arm(CuttingProxy::Cut::answer_to_commit);
  EXPECT_FALSE(append_now(*journal, entry("r", 1))) << "it writes again and meets itself";
  EXPECT_EQ(journal->history("r")->size(), 1u);
}

TEST_F(PostgresCrashTest, ACommitThatNeverArrivedIsWrittenAgain) {
  CuttingProxy proxy(server().folder() / "cut_question", server().socket());
  auto journal = open(through(server().folder() / "cut_question"));
  ASSERT_TRUE(journal->claim(run_row("r")));
  for (std::uint64_t seq = 1; seq <= 5; ++seq) {
    proxy.arm(CuttingProxy::Cut::question);
    auto written = append_now(*journal, entry("r", seq, Kind::result, "step " + std::to_string(seq)));
    EXPECT_TRUE(written) << written.error().what;
  }
  EXPECT_EQ(proxy.cuts(), 5);
  EXPECT_EQ(journal->history("r")->size(), 5u);
}

TEST_F(PostgresCrashTest, AnAnswerLostToATakeOverIsStillTheTruth) {
  CuttingProxy proxy(server().folder() / "cut_fenced", server().socket());
  auto journal = open(through(server().folder() / "cut_fenced"));
  ASSERT_TRUE(journal->claim(run_row("r")));
  auto heir = open("b");
  let_live("b");
  let_lapse("a");
  // The commit arrives, its answer does not, and before the node is back its runs have gone.
  execute(
      "CREATE OR REPLACE FUNCTION open_session(mine int8, OUT my_session int8, OUT last_commit int8)"
      " LANGUAGE plpgsql AS $$ BEGIN my_session := 0; UPDATE seat SET fenced = true WHERE incarnation = mine;"
      " SELECT commits INTO last_commit FROM seat WHERE incarnation = mine; END $$");
  proxy.arm(CuttingProxy::Cut::answer_to_commit);
  EXPECT_TRUE(append_now(*journal, entry("r", 1))) << "it was durable before the fence fell";
  EXPECT_FALSE(append_now(*journal, entry("r", 2)));
  EXPECT_EQ(heir->history("r")->size(), 1u);
}

TEST_F(PostgresCrashTest, WithoutAServerBatchesFailAfterTheOutageAndLaterOnesSucceed) {
  auto impatient = config("a");
  impatient.outage_max = std::chrono::milliseconds(100);
  auto journal = open(impatient);
  ASSERT_TRUE(journal->claim(run_row("r")));
  ASSERT_TRUE(append_now(*journal, entry("r", 1)));
  server().stop(SIGINT);
  auto lost = append_now(*journal, entry("r", 2));
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, Errc::storage);
  EXPECT_EQ(journal->history("r").error().code, Errc::storage);
  EXPECT_FALSE(open_postgres(config("b")));
  server().start();
  EXPECT_TRUE(append_now(*journal, entry("r", 2))) << "unlike a file whose disk failed, a server comes back";
  EXPECT_EQ(journal->history("r")->size(), 2u);
}

TEST_F(PostgresCrashTest, ARefusedBatchInTheMiddleOfManyHarmsNoOther) {
  auto journal = open("a");
  for (auto id : {"good", "bad"}) ASSERT_TRUE(journal->claim(run_row(id)));
  ASSERT_TRUE(append_now(*journal, entry("bad", 1, Kind::result, "step")));
  std::atomic<int> good = 0, refused = 0;
  std::atomic<int> left = 200;
  std::promise<void> all;
  for (std::uint64_t i = 1; i <= 200; ++i) {
    bool bad = i == 77;
    auto e = bad ? entry("bad", 2, Kind::result, "step") : entry("good", i < 77 ? i : i - 1);
    journal->append(batch_of(std::move(e)), [&](Result<void> answer) {
      good += answer.has_value();
      refused += !answer && answer.error().what == "run bad: step step has a result already";
      if (--left == 0) all.set_value();
    });
  }
  all.get_future().wait();
  EXPECT_EQ(good, 199);
  EXPECT_EQ(refused, 1);
  EXPECT_EQ(journal->history("good")->size(), 199u);
  EXPECT_EQ(journal->history("bad")->size(), 1u);
}

TEST_F(PostgresCrashTest, ContentIsNotForgottenWhileAnotherNodeRefersToItAnew) {
  auto writer = open("a"), keeper = open("b");
  let_live("a");
  let_live("b");
  ASSERT_TRUE(writer->claim(run_row("r")));
  std::atomic<bool> enough = false;
  std::thread forgetting([&] {
    for (int i = 0; i < 30; ++i) {
      auto row = run_row("old" + std::to_string(i));
      row.input.assign(20'000, 'p');
      row = keeper->claim(row).value();
      row.state = RunState::done;
      row.finished = {1};
      auto batch = batch_of(entry(row.run_id, 1, Kind::done, ""));
      batch.run = row;
      EXPECT_TRUE(append_now(*keeper, batch));
      EXPECT_TRUE(keeper->forget({100}, ""));
    }
    enough = true;
  });
  std::uint64_t seq = 0;
  for (; !enough; ++seq) {
    auto e = entry("r", seq + 1);
    e.payload.assign(20'000, 'p');
    ASSERT_TRUE(append_now(*writer, e));
  }
  forgetting.join();
  EXPECT_THAT(faults(*writer), IsEmpty());
  EXPECT_EQ(writer->history("r")->size(), seq);
}

class PostgresOpenTest : public PostgresTest {};

TEST_F(PostgresOpenTest, SaysWhatItCannotOpen) {
  auto named = config("a");
  named.schema = "Bad-name";
  EXPECT_EQ(open_postgres(named).error().code, Errc::bad_config);
  auto hasty = config("a");
  hasty.renew_every = hasty.lease;
  EXPECT_EQ(open_postgres(hasty).error().code, Errc::bad_config);
  auto nowhere = config("a");
  nowhere.conninfo = "host=" + (server().folder() / "nowhere").string();
  EXPECT_EQ(open_postgres(nowhere).error().code, Errc::storage);
  EXPECT_EQ(open_postgres_readonly(config("a")).error().code, Errc::input_missing);
  open("a");
  EXPECT_TRUE(open_postgres_readonly(config("a")));
  execute("UPDATE meta SET version = 99");
  auto newer = open_postgres(config("a"));
  ASSERT_FALSE(newer);
  EXPECT_THAT(newer.error().what, HasSubstr("version 99"));
  EXPECT_FALSE(open_postgres_readonly(config("a")));
}

TEST_F(PostgresOpenTest, AnOlderSchemaForgetsAsThisVersionDoes) {
  auto journal = open("a");
  for (const char* id : {"other", "nightly/acme@2026-11-22T04:00Z", "nightly/acme@2026-11-23T04:00Z"}) {
    Batch ended;
    ended.run = journal->claim(run_row(id)).value();
    ended.run->state = RunState::done;
    ended.run->finished = {100};
    ASSERT_TRUE(append_now(*journal, std::move(ended)));
  }
  // As version 3 did: the newest slot of a schedule is old like any other.
  execute(
      "CREATE OR REPLACE FUNCTION forget_runs(before int8, of_workflow text, runs_max int8, entries_max int8)"
      " RETURNS int8 LANGUAGE sql AS $$ WITH gone AS (DELETE FROM run WHERE state IN (2, 4)"
      " AND finished < before RETURNING 1) SELECT count(*) FROM gone $$; UPDATE meta SET version = 3");
  journal = open("a");
  ASSERT_TRUE(journal);
  EXPECT_EQ(journal->forget({200}, "").value(), 2u);
  EXPECT_TRUE(journal->run("nightly/acme@2026-11-23T04:00Z").value());
}

TEST_F(PostgresOpenTest, ManyNodesMayOpenANewSchemaAtOnce) {
  std::atomic<int> opened = 0;
  std::vector<std::thread> nodes;
  for (int i = 0; i < 6; ++i)
    nodes.emplace_back([&, i] { opened += open_postgres(config("n" + std::to_string(i))).has_value(); });
  for (auto& node : nodes) node.join();
  EXPECT_EQ(opened, 6);
}

TEST_F(PostgresOpenTest, RefusesToWriteBeforeItHasJoinedAndWhatIsNoText) {
  auto journal = open("");
  EXPECT_EQ(journal->claim(run_row("r")).error().code, Errc::refused);
  EXPECT_EQ(append_now(*journal, entry("r", 1)).error().code, Errc::refused);
  ASSERT_TRUE(journal->membership()->join("a", "", ""));
  ASSERT_TRUE(journal->claim(run_row("r")));
  EXPECT_EQ(append_now(*journal, entry("r", 1, Kind::note, "\xff")).error().code, Errc::invalid_input);
  EXPECT_EQ(append_now(*journal, entry("r", 1, Kind::note, std::string("a\0b", 3))).error().code,
            Errc::invalid_input);
  EXPECT_EQ(journal->claim(run_row("\xc3")).error().code, Errc::invalid_input);
  EXPECT_TRUE(append_now(*journal, entry("r", 1, Kind::note, "z\u00fcrich \U0001F600")));
  EXPECT_EQ(journal->history("r")->front().step_key, "z\u00fcrich \U0001F600");
}

TEST_F(PostgresOpenTest, TheCheckSeesWhatNobodyShouldHaveWritten) {
  auto journal = open("a");
  ASSERT_TRUE(journal->claim(run_row("r")));
  ASSERT_TRUE(append_now(*journal, entry("r", 1)));
  ASSERT_TRUE(append_now(*journal, entry("r", 2)));
  EXPECT_THAT(faults(*journal), IsEmpty());
  execute(
      "UPDATE entry SET seq = 4 WHERE seq = 2; UPDATE run SET wake = 5, state = 3;"
      "INSERT INTO entry(run, seq, kind, step_key, input_hash, epoch, attempt, at)"
      " VALUES (999, 1, 1, '', 0, 1, 0, 0); INSERT INTO blob VALUES ('x', 'y')");
  EXPECT_THAT(faults(*journal), ::testing::UnorderedElementsAre(
                                    HasSubstr("belongs to no run"), HasSubstr("follows entry 1"),
                                    HasSubstr("failed, but parked"), HasSubstr("not what its hash says")));
}

}  // namespace
}  // namespace troupe::journal
