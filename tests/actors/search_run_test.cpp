// The built-in search from end to end through the real run driver, with the simulator's model: a crash after
// any commit, and nothing recorded is bought or looked up again.
#include "actors/built_in.hpp"
#include "providers/simulator/extractive.hpp"
#include "runtime/json/json.hpp"
#include "tests/actors/host_world.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>

namespace troupe::actors::testing {
namespace {

namespace fs = std::filesystem;

class SearchRunTest : public HostTest {
 protected:
  SearchRunTest() {
    auto queues = std::make_shared<QueueMap>();
    (*queues)["search"] = scripted_queue();
    queues_->store(std::move(queues));
    hold_ = true;
    std::string pattern = (fs::temp_directory_path() / "troupe_search_XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    std::ofstream(folder_ / "skerry.txt") << "Skerry Light was designed by the engineer Aline Moor.";
    std::ofstream(folder_ / "duty.txt") << "The duty roster of the keepers. Every keeper stands four hours.";
    BuiltInParts parts;
    parts.clock = &clock_;
    for (auto& type : built_in_workflows(std::move(parts)))
      if (type.name == "search") add(type.name, type.function, type.version, type.migrates);
  }
  ~SearchRunTest() override { fs::remove_all(folder_); }

  void ask(const std::string& run_id, const std::string& question, Budget budget = {}) {
    submit("search", run_id, budget, dump_json(Json{{"question", question}, {"input", folder_.string()}}));
  }
  void answer_all() {
    for (const auto& call : std::exchange(held_, {})) {
      CallResult result{providers::simulator::answer(*call->request), {}};
      AttemptRecord record;
      record.endpoint = "a";
      record.usage = {10, 5};
      record.usd = 0.25;
      result.attempts.push_back(record);
      call->answer(std::move(result));
    }
    run();
  }
  /// At most so many commits; true when there was no more to do.
  bool go_on(std::size_t commits_max = SIZE_MAX) {
    while (commits_max > 0) {
      auto done = settle(1);
      if (done == 0 && held_.empty()) return true;
      commits_max -= done;
      answer_all();
    }
    return false;
  }
  Json result() const {
    auto json = parse_json(report().output.text);
    return json ? *json : Json::object();
  }
  fs::path folder_;
};

TEST_F(SearchRunTest, IsBuiltInAndAnswersWithSources) {  // K3
  ask("run-1", "Who designed Skerry Light?");
  ASSERT_TRUE(go_on());
  ASSERT_EQ(report().end, RunEnd::done);
  EXPECT_TRUE(get_bool(result(), "found"));
  EXPECT_EQ(get_int(result(), "calls"), 2);
  EXPECT_DOUBLE_EQ(get_double(result(), "cost"), 0.5);
}

TEST_F(SearchRunTest, ANavigationalQueryMakesNoCall) {  // K4
  ask("run-1", "go to the duty roster");
  ASSERT_TRUE(go_on());
  EXPECT_EQ(calls(), 0);
  EXPECT_EQ(get_string(result(), "served"), "links");
}

TEST_F(SearchRunTest, ARunWithoutBudgetGivesLinks) {
  Budget budget;
  budget.calls = 1;
  ask("run-1", "Who designed Skerry Light?", budget);
  ASSERT_TRUE(go_on());
  ASSERT_EQ(report().end, RunEnd::done);
  EXPECT_EQ(get_string(result(), "served"), "links");
  EXPECT_EQ(calls(), 1);
}

TEST_F(SearchRunTest, AfterACrashAtAnyCommitNothingRecordedIsBoughtAgain) {  // M12
  ask("whole", "Who designed Skerry Light?");
  ASSERT_TRUE(go_on());
  auto whole = report().output.text;
  for (std::size_t commits = 0; commits < 100; ++commits) {
    auto run_id = fmt::format("cut-{}", commits);
    ask(run_id, "Who designed Skerry Light?");
    bool over = go_on(commits);
    auto recorded = journal_.results(run_id);
    new_process();
    calls_.clear();
    ask(run_id, "Who designed Skerry Light?");
    ASSERT_TRUE(go_on());
    EXPECT_EQ(report().output.text, whole) << run_id;
    for (const auto& [key, times] : calls_)
      EXPECT_FALSE(recorded.contains(key)) << run_id << " bought " << key;
    EXPECT_TRUE(report().drift.empty()) << run_id;
    if (over) {
      EXPECT_GT(commits, 3u) << "the crashes were none";
      return;
    }
  }
  FAIL() << "it did not end";
}

}  // namespace
}  // namespace troupe::actors::testing
