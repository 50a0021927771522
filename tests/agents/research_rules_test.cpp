// The pure rules of research: effort, contracts, queries, context.
#include "agents/research/context.hpp"
#include "agents/research/contract.hpp"
#include "agents/research/effort.hpp"
#include "agents/research/input.hpp"
#include "agents/research/queries.hpp"
#include "agents/research/words.hpp"
#include "runtime/base/rng.hpp"
#include "runtime/base/tokens.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace troupe::research {
namespace {

const std::vector<std::string> kTools = {"search", "open_document"};
constexpr WallTime kNoon{1'700'000'000'000};

Delegation task(std::string objective) {
  auto out = delegation_from(Json{{"objective", std::move(objective)}});
  out.output_format = "sentences";
  out.tools = {"search"};
  out.boundaries = "only this";
  return out;
}

TEST(EffortFor, KeepsToItsTableForAThousandQuestions) {  // M4
  const std::vector<std::string> parts = {"Who built the lighthouse",
                                          "compare the two harbours",
                                          "list all ships",
                                          "both captains",
                                          "when",
                                          "between the islands",
                                          "every storm",
                                          "? "};
  Rng rng(4);
  for (int i = 0; i < 1000; ++i) {
    std::string question;
    for (auto n = 1 + rng.below(6); n > 0; --n) question += parts[rng.below(parts.size())] + " ";
    EffortWish wish{.kind = {}, .agents_max = rng.below(2) * 500, .calls_max = rng.below(2) * 500};
    auto effort = effort_for(question, wish);
    auto table = effort.kind == QuestionKind::straightforward ? 1u
                 : effort.kind == QuestionKind::depth_first   ? 4u
                                                              : kSubagentsCeiling;
    EXPECT_LE(effort.agents_max, table) << question;
    EXPECT_LE(effort.calls_max, kToolCallsCeiling);
    EXPECT_GE(effort.agents_max, 1u);
    EXPECT_LE(effort.calls_near, effort.calls_max);
  }
}

TEST(EffortFor, GivesASimpleQuestionOneAgentWhateverIsWished) {  // M4
  auto effort = effort_for("When was the lighthouse built?", {.kind = {}, .agents_max = 50, .calls_max = 0});
  EXPECT_EQ(effort.kind, QuestionKind::straightforward);
  EXPECT_EQ(effort.agents_max, 1u);
  EXPECT_EQ(effort.calls_max, 10u);
}

TEST(Worth, CutsAgentsThenCallsToWhatAnAnswerIsWorth) {  // M17
  Effort broad{QuestionKind::breadth_first, 20, 12, 15};
  for (std::int64_t tokens : {20'000, 50'000, 100'000, 300'000}) {
    auto cut = worth(broad, tokens);
    ASSERT_TRUE(cut) << tokens;
    EXPECT_LE(tokens_for(*cut), tokens);
    EXPECT_LE(cut->calls_near, cut->calls_max);
  }
  EXPECT_EQ(worth(broad, 100'000)->agents_max, 3u);
  EXPECT_EQ(worth(broad, 10'000'000), broad);
  EXPECT_EQ(worth(broad, 20'000)->calls_near, 5u);
  EXPECT_FALSE(worth(broad, 13'499));
  EXPECT_TRUE(worth(broad, 13'500));
}

TEST(EffortFor, LetsAPersonNameAnotherKindAndLowerIt) {
  auto effort = effort_for("When was it built?", {.kind = "complex", .agents_max = 12, .calls_max = 99});
  EXPECT_EQ(effort.agents_max, 12u);
  EXPECT_EQ(effort.calls_max, kToolCallsCeiling);
  EXPECT_EQ(classify("Which is older, the lighthouse or the pier?"), QuestionKind::depth_first);
  EXPECT_EQ(classify("List all the lighthouses of the coast."), QuestionKind::breadth_first);
}

TEST(CheckDelegation, RefusesVagueAndMissingParts) {  // M3
  EXPECT_TRUE(check_delegation(task("Who built the Skerry lighthouse"), kTools, kNoon));
  for (const char* vague :
       {"", "research", "find more information about the topic", "look into various things"})
    EXPECT_FALSE(check_delegation(task(vague), kTools, kNoon)) << vague;
  auto spoil = [&](auto change) {
    auto spoiled = task("Who built the Skerry lighthouse");
    change(spoiled);
    return check_delegation(spoiled, kTools, kNoon).has_value();
  };
  EXPECT_FALSE(spoil([](Delegation& d) { d.output_format.clear(); }));
  EXPECT_FALSE(spoil([](Delegation& d) { d.boundaries.clear(); }));
  EXPECT_FALSE(spoil([](Delegation& d) { d.tools.clear(); }));
  EXPECT_FALSE(spoil([](Delegation& d) { d.tools = {"shell"}; }));
  EXPECT_FALSE(spoil([](Delegation& d) { d.calls_max = 0; }));
  EXPECT_FALSE(spoil([](Delegation& d) { d.calls_max = kToolCallsCeiling + 1; }));
  EXPECT_FALSE(spoil([](Delegation& d) { d.deadline_ms = kNoon.ms; }));
  EXPECT_FALSE(spoil([](Delegation& d) { d.objective.assign(601, 'a'); }));
}

TEST(AcceptTasks, MergesSiblingsThatOverlapAndSaysSo) {  // M3
  auto twin = task("Find who built the Skerry lighthouse tower");
  twin.starts = {"Skerry builder"};
  auto accepted = accept_tasks(
      {task("Who built the Skerry lighthouse tower"), twin, task("Depth of the harbour at low tide")}, {}, 20,
      kTools, kNoon);
  ASSERT_EQ(accepted.tasks.size(), 2u);
  EXPECT_EQ(accepted.merged, 1u);
  EXPECT_EQ(accepted.tasks[0].starts, twin.starts);
  EXPECT_FALSE(accepted.notes.empty());
}

TEST(AcceptTasks, KeepsTasksThatDifferByANameApart) {  // M3
  auto accepted = accept_tasks({task("Year in which the lighthouse of Skerry was first lit"),
                                task("Year in which the lighthouse of Elbow was first lit")},
                               {}, 20, kTools, kNoon);
  EXPECT_EQ(accepted.tasks.size(), 2u);
}

TEST(AcceptTasks, RefusesWhatAnEarlierRoundDidAndCutsAtTheCeiling) {
  std::vector<Delegation> before = {task("Who built the Skerry lighthouse tower")};
  std::vector<Delegation> many;
  for (int i = 0; i < 50; ++i)
    many.push_back(task(fmt::format("Who lit lighthouse number {} of Coast{}", i, i)));
  many.push_back(before[0]);
  auto accepted = accept_tasks(many, before, 4, kTools, kNoon);
  EXPECT_EQ(accepted.tasks.size(), 4u);
  EXPECT_EQ(accepted.cut, 46u);
  EXPECT_EQ(accepted.refused, 1u);
}

TEST(CallHash, IsTheSameForTheSameQuestionInOtherClothes) {
  auto hash = [](const char* query) { return call_hash("search", Json{{"query", query}}); };
  EXPECT_EQ(hash("Who built the Skerry lighthouses?"), hash("skerry LIGHTHOUSE built"));
  EXPECT_NE(hash("Skerry lighthouse"), hash("Elbow lighthouse"));
  EXPECT_NE(hash("Skerry"), call_hash("open", Json{{"query", "Skerry"}}));
  EXPECT_NE(call_hash("open", Json{{"doc", "a"}}), call_hash("open", Json{{"doc", "b"}}));
}

TEST(CallHash, IsOfAllArguments) {
  auto hash = [](const Json& input) { return call_hash("search", input); };
  Json query{{"query", "Skerry Light"}};
  EXPECT_NE(hash(query), hash({{"query", "Skerry Light"}, {"limit", 50}}));
  EXPECT_NE(hash({{"query", "Skerry Light"}, {"from", "1900"}}),
            hash({{"query", "Skerry Light"}, {"from", "1950"}}));
  EXPECT_EQ(hash({{"limit", 5}, {"query", "Skerry"}}), hash({{"query", "skerry?"}, {"limit", 5.0}}));
  auto parsed = [](const char* text) { return call_hash("fetch", *parse_json(text)); };
  EXPECT_EQ(parsed(R"({"a":{"c":[1,2.0],"b":2}})"), parsed(R"({ "a": {"b": 2, "c": [1.0, 2]} })"));
  EXPECT_NE(parsed(R"({"a":[1,2]})"), parsed(R"({"a":[2,1]})"));
  EXPECT_NE(parsed(R"({"a":0.5})"), parsed(R"({"a":"0.5"})"));
}

TEST(CallHash, TakesAQueryForWordsOnlyWhereItIsWords) {
  // Of a statement of SQL, order and operators are the question.
  auto hash = [](const char* query) { return call_hash("sql_lamps", Json{{"query", query}}); };
  EXPECT_NE(hash("SELECT height FROM lamps WHERE year < 1900"),
            hash("SELECT height FROM lamps WHERE year > 1900"));
  EXPECT_EQ(hash("SELECT 1"), hash("SELECT 1"));
}

Turn turn_of(int number, std::size_t bytes) {
  auto id = fmt::format("c{}", number);
  Turn out;
  out.asked.emplace_back(ToolUsePart{.id = id, .name = "search", .input = {"{}"}});
  out.results.push_back({.tool_use_id = id, .text = std::string(bytes, 'x')});
  out.summary = fmt::format("- search {}", number);
  return out;
}

std::string all_text(const CompletionRequest& request) {
  std::string out;
  for (const auto& message : request.messages)
    for (const auto& part : message.parts) {
      if (const auto* text = std::get_if<TextPart>(&part)) out += text->text + "\n";
      if (const auto* result = std::get_if<ToolResultPart>(&part)) out += result->text + "\n";
    }
  return out;
}

TEST(FillContext, KeepsPlanAndQuestionHoweverLittleRoomThereIs) {  // M2
  std::vector<Turn> turns;
  for (int i = 0; i < 30; ++i) turns.push_back(turn_of(i, 4000));
  for (std::size_t room : {600u, 2000u, 8000u}) {
    CompletionRequest request;
    fill_context(request, "Question: who?\nPlan: ask", turns, {.tokens_max = room});
    EXPECT_NE(all_text(request).find("Question: who?\nPlan: ask"), std::string::npos);
    EXPECT_LE(estimate_input_tokens(request), room + room / 8) << room;
    CompletionRequest without;
    fill_context(without, "Question: who?\nPlan: ask", turns, {.tokens_max = room, .keep_brief = false});
    EXPECT_EQ(all_text(without).find("Question: who?"), std::string::npos)
        << "nothing shows what it prevents";
  }
}

TEST(FillContext, NeverShowsAResultWithoutItsCall) {
  std::vector<Turn> turns;
  for (int i = 0; i < 9; ++i) turns.push_back(turn_of(i, 1500));
  for (std::size_t room = 300; room < 5000; room += 100) {
    CompletionRequest request;
    fill_context(request, "Question: who?", turns, {.tokens_max = room});
    ASSERT_GE(request.messages.size(), 3u);
    ASSERT_EQ(request.messages.size() % 2, 1u);
    for (std::size_t i = 1; i < request.messages.size(); i += 2) {
      const auto& use = std::get<ToolUsePart>(request.messages[i].parts[0]);
      EXPECT_EQ(std::get<ToolResultPart>(request.messages[i + 1].parts[0]).tool_use_id, use.id);
    }
  }
}

/// Two bytes a character.
std::string wide_text(std::size_t bytes) {
  std::string out;
  while (out.size() < bytes) out += "é";
  return out;
}

TEST(ReadResearchInput, NamesTheSettingThatIsWrong) {
  auto what = [](Json extra) {
    extra["question"] = "who?";
    auto read = read_research_input({dump_json(extra)});
    return read ? std::string() : read.error().what;
  };
  EXPECT_EQ(what({{"subagents_max", "3"}, {"critic", "off"}, {"effort", "auto"}}), "");
  EXPECT_NE(what({{"parallel", 0}}).find("parallel"), std::string::npos);
  EXPECT_NE(what({{"effort", "heroic"}}).find("effort"), std::string::npos);
  EXPECT_NE(what({{"unsupported", "keep"}}).find("unsupported"), std::string::npos);
  EXPECT_NE(what({{"rounds", 5}}).find("rounds"), std::string::npos);
  EXPECT_FALSE(read_research_input({R"({"question":""})"}));
  EXPECT_FALSE(read_research_input({dump_json(Json{{"question", std::string(4001, 'a')}})}));
  EXPECT_TRUE(read_research_input({dump_json(Json{{"question", wide_text(4000)}})}));
  EXPECT_FALSE(read_research_input({dump_json(Json{{"question", wide_text(4002)}})})) << "cut at a character";
  EXPECT_FALSE(read_research_input({"[]"}));
}

TEST(Support, WantsEveryNumberAndName) {
  EXPECT_GT(support("It was lit in 1903.", "The tower was lit in 1903 by Aline Moor."), 0.6);
  EXPECT_EQ(support("It was lit in 1904.", "The tower was lit in 1903 by Aline Moor."), 0);
  EXPECT_EQ(support("The tower was lit by Brand.", "The tower was lit in 1903 by Aline Moor."), 0);
}

TEST(FindQuote, MindsBytesButNotBlanks) {
  std::string text = "A first one.  The lamp\nwas lit. Last.";
  auto at = find_quote(text, "The lamp was  lit.");
  EXPECT_EQ(text.substr(at.start, at.end - at.start), "The lamp\nwas lit.");
  EXPECT_EQ(find_quote(text, "The lamp was out.").end, 0u);
}

}  // namespace
}  // namespace troupe::research
