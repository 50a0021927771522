// Whole runs of research, lead and subagents, in virtual time.
#include "tests/agents/research_support.hpp"

#include "runtime/base/tokens.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>

namespace troupe::research_test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Research, AnswersAQuestionThatTakesTwoSteps) {  // M7: the second page is known only from the first
  ResearchWorld world(extract, shelves());
  auto json = outcome(world, kBridge);
  EXPECT_TRUE(get_bool(json, "found"));
  EXPECT_EQ(get_string(json, "answer"), "1871");
  EXPECT_EQ(json["agents"].size(), 1u);
  EXPECT_NE(get_string(json, "report").find("## Sources"), std::string::npos);
  EXPECT_GT(get_int(json, "calls"), 3);
  EXPECT_GT(get_int(json, "tokens"), 0);
  std::set<std::string> read;
  for (const auto& [key, output] : world.journal.tools)
    for (const auto& span : output.sources) read.insert(span.doc);
  EXPECT_TRUE(read.contains("moor"));
}

TEST(Research, EveryCitationIsOfBytesThatAreThere) {  // M10
  for (const auto& input : {kBridge, kCompare}) {
    ResearchWorld world(extract, shelves());
    auto json = outcome(world, input);
    auto corpus = tools::make_corpus(library());
    ASSERT_TRUE(corpus);
    std::size_t citations = 0;
    for (const auto& claim : json["claims"]) {
      EXPECT_FALSE(claim["citations"].empty());
      for (const auto& c : claim["citations"]) {
        Span span{get_string(c, "doc"), static_cast<std::size_t>(get_int(c, "start")),
                  static_cast<std::size_t>(get_int(c, "end"))};
        EXPECT_TRUE((*corpus)->resolves(span, ""));
        ++citations;
      }
    }
    EXPECT_GT(citations, 0u);
  }
}

TEST(Research, SaysNotFoundWithWhatItSearched) {  // M9
  auto documents = library();
  std::erase_if(documents, [](const auto& d) { return d.id == "skerry" || d.id == "moor"; });
  ResearchWorld world(extract, shelves(documents));
  auto json = outcome(world, kBridge);
  EXPECT_FALSE(get_bool(json, "found", true));
  EXPECT_EQ(get_string(json, "answer"), "");
  EXPECT_NE(get_string(json, "report").find("**Not found.**"), std::string::npos);
  EXPECT_NE(get_string(json, "report").find("## What was searched"), std::string::npos);
}

TEST(Research, AnAnswerNoSourceSaysIsNotFound) {  // M9, M10
  ResearchWorld world(
      [](const std::string& run, const CompletionRequest& request) -> Result<Completion> {
        if (!asks_for(request, research::kReportShape)) return extract(run, request);
        return says(Json{
            {"found", true}, {"answer", "Quintus Brand"}, {"report", "- Quintus Brand did it in 1999."}});
      },
      shelves());
  auto json = outcome(world, kBridge);
  EXPECT_FALSE(get_bool(json, "found", true));
  EXPECT_TRUE(json["claims"].empty());
  EXPECT_EQ(get_string(json, "report").find("Quintus"), std::string::npos);
}

TEST(Research, ALeadThatWantsFiveHundredAgentsGetsTheCeiling) {  // M4
  ResearchWorld simple(planning(500), shelves());
  auto one = outcome(simple, kBridge);
  EXPECT_EQ(simple.children.size(), 1u) << "a simple question is one agent's";
  EXPECT_GT(get_int(one["checks"], "tasks_cut"), 490);
  ResearchWorld complex(planning(500), shelves());
  auto input = kBridge;
  input["effort"] = "complex";
  input["subagents_max"] = 500;
  auto many = outcome(complex, input);
  EXPECT_EQ(complex.children.size(), 20u);
  EXPECT_LE(complex.children_at_once_max, 4u);
  EXPECT_FALSE(get_string(many, "report").empty());
}

TEST(Research, AnAgentThatNeverStopsIsStoppedAtItsCalls) {  // M4: kill at the ceiling
  auto documents = library();
  for (int i = 0; i < 300; ++i)
    documents.push_back(
        {.id = fmt::format("t{}", i), .title = fmt::format("Tower {}", i), .text = "It stands."});
  std::size_t number = 0;
  ResearchWorld world(
      [&](const std::string& run, const CompletionRequest& request) -> Result<Completion> {
        if (request.tools.empty()) return extract(run, request);
        Completion out;
        for (int i = 0; i < 50; ++i) {
          auto query = fmt::format("tower {}", number);
          ++number;
          out.parts.emplace_back(ToolUsePart{.id = fmt::format("c{}", number),
                                             .name = "search",
                                             .input = {dump_json(Json{{"query", query}, {"limit", 1}})}});
        }
        return out;
      },
      shelves(documents));
  auto input = kBridge;
  input["calls_max"] = 1000;
  auto json = outcome(world, input);
  EXPECT_EQ(get_int(json["agents"][0], "tool_calls"), 20);
  EXPECT_LE(world.tools_at_once_max, 4u);
}

// Asks the same five times a turn, in other words.
Result<Completion> parrot(const std::string& run, const CompletionRequest& request) {
  if (request.tools.empty()) return extract(run, request);
  Completion out;
  for (const char* query :
       {"Skerry Light", "skerry light?", "the LIGHT of Skerry", "lights, Skerry", "Skerry light"})
    out.parts.emplace_back(ToolUsePart{.id = fmt::format("c{}{}", request.messages.size(), query),
                                       .name = "search",
                                       .input = {dump_json(Json{{"query", query}})}});
  return out;
}

TEST(Research, NeverAsksTheSameTwice) {  // RUNTIME 7, M3
  ResearchWorld world(parrot, shelves());
  auto json = outcome(world, kBridge);
  EXPECT_EQ(get_int(json["agents"][0], "tool_calls"), 1);
  EXPECT_GT(get_int(json["agents"][0], "repeats"), 3);
  ResearchWorld without(parrot, shelves());
  auto input = kBridge;
  input["without"] = "repeats";
  EXPECT_GT(get_int(outcome(without, input)["agents"][0], "tool_calls"), 4)
      << "nothing shows what it prevents";
}

TEST(Research, RecordsHowWideItsQueriesWere) {  // M6
  ResearchWorld world(extract, shelves());
  auto json = outcome(world, kBridge);
  const auto& queries = json["agents"][0]["queries"];
  ASSERT_FALSE(queries.empty());
  for (const auto& query : queries) {
    EXPECT_GT(get_int(query, "terms"), 0);
    EXPECT_TRUE(get_int(query, "turn") > 1 || get_int(query, "terms") <= 8);
  }
}

TEST(Research, PlansBeforeAnybodyWorks) {  // M2
  ResearchWorld world(extract, shelves());
  outcome(world, kCompare);
  ASSERT_FALSE(world.asked.empty());
  EXPECT_TRUE(asks_for(world.asked.front().second, research::kPlanShape));
  EXPECT_TRUE(world.journal.steps.contains("run|plan.kept"));
}

TEST(Research, ShowsThePlanInEveryPromptOfASmallContext) {  // M2
  auto documents = library();
  for (int i = 0; i < 60; ++i) {
    auto text = fmt::format("Skerry Light of page {}. ", i);
    for (int k = 0; k < 20; ++k)
      text += "Its designer saw the year and the light go by while born gulls cried. ";
    documents.push_back({.id = fmt::format("p{}", i), .title = fmt::format("Page {}", i), .text = text});
  }
  for (bool with : {true, false}) {
    ResearchWorld world(extract, shelves(documents));
    auto input = kBridge;
    input["context_tokens"] = 2000;
    if (!with) input["without"] = "plan";
    outcome(world, input);
    std::size_t turns = 0, shown = 0;
    for (const auto& [run, request] : world.asked) {
      if (request.tools.empty()) continue;
      ++turns;
      EXPECT_LE(estimate_input_tokens(request), 2400u);
      const auto* text = std::get_if<TextPart>(&request.messages[1].parts[0]);
      shown += text != nullptr && text->text.find("Question: ") != std::string::npos ? 1 : 0;
    }
    ASSERT_GT(turns, 1u);
    EXPECT_EQ(shown == turns, with) << "and without it nothing would show what it prevents";
  }
}

TEST(Research, SendsReferencesToTheLeadAndKeepsThePassages) {  // M11
  ResearchWorld world(extract, shelves());
  outcome(world, kBridge);
  std::size_t artefacts = 0;
  for (const auto& [key, json] : world.journal.steps)
    artefacts += key.find("|artefact/") != std::string::npos ? 1 : 0;
  EXPECT_GT(artefacts, 0u);
  for (const auto& [id, output] : world.journal.children) {
    auto report = parse_json(output.text);
    ASSERT_TRUE(report);
    for (const auto& finding : *find(*report, "findings")) {
      auto key = id + "|artefact/" + get_string(finding, "artefact");
      ASSERT_TRUE(world.journal.steps.contains(key));
      // The quote is the artefact's own bytes: nothing was retold on the way.
      auto kept = parse_json(world.journal.steps[key].text);
      EXPECT_NE(get_string(*kept, "text").find(get_string(finding, "quote")), std::string::npos);
    }
  }
}

TEST(Research, ReadsWithTheRightsOfWhoAsks) {  // J4
  auto documents = library();
  documents[1].readers = std::vector<std::string>{"keeper"};
  auto input = kBridge;
  input["principal"] = "visitor";
  ResearchWorld visitor(extract, shelves(documents));
  EXPECT_NE(get_string(outcome(visitor, input), "answer"), "1871");
  for (const auto& [key, output] : visitor.journal.tools)
    EXPECT_EQ(output.text.find("1871"), std::string::npos) << key;
  input["principal"] = "keeper";
  ResearchWorld keeper(extract, shelves(documents));
  EXPECT_EQ(get_string(outcome(keeper, input), "answer"), "1871");
}

TEST(Research, BooksEachTierToItsFeature) {  // M21
  ResearchWorld world(extract, shelves());
  auto input = kBridge;
  input["agent_feature"] = "cheap";
  input["critic_feature"] = "middling";
  input["cite_feature"] = "cheap";
  outcome(world, input);
  std::map<std::string, int> calls;
  for (const auto& [run, request] : world.asked) ++calls[request.feature];
  EXPECT_GT(calls["cheap"], calls["research"]);
  EXPECT_EQ(calls["middling"], 1);
}

TEST(Research, TheCriticTakesOutWhatTheSourcesDoNotSay) {  // M21
  auto model = [](const std::string& run, const CompletionRequest& request) -> Result<Completion> {
    if (!asks_for(request, research::kReportShape)) return extract(run, request);
    return says(
        Json{{"found", true},
             {"answer", "1871"},
             {"report", "- Aline Moor was born in Port Varr in 1871.\n- Aline Moor was afraid of gulls.\n"}});
  };
  ResearchWorld world(model, shelves());
  auto json = outcome(world, kBridge);
  EXPECT_EQ(get_int(json["checks"], "claims_removed_by_critic"), 1);
  EXPECT_EQ(json["claims"].size(), 1u);
  EXPECT_TRUE(get_bool(json, "found"));
}

TEST(Research, TellsItsStructureWithoutAWordOfItsContent) {  // M16, H5
  for (const auto& input : {kBridge, kCompare}) {
    ResearchWorld world(extract, shelves());
    auto json = outcome(world, input);
    const auto& structure = json["structure"];
    EXPECT_EQ(structure["agents"].size(), json["agents"].size());
    EXPECT_GT(structure["agents"][0]["queries"].size(), 0u);
    auto text = dump_json(structure);
    for (const char* canary : {"Skerry", "skerry", "Moor", "moor", "Elbow", "1871", "born", "Answer"})
      EXPECT_EQ(text.find(canary), std::string::npos) << canary;
    EXPECT_NE(dump_json(json).find("Skerry"), std::string::npos);
  }
}

TEST(Research, SaysWhatItTookBesideOneCallAndWhatWasExpected) {  // M17
  ResearchWorld world(extract, shelves());
  auto json = outcome(world, kBridge);
  const auto& economics = json["economics"];
  EXPECT_EQ(get_int(economics, "tokens"), get_int(json, "tokens"));
  EXPECT_EQ(get_int(economics, "tokens_expected"), 26'000);
  EXPECT_GT(get_double(economics, "times_one_call"), 1);
  auto input = kBridge;
  input["worth_tokens"] = 1000;
  ResearchWorld poor(extract, shelves());
  auto refused = poor.run(input);
  ASSERT_TRUE(refused);
  ASSERT_FALSE(*refused);
  EXPECT_EQ((*refused).error().code, Errc::invalid_input);
  EXPECT_TRUE(poor.asked.empty()) << "it was refused only after something was bought";
  input["effort"] = "complex";
  input["worth_tokens"] = 100'000;
  ResearchWorld cut(planning(20), shelves());
  EXPECT_EQ(outcome(cut, input)["agents"].size(), 3u);
}

TEST(Research, FailsAsItsAgentsDoWhenNobodyFoundAnything) {
  ResearchWorld world(
      [](const std::string& run, const CompletionRequest& request) -> Result<Completion> {
        if (run == "run") return extract(run, request);
        return fail(Errc::no_endpoint, "nobody serves this");
      },
      shelves());
  auto result = world.run(kBridge);
  ASSERT_TRUE(result);
  ASSERT_FALSE(*result) << "a failure is no \"not found\"";
  EXPECT_EQ((*result).error().code, Errc::no_endpoint);
}

TEST(Research, FinishesWithWhatItHasWhenTheBudgetRunsOut) {  // RUNTIME 5.8
  ResearchWorld world(extract, shelves());
  world.budget = [&](const std::string&) {
    BudgetView view;
    view.stage = world.asked.size() >= 3 ? BudgetStage::degrade : BudgetStage::plenty;
    return view;
  };
  auto json = outcome(world, kBridge);
  EXPECT_EQ(get_string(json["agents"][0], "stopped"), "budget");
  EXPECT_FALSE(get_string(json, "report").empty());
}

TEST(Research, WritesAReportWhenNothingMayBeAskedAnyMore) {  // RUNTIME 5.8: stop with a partial result
  std::size_t calls = 0;
  ResearchWorld world(
      [&](const std::string& run, const CompletionRequest& request) -> Result<Completion> {
        if (++calls > 3) return fail(Errc::refused, "the budget is spent");
        return extract(run, request);
      },
      shelves());
  auto json = outcome(world, kBridge);
  EXPECT_FALSE(get_bool(json, "found", true));
  EXPECT_GT(json["claims"].size(), 0u) << "what was found is shown, picked and cited by rule";
}

TEST(Research, ABudgetThatEndsBeforeAnythingWasReadIsNoNotFound) {
  auto broke = [](const std::string&, const CompletionRequest&) -> Result<Completion> {
    return fail(Errc::refused, "the budget is spent");
  };
  ResearchWorld world(broke, shelves());
  auto json = outcome(world, kBridge);
  EXPECT_FALSE(get_bool(json, "found", true));
  EXPECT_THAT(get_string(json, "report"), HasSubstr("The budget ended before any source was"));
  EXPECT_THAT(get_string(json, "report"), Not(HasSubstr("do not answer")));
  EXPECT_THAT(dump_json(json["notes"]), HasSubstr("the budget ended before anything was read"));
  // Who has read and found nothing may say so.
  ResearchWorld rich(extract, shelves());
  auto none = outcome(rich, Json{{"question", "Who invented zymurgy?"}});
  EXPECT_THAT(get_string(none, "report"), HasSubstr("do not answer"));
}

TEST(Research, SaysWhatWasLeftOutOfItsCorporaAsItWasWhenItBegan) {
  auto opened = [](std::string note) -> research::ToolSource {
    return [open = shelves(), note](const JsonText& input) {
      auto tools = open(input);
      if (tools && !note.empty()) tools->notes["search"] = note;
      if (tools) tools->notes["search_gone"] = "of a tool that nobody has";
      return tools;
    };
  };
  ResearchWorld plain(extract, opened(""));
  auto without = outcome(plain, kBridge);
  ResearchWorld first(extract, opened("the corpus: 2 records are left out"));
  auto before = outcome(first, kBridge);
  EXPECT_THAT(dump_json(before["notes"]), HasSubstr("2 records are left out"));
  EXPECT_THAT(get_string(before, "report"), HasSubstr("2 records are left out"));
  EXPECT_THAT(dump_json(before["notes"]), Not(HasSubstr("nobody")));
  EXPECT_EQ(get_string(before, "answer"), get_string(without, "answer"));
  for (auto journals : {&WorldJournal::steps, &WorldJournal::children})
    for (const auto& [key, value] : first.journal.*journals)
      EXPECT_TRUE((plain.journal.*journals).contains(key)) << "a note must not change what is asked: " << key;
  // The files were mended in between; a run that is gone on with says what it said.
  ResearchWorld second(extract, opened(""));
  second.journal = first.journal;
  EXPECT_EQ(outcome(second, kBridge)["notes"], before["notes"]);
  EXPECT_TRUE(second.asked.empty());
  // A history from before there were notes has none.
  ResearchWorld old(extract, opened("the corpus: 2 records are left out"));
  old.journal = plain.journal;
  EXPECT_EQ(outcome(old, kBridge)["notes"], without["notes"]);
  EXPECT_TRUE(old.asked.empty());
}

}  // namespace
}  // namespace troupe::research_test
