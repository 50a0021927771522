// Research through the real run driver: joins, steering and cancelling of subagents, budgets of time, two
// lives.
#include "agents/research/research.hpp"
#include "providers/simulator/extractive.hpp"
#include "tests/actors/host_world.hpp"
#include "tests/agents/research_support.hpp"

#include <fmt/format.h>

namespace troupe::actors::testing {
namespace {

using research_test::a_gap;
using research_test::asks_for;
using research_test::says;

class ResearchRunTest : public HostTest {
 protected:
  ResearchRunTest() {
    auto queues = std::make_shared<QueueMap>();
    (*queues)["research"] = scripted_queue();
    queues_->store(std::move(queues));
    hold_ = true;
    model_ = research_test::planning(4);
    add("research", research::make_research(research_test::shelves(), clock_));
    add("research.agent", research::make_research_agent(research_test::shelves()));
  }

  /// Everything that can happen without time passing.
  void go_on() {
    for (;;) {
      settle();
      auto asked = std::exchange(held_, {});
      if (asked.empty()) return;
      for (const auto& call : asked)
        held_agents_.contains(call->run_id) ? slow_calls_.push_back(call) : answer_by_model(call);
    }
  }
  void let_go() {
    held_agents_.clear();
    for (const auto& call : std::exchange(slow_calls_, {})) answer_by_model(call);
    go_on();
  }
  void answer_by_model(const CallPtr& call) {
    ++bought_[call->run_id + " " + call->step_key];
    CallResult result{model_(call->run_id == "run-1" ? "run" : call->run_id, *call->request), {}};
    AttemptRecord record;
    record.endpoint = "a";
    record.usage = {10, 5};
    result.attempts.push_back(record);
    call->answer(std::move(result));
  }
  void pass_time(Duration span) {
    for (Duration left = span; left > Duration::zero(); left -= 100ms) {
      wait(std::min<Duration>(100ms, left));
      go_on();
    }
  }
  /// Four agents begin, one of them is slow.
  void begin_research(const Json& more) {
    Json input{{"question", "Compare both lighthouses."}};
    input.update(more);
    submit("research", "run-1", {}, dump_json(input));
    settle();
    // The agents exist and have asked nothing yet: the slow one can be named.
    while (agents().size() < 4 && !held_.empty()) {
      for (const auto& call : std::exchange(held_, {})) answer_by_model(call);
      settle();
    }
    ASSERT_EQ(agents().size(), 4u);
    held_agents_ = {slow_agent()};
    go_on();
  }
  std::vector<std::string> agents() {
    std::vector<std::string> out;
    for (const auto& call : held_)
      if (call->run_id != "run-1") out.push_back(call->run_id);
    return out;
  }
  std::string slow_agent() { return slow_.empty() ? slow_ = agents().front() : slow_; }
  Json result() {
    if (report().run_id != "run-1" || report().end != RunEnd::done) return Json::object();
    auto json = parse_json(report().output.text);
    return json ? *json : Json::object();
  }
  std::size_t agents_that_were_answered() const {
    std::set<std::string> out;
    for (const auto& [call, times] : bought_) out.insert(call.substr(0, call.find(' ')));
    out.erase("run-1");
    return out.size();
  }
  std::size_t with(const Json& json, const char* key, const char* value) {
    std::size_t count = 0;
    if (const auto* list = find(json, "agents"))
      for (const auto& agent : *list) count += get_string(agent, key) == value ? 1 : 0;
    return count;
  }

  std::set<std::string> held_agents_;
  std::vector<CallPtr> slow_calls_;
  research_test::ResearchWorld::Model model_;
  std::map<std::string, int> bought_;
  std::string slow_;
};

TEST_F(ResearchRunTest, ActsOnTheFirstThreeAndCancelsTheFourth) {  // M15
  begin_research({{"first_k", 3}, {"grace_s", 5}});
  EXPECT_TRUE(result().empty()) << "the slow one has its grace";
  EXPECT_TRUE(host_->progress(slow_));
  pass_time(6s);
  auto json = result();
  ASSERT_FALSE(json.empty());
  EXPECT_EQ(with(json, "error", "cancelled"), 1u);
  EXPECT_FALSE(host_->progress(slow_)) << "an orphan goes on";
  EXPECT_EQ((*journal_.run(slow_))->state, journal::RunState::cancelled);
}

TEST_F(ResearchRunTest, WaitsForAllWithoutTheMechanism) {  // M15: off
  begin_research({{"first_k", 3}, {"grace_s", 5}, {"without", "async"}});
  pass_time(60s);
  EXPECT_TRUE(result().empty());
  let_go();
  EXPECT_EQ(with(result(), "error", ""), 4u);
}

TEST_F(ResearchRunTest, ASteeredAgentReportsWhatItHasHoweverLongTheRunHasLasted) {  // M15: steer
  // The run is minutes old before anybody is told to finish: the grace counts from then.
  begin_research({{"first_k", 4}, {"grace_s", 5}, {"deadline_s", 120}, {"patience_s", 0}});
  pass_time(119s);
  EXPECT_TRUE(result().empty());
  pass_time(2s);
  EXPECT_TRUE(result().empty()) << "no grace was given";
  let_go();
  auto json = result();
  ASSERT_FALSE(json.empty());
  EXPECT_EQ(with(json, "error", "cancelled"), 0u);
  EXPECT_EQ(with(json, "stopped", "steered"), 1u);
}

TEST_F(ResearchRunTest, AddsAnAgentBesideTheSlowOne) {  // M15: add
  model_ = [plans = research_test::planning(4)](const std::string& run, const CompletionRequest& request) {
    if (!asks_for(request, research::kReviewShape)) return plans(run, request);
    return Result<Completion>(
        says(Json{{"sufficient", false},
                  {"missing", "bees"},
                  {"tasks", Json::array({a_gap("What are bees kept for in coast towns")})}}));
  };
  begin_research({{"patience_s", 10}, {"effort", "complex"}});
  pass_time(9s);
  EXPECT_EQ(agents_that_were_answered(), 3u);
  pass_time(2s);
  EXPECT_EQ(agents_that_were_answered(), 4u);
  EXPECT_TRUE(host_->progress(slow_));
  EXPECT_TRUE(result().empty());
  held_agents_.clear();
  let_go();
  auto json = result();
  ASSERT_EQ(json["agents"].size(), 5u);
  EXPECT_EQ(get_int(json["agents"][4], "round"), 2);
}

// Four things that the library knows.
Result<Completion> plans_what_is_there(const std::string& run, const CompletionRequest& request) {
  if (!asks_for(request, research::kPlanShape)) return research_test::extract(run, request);
  Json tasks = Json::array();
  for (const char* objective : {"Who designed the lighthouse Skerry Light", "When was Elbow Light lit",
                                "How many people live in Port Varr", "What bees are kept for"})
    tasks.push_back(research_test::a_task(objective));
  return says(Json{{"kind", "depth_first"}, {"approach", ""}, {"tasks", std::move(tasks)}});
}

TEST_F(ResearchRunTest, GoesOnWithoutAnAgentThatSomebodyElseEnded) {  // M1
  model_ = plans_what_is_there;
  begin_research({{"patience_s", 0}});
  EXPECT_TRUE(result().empty());
  EXPECT_TRUE(host_->cancel(slow_, false));
  go_on();
  auto json = result();
  ASSERT_FALSE(json.empty());
  EXPECT_EQ(with(json, "error", ""), 3u);
  EXPECT_EQ(with(json, "error", "cancelled"), 1u);
}

TEST_F(ResearchRunTest, TellsHowManyAgentsAreAtWorkAndWhatTheyUse) {
  begin_research({{"patience_s", 0}});
  pass_time(1s);
  auto progress = host_->progress("run-1");
  ASSERT_TRUE(progress);
  EXPECT_EQ(progress->children, 1u);
  EXPECT_GT(progress->tool_calls, 3) << "those of agents that have ended count, too";
  EXPECT_GT(progress->calls, 8u);
}

TEST_F(ResearchRunTest, ASecondLifeBuysNothingAgain) {  // M12: lead and agents, a cancelled one among them
  Json settings{{"first_k", 3}, {"grace_s", 5}};
  begin_research(settings);
  pass_time(2s);
  auto recorded = journal_.results("run-1");
  ASSERT_GT(recorded.size(), 4u);
  bought_.clear();
  new_process();
  slow_calls_.clear();
  settings["question"] = "Compare both lighthouses.";
  submit("research", "run-1", {}, dump_json(settings));
  go_on();
  pass_time(6s);
  ASSERT_FALSE(result().empty());
  for (const auto& [call, times] : bought_) {
    if (call.starts_with("run-1 ")) EXPECT_FALSE(recorded.contains(call.substr(6))) << call;
  }
  EXPECT_EQ(with(result(), "error", "cancelled"), 1u);
  EXPECT_TRUE(report().drift.empty()) << fmt::format("{}", fmt::join(report().drift, "; "));
}

}  // namespace
}  // namespace troupe::actors::testing
