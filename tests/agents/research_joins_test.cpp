// Who works when: further rounds, agents added beside slow ones, siblings that ask alike, tools that vanish.
#include "tests/agents/research_support.hpp"

#include "agents/research/queries.hpp"
#include "agents/research/shared_calls.hpp"

#include <algorithm>
#include <set>

namespace troupe::research_test {
namespace {

bool mentions(const CompletionRequest& request, std::string_view words) {
  for (const auto& message : request.messages)
    for (const auto& part : message.parts)
      if (const auto* text = std::get_if<TextPart>(&part);
          text && text->text.find(words) != std::string::npos)
        return true;
  return false;
}

Completion searches(const std::string& query) {
  Completion out;
  out.parts.emplace_back(
      ToolUsePart{.id = "c" + query, .name = "search", .input = {dump_json(Json{{"query", query}})}});
  return out;
}

// Plans for the tower alone and sees the gap only when the designer's name is on the table. Its agents look
// up one thing and stop.
Result<Completion> short_sighted(const std::string& run, const CompletionRequest& request) {
  if (asks_for(request, research::kPlanShape))
    return says(Json{{"kind", "depth_first"},
                     {"approach", "the tower first"},
                     {"tasks", Json::array({a_task("Who designed the lighthouse Skerry Light")})}});
  if (asks_for(request, research::kReviewShape)) {
    bool enough = mentions(request, "1871");
    auto tasks = Json::array();
    if (!enough) tasks.push_back(a_gap("In which year was Aline Moor born"));
    return says(Json{{"sufficient", enough}, {"missing", ""}, {"tasks", std::move(tasks)}});
  }
  if (request.tools.empty()) return extract(run, request);
  bool asked = request.messages.size() > 2;
  if (asked) return says(Json("enough"));
  return searches(mentions(request, "Objective: In which year") ? "Aline Moor" : "Skerry Light lighthouse");
}

Json two_steps(std::size_t rounds) {
  return Json{{"question", "Compare: in which year was the designer of Skerry Light born?"},
              {"rounds", rounds}};
}

TEST(ResearchRounds, LooksAgainForWhatIsMissing) {  // M9, RUNTIME 7: another round on gaps
  ResearchWorld world(short_sighted, shelves());
  auto json = outcome(world, two_steps(2));
  ASSERT_EQ(json["agents"].size(), 2u);
  EXPECT_EQ(get_int(json, "rounds"), 2);
  EXPECT_EQ(get_int(json["agents"][1], "round"), 2);
  EXPECT_NE(get_string(json, "report").find("1871"), std::string::npos);
  ResearchWorld once(short_sighted, shelves());
  auto without = outcome(once, two_steps(1));
  EXPECT_EQ(without["agents"].size(), 1u);
  EXPECT_EQ(get_string(without, "report").find("1871"), std::string::npos)
      << "nothing shows what the second round is for";
}

TEST(ResearchRounds, TheSecondKnowsWhatTheFirstFoundAndAsked) {
  ResearchWorld world(short_sighted, shelves());
  outcome(world, two_steps(2));
  ASSERT_EQ(world.children.size(), 2u);
  bool known = false;
  for (const auto& [run, request] : world.asked)
    known = known || (run == world.children[1] && mentions(request, "Known: "));
  EXPECT_TRUE(known);
  // What the first asked is not asked again by the second.
  auto same_again = [](const std::string& run, const CompletionRequest& request) -> Result<Completion> {
    if (!request.tools.empty() && request.messages.size() <= 2) return searches("Skerry Light lighthouse");
    return short_sighted(run, request);
  };
  ResearchWorld again(same_again, shelves());
  auto json = outcome(again, two_steps(2));
  ASSERT_EQ(json["agents"].size(), 2u);
  EXPECT_EQ(get_int(json["agents"][1], "tool_calls"), 0);
  EXPECT_GT(get_int(json["agents"][1], "repeats"), 0);
}

TEST(ResearchRounds, StopsWhenARoundFindsNothing) {  // M9: diminishing returns
  auto never_content = [](const std::string& run, const CompletionRequest& request) -> Result<Completion> {
    static int number = 0;
    if (!asks_for(request, research::kReviewShape)) return short_sighted(run, request);
    auto task = a_gap(fmt::format("What colour had the bell number {} of Coast{}", number, number));
    ++number;
    return says(Json{{"sufficient", false}, {"missing", "all"}, {"tasks", Json::array({task})}});
  };
  ResearchWorld world(never_content, shelves());
  auto json = outcome(world, two_steps(4));
  // One that finds, one that does not; no third and fourth.
  EXPECT_EQ(get_int(json, "rounds"), 2);
}

// Four towers, one of them slow; when the others have ended the lead wants to know of bees.
ResearchWorld::Model adds_bees() {
  return [plans = planning(4)](const std::string& run, const CompletionRequest& request) {
    if (!asks_for(request, research::kReviewShape)) return plans(run, request);
    bool known = mentions(request, "honey");
    auto tasks = Json::array();
    if (!known) tasks.push_back(a_gap("What are bees kept for in coast towns"));
    return Result<Completion>(
        says(Json{{"sufficient", known}, {"missing", ""}, {"tasks", std::move(tasks)}}));
  };
}

std::int64_t time_with_patience(std::size_t patience_s, Json& json) {
  ResearchWorld world(adds_bees(), shelves());
  world.latency = [&world](const std::string& run, const std::string& what) -> std::int64_t {
    bool slow = !world.children.empty() && run == world.children.front();
    return what == "search" ? (slow ? 60'000 : 20'000) : 10;
  };
  auto begun = world.now_ms;
  json = outcome(
      world,
      Json{{"question", "Compare both lighthouses."}, {"effort", "complex"}, {"patience_s", patience_s}});
  return world.now_ms - begun;
}

TEST(ResearchRounds, AddsAgentsWhileASlowOneIsAtWork) {  // M15: add
  Json beside, behind;
  auto asynchronous = time_with_patience(5, beside);
  auto barrier = time_with_patience(0, behind);
  ASSERT_EQ(beside["agents"].size(), 5u);
  ASSERT_EQ(behind["agents"].size(), 5u);
  EXPECT_EQ(get_int(beside["agents"][4], "round"), 2);
  EXPECT_GT(get_int(beside["agents"][4], "findings"), 0);
  EXPECT_EQ(get_string(beside["agents"][0], "error"), "") << "the slow one was waited for, too";
  // The further agent's searches are not behind the slow one's but beside them.
  EXPECT_LE(asynchronous + 20'000, barrier);
}

TEST(ResearchRounds, AResumedRunActsInTheOrderOfItsFirstLife) {  // M12, M15
  auto input = Json{{"question", "Compare both lighthouses."}, {"effort", "complex"}, {"patience_s", 5}};
  auto slow_first = [](ResearchWorld& world) {
    world.latency = [&world](const std::string& run, const std::string& what) -> std::int64_t {
      bool slow = run.find("agent/1/") != std::string::npos && what == "search" &&
                  (world.children.empty() || run == world.children.front());
      return what == "search" ? (slow ? 60'000 : 2000) : 10;
    };
  };
  ResearchWorld whole(adds_bees(), shelves());
  slow_first(whole);
  auto right = outcome(whole, input);
  ASSERT_EQ(right["agents"].size(), 5u);
  for (std::size_t crash = 10; crash < whole.events; crash += 7) {
    ResearchWorld before(adds_bees(), shelves());
    slow_first(before);
    ASSERT_FALSE(before.run(input, crash)) << crash;
    ResearchWorld after(adds_bees(), shelves());
    after.journal = before.journal;
    EXPECT_EQ(outcome(after, input)["agents"], right["agents"]) << "crashed after event " << crash;
    EXPECT_EQ(before.asked.size() + after.asked.size(), whole.asked.size()) << crash;
  }
}

// ---- siblings that ask alike ----

class CountedSearch final : public Tool {
 public:
  explicit CountedSearch(ToolPtr tool) : tool_(std::move(tool)) {}
  const ToolSpec& spec() const override { return tool_->spec(); }
  void call(const ToolContext& context, const JsonText& input,
            std::function<void(Result<ToolOutput>)> done) override {
    ++calls;
    if (failures > 0) {
      --failures;
      return done(fail(Errc::transient_server, "down"));
    }
    tool_->call(context, input, std::move(done));
  }
  std::size_t calls = 0, failures = 0;

 private:
  ToolPtr tool_;
};

// All of a round look up the same.
Result<Completion> of_one_mind(const std::string& run, const CompletionRequest& request) {
  if (asks_for(request, research::kPlanShape)) return planning(4)(run, request);
  if (request.tools.empty()) return extract(run, request);
  return request.messages.size() > 2 ? says(Json("enough")) : searches("Skerry Light lighthouse");
}

std::size_t searches_of(const char* without, Json& json, std::size_t failures = 0) {
  auto source = shelves();
  auto counted = std::make_shared<CountedSearch>(source({})->box.find("search"));
  counted->failures = failures;
  ResearchWorld world(of_one_mind, [&](const JsonText&) -> Result<Toolbox> {
    Toolbox box;
    bool added = box.add(counted) && box.add(source({})->box.find("open_document"));
    if (!added) return fail(Errc::internal, "twice");
    return box;
  });
  json = outcome(world, Json{{"question", "Compare both lighthouses."}, {"without", without}});
  return counted->calls;
}

TEST(ResearchSiblings, WhatTheyAskAlikeIsAskedOnce) {  // M3, RUNTIME 7
  Json with, without;
  EXPECT_EQ(searches_of("", with), 1u);
  EXPECT_EQ(searches_of("share", without), 4u) << "nothing shows what it prevents";
  // Each of them was told what the one call found.
  ASSERT_EQ(with["agents"].size(), 4u);
  for (const auto& agent : with["agents"]) EXPECT_GT(get_int(agent, "sources"), 0);
  EXPECT_EQ(with["claims"], without["claims"]);
}

TEST(ResearchSiblings, AFailureIsNobodysAnswer) {
  Json json;
  // The first try of the first fails; it is tried again, and what the others ask is answered.
  EXPECT_GE(searches_of("", json, 1), 2u);
  for (const auto& agent : json["agents"]) EXPECT_GT(get_int(agent, "sources"), 0);
}

TEST(SharedCalls, OtherArgumentsAreAnotherCall) {
  auto hash = [](const Json& input) { return research::call_hash("search", input); };
  EXPECT_EQ(hash({{"query", "the Light of Skerry"}}), hash({{"query", "skerry light?"}}));
  EXPECT_NE(hash({{"query", "Skerry Light"}, {"limit", 1}}), hash({{"query", "Skerry Light"}, {"limit", 9}}));
  EXPECT_NE(hash({{"query", "Skerry"}}), research::call_hash("fetch", {{"query", "Skerry"}}));
}

/// Ends its calls when told.
class LateTool final : public Tool {
 public:
  const ToolSpec& spec() const override { return spec_; }
  bool repeatable() const override { return repeatable_; }
  void call(const ToolContext&, const JsonText&, std::function<void(Result<ToolOutput>)> done) override {
    waiting.push_back(std::move(done));
  }
  std::vector<std::function<void(Result<ToolOutput>)>> waiting;
  bool repeatable_ = true;

 private:
  ToolSpec spec_{"late", "", {"{}"}};
};

TEST(SharedCalls, WhoAsksMeanwhileWaitsForTheSameAnswer) {
  auto late = std::make_shared<LateTool>();
  auto shared = std::make_shared<research::SharedCalls>()->over(late);
  std::vector<std::string> told;
  auto tell = [&told](Result<ToolOutput> output) { told.push_back(output ? output->text : "failed"); };
  shared->call({}, {R"({"query":"fog"})"}, tell);
  shared->call({}, {R"({ "query": "fog" })"}, tell);
  ASSERT_EQ(late->waiting.size(), 1u);
  late->waiting[0](fail(Errc::unreachable, "gone"));
  EXPECT_EQ(told, (std::vector<std::string>{"failed", "failed"}));
  shared->call({}, {R"({"query":"fog"})"}, tell);
  ASSERT_EQ(late->waiting.size(), 2u) << "a failure was kept";
  late->waiting[1](ToolOutput{.text = "horns"});
  shared->call({}, {R"({"query":"fog"})"}, tell);
  EXPECT_EQ(late->waiting.size(), 2u);
  EXPECT_EQ(told.back(), "horns");
}

TEST(SharedCalls, HoldsOnlySoMany) {
  auto late = std::make_shared<LateTool>();
  auto shared = std::make_shared<research::SharedCalls>()->over(late);
  auto ask = [&](std::size_t i) { shared->call({}, {fmt::format(R"({{"query":"q{}"}})", i)}, [](auto) {}); };
  for (std::size_t i = 0; i <= research::SharedCalls::calls_max; ++i) ask(i);
  auto made = late->waiting.size();
  EXPECT_EQ(made, research::SharedCalls::calls_max + 1);
  ask(0);
  EXPECT_EQ(late->waiting.size(), made) << "what is held is still shared";
  ask(research::SharedCalls::calls_max);
  EXPECT_EQ(late->waiting.size(), made + 1) << "what is not held is asked again";
}

TEST(SharedCalls, LeavesAToolWithEffectsAlone) {
  auto late = std::make_shared<LateTool>();
  late->repeatable_ = false;
  EXPECT_EQ(std::make_shared<research::SharedCalls>()->over(late), late);
}

// ---- tools that vanish ----

TEST(ResearchTools, AResumedRunKeepsTheToolsItBeganWith) {  // M12, M13: a server that is not there any more
  ResearchWorld whole(extract, shelves());
  auto right = outcome(whole, kBridge);
  for (std::size_t crash = 5; crash < whole.events; crash += 9) {
    ResearchWorld before(extract, shelves());
    ASSERT_FALSE(before.run(kBridge, crash)) << crash;
    auto full = shelves();
    // The server comes back with another tool, and other words about the one that stayed.
    ResearchWorld after(extract, [&full](const JsonText& input) -> Result<research::OpenedTools> {
      auto box = full(input);
      if (!box->box.add(std::make_shared<LateTool>())) return fail(Errc::internal, "twice");
      return box;
    });
    after.journal = before.journal;
    EXPECT_EQ(outcome(after, kBridge), right) << "crashed after event " << crash;
    EXPECT_EQ(before.asked.size() + after.asked.size(), whole.asked.size()) << "bought again: " << crash;
  }
}

TEST(ResearchTools, OneThatIsGoneIsAFailureTheModelReads) {  // M13
  ResearchWorld before(extract, shelves());
  // The plan is made, the agent has its tools; nothing was asked of them yet.
  std::size_t crash = 0;
  for (; crash < 100; ++crash) {
    ResearchWorld probe(extract, shelves());
    if (probe.run(kBridge, crash)) break;
    bool kept = std::ranges::any_of(probe.journal.steps, [](const auto& step) {
      return step.first.find("agent") != std::string::npos && step.first.ends_with("tools.kept");
    });
    if (kept && probe.journal.tools.empty()) break;
  }
  ASSERT_FALSE(before.run(kBridge, crash));
  ResearchWorld after(extract, [](const JsonText&) -> Result<Toolbox> { return Toolbox(); });
  after.journal = before.journal;
  auto json = outcome(after, kBridge);
  EXPECT_GT(get_int(json["agents"][0], "tool_errors"), 0);
  EXPECT_FALSE(get_bool(json, "found", true));
}

}  // namespace
}  // namespace troupe::research_test
