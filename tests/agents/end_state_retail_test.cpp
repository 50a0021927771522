// M19 over tau2-bench's retail shop: the gold actions of every task, whole, with something dropped, altered
// or added. Needs TROUPE_TAU2, the folder that holds retail/db.json and retail/tasks.json.
#include "tests/agents/retail_world.hpp"
#include "tests/support/scripted_driver.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace troupe::evaluation {
namespace {

using testing::RetailData;
using testing::RetailTask;

class Retail : public ::testing::Test {
 protected:
  struct End {
    Json state;
    std::map<std::size_t, std::string> refused;
  };

  void SetUp() override {
    const char* folder = std::getenv("TROUPE_TAU2");
    if (folder == nullptr) GTEST_SKIP() << "SKIPPED: TROUPE_TAU2 names no folder of tau2-bench's domains";
    auto read = testing::read_retail(folder);
    ASSERT_TRUE(read) << read.error().what;
    data_ = std::move(*read);
    ASSERT_FALSE(data_.tasks.empty());
  }
  End end_of(const std::vector<ToolUse>& uses) const {
    auto world = std::make_shared<testing::StatefulWorld>();
    world->state = data_.database;
    auto refused = testing::replay(testing::retail_tools(world), uses);
    return {std::move(world->state), std::move(refused)};
  }
  static std::vector<std::size_t> writes_of(const RetailTask& task) {
    std::vector<std::size_t> out;
    for (std::size_t i = 0; i < task.gold.size(); ++i)
      if (testing::retail_writes(task.gold[i].name)) out.push_back(i);
    return out;
  }
  // A write that no final state can show: it changed nothing when it was made, or a later one of its kind
  // wrote the whole of what it wrote.
  bool leaves_no_trace(const RetailTask& task, std::size_t at) const {
    auto upto = task.gold.begin() + static_cast<std::ptrdiff_t>(at);
    auto before = end_of({task.gold.begin(), upto}), after = end_of({task.gold.begin(), upto + 1});
    if (compare_states(before.state, after.state).equal) return true;
    auto same_place = [&](const ToolUse& later) {
      return later.name == "modify_user_address" && upto->name == later.name &&
             later.arguments["user_id"] == upto->arguments["user_id"];
    };
    return std::any_of(upto + 1, task.gold.end(), same_place);
  }
  static std::string where(const StateVerdict& verdict) {
    return verdict.differences.empty() ? "" : verdict.differences.front().pointer;
  }

  RetailData data_;
};

std::vector<ToolUse> without(std::vector<ToolUse> uses, std::size_t index) {
  uses.erase(uses.begin() + static_cast<std::ptrdiff_t>(index));
  return uses;
}
// Another value of the same type; where only two are allowed, the other one.
Json altered(const Json& value) {
  if (value.is_array()) return Json(std::vector<Json>(value.begin(), value.end() - 1));
  if (value == "no longer needed") return "ordered by mistake";
  if (value == "ordered by mistake") return "no longer needed";
  return value.get<std::string>() + "1";
}

TEST_F(Retail, TheGoldActionsLeadToTheSameStateAgain) {
  std::size_t actions = 0, writes = 0, refused = 0, unchanged = 0;
  for (const auto& task : data_.tasks) {
    auto first = end_of(task.gold), second = end_of(task.gold);
    EXPECT_TRUE(compare_states(first.state, second.state).equal) << task.id;
    EXPECT_EQ(first.refused, second.refused) << task.id;
    bool changed = !compare_states(data_.database, first.state).equal;
    auto gold_writes = writes_of(task);
    auto taken = [&](std::size_t at) { return !first.refused.contains(at); };
    EXPECT_EQ(changed, std::any_of(gold_writes.begin(), gold_writes.end(), taken)) << task.id;
    actions += task.gold.size();
    writes += gold_writes.size();
    refused += first.refused.size();
    unchanged += changed ? 0 : 1;
    for (const auto& [at, why] : first.refused)
      fmt::print("task {} action {} {} refused: {}\n", task.id, at, task.gold[at].name, why);
  }
  fmt::print("{} tasks, {} gold actions, {} writes, {} refused, {} tasks that change nothing\n",
             data_.tasks.size(), actions, writes, refused, unchanged);
  EXPECT_GT(writes, 0u);
}

TEST_F(Retail, ADroppedWriteIsSeenAndItsPlaceNamed) {
  std::size_t dropped = 0, traceless = 0;
  for (const auto& task : data_.tasks) {
    auto right = end_of(task.gold);
    for (auto at : writes_of(task)) {
      if (right.refused.contains(at)) continue;
      ++dropped;
      auto verdict = compare_states(right.state, end_of(without(task.gold, at)).state);
      bool no_trace = leaves_no_trace(task, at);
      EXPECT_EQ(verdict.equal, no_trace) << "task " << task.id << " action " << at;
      traceless += no_trace ? 1 : 0;
      if (no_trace) continue;
      const auto& args = task.gold[at].arguments;
      auto place = args.contains("order_id") ? "/orders/" + get_string(args, "order_id")
                                             : "/users/" + get_string(args, "user_id");
      EXPECT_TRUE(std::any_of(verdict.differences.begin(), verdict.differences.end(),
                              [&](const auto& each) { return each.pointer.starts_with(place + "/"); }))
          << place << " is not named, but " << where(verdict);
    }
  }
  fmt::print("{} writes dropped, one at a time; {} of them leave no trace\n", dropped, traceless);
  EXPECT_GT(dropped, traceless);
}

TEST_F(Retail, OneOtherArgumentOfAWriteIsSeen) {
  std::size_t tried = 0, accepted = 0;
  for (const auto& task : data_.tasks) {
    auto right = end_of(task.gold);
    for (auto at : writes_of(task)) {
      if (right.refused.contains(at) || leaves_no_trace(task, at)) continue;
      for (const auto& [key, value] : task.gold[at].arguments.items()) {
        auto made = task.gold;
        made[at].arguments[key] = altered(value);
        auto found = end_of(made);
        ++tried;
        accepted += found.refused.contains(at) ? 0 : 1;
        EXPECT_FALSE(compare_states(right.state, found.state).equal) << task.id << " " << at << " " << key;
      }
    }
  }
  fmt::print("{} arguments altered, one at a time; the shop took {} of these writes\n", tried, accepted);
  EXPECT_GT(accepted, 0u);
}

TEST_F(Retail, ReadsInAnotherOrderOrMoreOfThemChangeNothing) {
  for (const auto& task : data_.tasks) {
    std::vector<ToolUse> made{{"list_all_product_types", Json::object()}};
    auto is_read = [](const ToolUse& use) { return !testing::retail_writes(use.name); };
    std::copy_if(task.gold.rbegin(), task.gold.rend(), std::back_inserter(made), is_read);
    for (auto at : writes_of(task)) made.push_back(task.gold[at]);
    std::copy_if(task.gold.begin(), task.gold.end(), std::back_inserter(made), is_read);
    made.push_back({"get_user_details", Json{{"user_id", "nobody"}}});
    auto verdict = compare_states(end_of(task.gold).state, end_of(made).state);
    EXPECT_TRUE(verdict.equal) << task.id << " " << where(verdict);
  }
}

TEST_F(Retail, CheckpointsTellWhichGoldWritesWereMade) {
  for (const auto& task : data_.tasks) {
    std::vector<Checkpoint> points;
    for (auto at : writes_of(task))
      points.push_back(call_checkpoint(task.gold[at].name, task.gold[at], task.compared[at]));
    for (auto order : {CheckpointOrder::any, CheckpointOrder::as_listed}) {
      auto whole = judge_checkpoints(points, task.gold, order);
      ASSERT_TRUE(whole);
      EXPECT_TRUE(whole->all()) << task.id;
      for (std::size_t i = 0; i < points.size(); ++i) {
        auto less = judge_checkpoints(points, without(task.gold, writes_of(task)[i]), order);
        ASSERT_TRUE(less);
        EXPECT_EQ(less->count + 1, points.size()) << task.id;
        EXPECT_FALSE(less->reached[i]) << task.id << " " << i;
      }
    }
    auto backwards = task.gold;
    std::reverse(backwards.begin(), backwards.end());
    EXPECT_TRUE(judge_checkpoints(points, backwards, CheckpointOrder::any)->all()) << task.id;
    EXPECT_EQ(judge_checkpoints(points, backwards, CheckpointOrder::as_listed)->all(), points.size() < 2);
  }
}

Task<Result<JsonText>> make_calls(Workflow& wf, Toolbox tools, std::vector<ToolUse> uses) {
  for (std::size_t i = 0; i < uses.size(); ++i) {
    StepKey key{"gold", std::to_string(i)};
    JsonText input{dump_json(uses[i].arguments)};
    auto tool = tools.find(uses[i].name);
    if (!tool) co_return fail(Errc::not_found, uses[i].name);
    auto output = co_await wf.tool(std::move(key), std::move(tool), std::move(input));
    if (!output) co_return std::unexpected(output.error());
  }
  co_return JsonText{"null"};
}

// Killed after any call, when that call was carried out and its result not yet recorded: the worst moment.
// The engine is scripted here; the world keeps what it carried out by key.
TEST_F(Retail, AWorkflowKilledAfterAnyCallEndsInTheSameStateAndWritesNothingTwice) {
  auto many = [](const RetailTask& task) { return writes_of(task).size() >= 3; };
  std::size_t kills = 0, repeats = 0;
  for (const auto& task : data_.tasks) {
    if (!many(task)) continue;
    auto right = end_of(task.gold);
    if (!right.refused.empty()) continue;
    for (std::size_t answers = 1; answers <= task.gold.size(); ++answers) {
      auto world = std::make_shared<testing::StatefulWorld>();
      world->state = data_.database;
      testing::ScriptedDriver crashed({}), resumed({});
      {
        Workflow wf(crashed);
        auto run = make_calls(wf, testing::retail_tools(world), task.gold);
        run.start([](Result<JsonText>) {});
        crashed.run(answers);
      }
      resumed.recorded_tools = crashed.recorded_tools;
      resumed.recorded_tools.erase(crashed.tools_used.back().str());
      Workflow wf(resumed);
      auto end = testing::drive(resumed, make_calls(wf, testing::retail_tools(world), task.gold));
      ASSERT_TRUE(end && *end) << task.id;
      EXPECT_TRUE(compare_states(right.state, world->state).equal) << task.id << " killed after " << answers;
      EXPECT_EQ(world->writes, writes_of(task).size()) << task.id << " killed after " << answers;
      ++kills;
      repeats += world->repeats;
    }
  }
  fmt::print("{} kills, {} writes that came again\n", kills, repeats);
  EXPECT_GT(repeats, 0u);
}

}  // namespace
}  // namespace troupe::evaluation
