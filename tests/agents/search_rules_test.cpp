// What a search decides without a model: intent, queries, order, what may stand, and what is printed (K3,
// K4).
#include "agents/search/grounding.hpp"
#include "agents/search/intent.hpp"
#include "agents/search/printed.hpp"
#include "agents/search/prompts.hpp"
#include "agents/search/result.hpp"
#include "providers/simulator/search_answers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace troupe::search {
namespace {

using ::testing::ContainsRegex;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

IntentKind sure_kind(std::string_view query) {
  auto intent = classify_query(query);
  return is_sure(intent) ? intent.kind : IntentKind::other;
}

TEST(QueryIntent, QuestionsAreInformationalAndAddressesNavigational) {  // K4
  EXPECT_EQ(sure_kind("How long does a keeper stand watch?"), IntentKind::informational);
  EXPECT_EQ(sure_kind("what is the lamp made of"), IntentKind::informational);
  EXPECT_EQ(sure_kind("wiki.example.com"), IntentKind::navigational);
  EXPECT_EQ(sure_kind("https://wiki.example/duty"), IntentKind::navigational);
  EXPECT_EQ(sure_kind("go to the duty roster"), IntentKind::navigational);
}

TEST(QueryIntent, WordsThatLeadToAPlaceAreNavigational) {  // K4: the fitted words
  EXPECT_EQ(sure_kind("harbour office wiki"), IntentKind::navigational);
  EXPECT_EQ(classify_query("harbour office wiki").by, "words");
  EXPECT_EQ(sure_kind("lighthouse keeper salary"), IntentKind::informational);
}

TEST(QueryIntent, IsUnsureOfBareNamesAndOfQuestionsForAPlace) {
  EXPECT_EQ(sure_kind("gannet rock"), IntentKind::other);
  EXPECT_EQ(sure_kind("where is the expense form"), IntentKind::other) << "a model is to say";
  EXPECT_EQ(sure_kind(""), IntentKind::other);
  EXPECT_EQ(sure_kind(std::string(100'000, 'x')), IntentKind::other);
}

TEST(QueryIntent, ACommandIsNotLookedUp) {
  EXPECT_EQ(without_command("Go to the Duty roster"), "Duty roster");
  EXPECT_EQ(without_command("open the books"), "books");
  EXPECT_EQ(without_command("going home"), "going home");
}

TEST(QueryIntent, ChancesAddUpToOneAndTheTablesAreSorted) {
  auto chances = intent_chances("harbour office wiki 1899");
  EXPECT_NEAR(chances[0] + chances[1] + chances[2], 1, 1e-9);
  EXPECT_TRUE(std::ranges::is_sorted(intent_words(), {}, &WordWeights::feature));
  EXPECT_TRUE(is_place_cue("login") && is_fact_cue("age") && !is_place_cue("age"));
}

SearchInput asked(const Json& json) {
  auto input = read_search_input({dump_json(json)});
  EXPECT_TRUE(input) << input.error().what;
  return input ? *input : SearchInput{};
}

TEST(SearchInputs, SayWhatIsWrong) {
  auto wrong = [](const Json& json) {
    auto input = read_search_input({dump_json(json)});
    return input ? std::string() : input.error().what;
  };
  EXPECT_THAT(wrong(Json::object()), HasSubstr("question"));
  EXPECT_THAT(wrong({{"question", std::string(2001, 'x')}}), HasSubstr("question"));
  std::string wide = "q";
  while (wide.size() < 2001) wide += "é";
  EXPECT_THAT(wrong({{"question", wide + "é"}}), HasSubstr("question"));
  EXPECT_THAT(wrong({{"question", "x"}, {"from", "2024-13-01"}}), HasSubstr("from"));
  EXPECT_THAT(wrong({{"question", "x"}, {"intent", "lost"}}), HasSubstr("intent"));
  EXPECT_THAT(wrong({{"question", "x"}, {"results_max", "51"}}), HasSubstr("results_max"));
  EXPECT_EQ(asked({{"question", "x"}, {"results_max", "50"}}).results_max, 50u);
  EXPECT_THAT(asked({{"question", "x"}, {"people", "Ann Lee, Bo"}}).filters.people,
              ElementsAre("Ann Lee", "Bo"));
}

TEST(Understandings, AreBoundedAndCleaned) {
  auto input = asked({{"question", "Who designed it?"}, {"variants_max", 2}, {"types", "pdf"}});
  Json answer{{"intent", "informational"},
              {"core", " ? "},
              {"variants", {"a light", "a light", "", "lights", "third", "fourth"}},
              {"time_range", {{"from", "yesterday"}, {"to", "2024-02-29"}}},
              {"content_types", {"slides"}},
              {"people", Json::array()}};
  auto understood = understanding_from(answer, input);
  EXPECT_EQ(understood.core, "Who designed it?") << "a core that looks nothing up";
  EXPECT_THAT(understood.variants, ElementsAre("a light", "lights"));
  EXPECT_EQ(understood.filters.from, "");
  EXPECT_EQ(understood.filters.to, "2024-02-29");
  EXPECT_THAT(understood.filters.types, ElementsAre("pdf")) << "what the asker set stands";
  EXPECT_THAT(queries_of(understood), ElementsAre("Who designed it?", "a light"))
      << "the same words are one query";
}

TEST(Understandings, OfTheRuleSplitClausesAndFindAuthorsAndDays) {
  auto input =
      asked({{"question",
              "What does Skerry Light burn, and when was it lit? written by Ann Lee since 2024-01-01"}});
  auto text = providers::simulator::search_answer(understanding_request(input, "2026-01-01"));
  ASSERT_TRUE(text);
  auto understood = understanding_from(*parse_json(*text), input);
  EXPECT_GE(understood.variants.size(), 2u);
  EXPECT_EQ(understood.filters.from, "2024-01-01");
  EXPECT_EQ(understood.filters.to, "");
  EXPECT_THAT(understood.filters.people, ElementsAre("Ann Lee"));
}

research::Passage passage(const std::string& doc, const std::string& title, const std::string& text,
                          const std::string& url = {}) {
  return {.id = {}, .title = title, .url = url, .span = {doc, 100, 100 + text.size()}, .text = text};
}

std::vector<std::string> ranked(const std::vector<FoundList>& lists,
                                const std::vector<research::Passage>& passages,
                                const RankPolicy& policy = {}) {
  std::vector<std::string> out;
  for (const auto& each : rank_found(lists, passages, policy, 10)) out.push_back(each.doc);
  return out;
}

TEST(RankFound, FusesRanksOfSeveralQueries) {
  std::vector<research::Passage> passages{passage("a", "", "one"), passage("b", "", "two"),
                                          passage("c", "", "six")};
  RankPolicy ranks_only{.title_weight = 0, .address_weight = 0, .text_weight = 0};
  std::vector<FoundList> lists{{"q", true, {0, 1}}, {"r", false, {1, 2}}, {"s", false, {1}}};
  EXPECT_THAT(ranked(lists, passages, ranks_only), ElementsAre("b", "a", "c"));
  ranks_only.variant_weight = 0;
  EXPECT_EQ(ranked(lists, passages, ranks_only).front(), "a") << "without the variants";
}

TEST(RankFound, ATitleThatHoldsTheQueryGoesFirst) {
  std::vector<research::Passage> passages{passage("a", "Notes", "the duty roster is kept by the keeper"),
                                          passage("b", "Duty roster", "the duty roster of this month")};
  std::vector<FoundList> lists{{"duty roster", true, {0, 1}}};
  EXPECT_EQ(ranked(lists, passages).front(), "b");
  EXPECT_EQ(ranked(lists, passages, {.title_weight = 0}).front(), "a") << "the mechanism off";
}

TEST(RankFound, LeavesNearCopiesOut) {
  std::string text = "Every keeper stands four hours of watch at night and then wakes the next one";
  std::vector<research::Passage> passages{
      passage("a", "Duty", text), passage("b", "Duty", text + " ."),
      passage("c", "Lamp", "The lamp of the keeper burns paraffin at night")};
  std::vector<FoundList> lists{{"keeper night", true, {0, 1, 2}}};
  EXPECT_THAT(ranked(lists, passages), ElementsAre("a", "c"));
  EXPECT_EQ(ranked(lists, passages, {.copy_min = 1}).size(), 3u) << "the mechanism off";
}

TEST(RankFound, OfNothingIsNothing) {
  EXPECT_TRUE(ranked({}, {}).empty());
  EXPECT_TRUE(ranked({{"q", true, {}}}, {}).empty());
}

std::vector<research::Passage> two_sources() {
  return {passage("skerry", "Skerry Light",
                  "Skerry Light stands on Gannet Rock. It was designed by Aline Moor in 1899."),
          passage("elbow", "Elbow Light", "Elbow Light burns paraffin.")};
}

TEST(Grounding, KeepsWhatTheCitedSentenceBearsOut) {  // K3, M10
  auto sources = two_sources();
  auto kept = ground("- Skerry Light was designed by Aline Moor in 1899 [1].", sources, 5);
  ASSERT_EQ(kept.claims.size(), 1u);
  ASSERT_EQ(kept.claims[0].citations.size(), 1u);
  const auto& citation = kept.claims[0].citations[0];
  EXPECT_EQ(citation.quote, "It was designed by Aline Moor in 1899.");
  EXPECT_EQ(citation.span.end - citation.span.start, citation.quote.size());
  EXPECT_EQ(sources[0].text.substr(citation.span.start - 100, citation.quote.size()), citation.quote);
}

TEST(Grounding, WithdrawsWhatNoSourceSays) {  // K3: invented, wrongly cited, wrong number
  auto kept = ground(
      "- Skerry Light was blown down by Bo Rask [1].\n- Elbow Light burns paraffin [7].\n- It was designed "
      "by Aline Moor in 1799 [1].",
      two_sources(), 5);
  ASSERT_EQ(kept.claims.size(), 1u);
  EXPECT_EQ(kept.claims[0].text, "Elbow Light burns paraffin.");
  EXPECT_EQ(kept.claims[0].citations[0].number, 2u) << "the rule finds the source that says it";
  EXPECT_EQ(kept.withdrawn, 2u);
  EXPECT_EQ(kept.check.fake, 1u);
}

TEST(Grounding, AnswersOfMoreStatementsAreCut) {
  auto kept = ground("- Elbow Light burns paraffin [2].\n- Skerry Light stands on Gannet Rock [1].",
                     two_sources(), 1);
  EXPECT_EQ(kept.claims.size(), 1u);
}

SearchResult hostile_result() {
  SearchResult out;
  out.served = "answer";
  out.sources = {passage("d", "![x](http://evil.example/p.png) <script>alert(1)</script>", "text",
                         "javascript:alert(1)")};
  out.results = {{"d", "# [click](http://evil.example)", "https://ok.example/a(b)", 1}};
  out.grounding.claims = {{"<img src=x> **bold** [a](http://evil.example)", {{1, {"d", 0, 4}, "text"}}}};
  return out;
}

TEST(SearchMarkdown, NothingOfASourceBecomesMarkup) {  // J9
  auto text = search_markdown(asked({{"question", "what <b>is</b> it"}}), hostile_result());
  EXPECT_THAT(text, Not(ContainsRegex(R"((^|[^\\])<)"))) << "HTML";
  EXPECT_THAT(text, Not(ContainsRegex(R"([^\\]\]\()"))) << "a link: no address here is a plain one";
  EXPECT_THAT(text, Not(HasSubstr(" **bold"))) << "emphasis";
  EXPECT_THAT(text, HasSubstr("alert")) << "shown as it is";
}

TEST(SearchMarkdown, LinksPlainAddressesOnly) {
  auto result = hostile_result();
  result.results[0] = {"d", "Duty roster", "https://wiki.example/duty?x=1#top", 1};
  auto text = search_markdown(asked({{"question", "duty"}}), result);
  EXPECT_THAT(text, HasSubstr("[Duty roster](https://wiki.example/duty?x=1#top)"));
}

TEST(SearchPrinter, ShowsAnAnswerThatWasNotShownAndItsSources) {
  std::string out, notes;
  SearchPrinter printer([&](std::string_view text) { out += text; },
                        [&](std::string_view text) { notes += text; });
  printer.finish(search_json(asked({{"question", "duty"}}), hostile_result()));
  EXPECT_THAT(out, HasSubstr("[1]"));
  out.clear();
  auto links = hostile_result();
  links.served = "links";
  links.grounding = {};
  links.results[0].title = "Duty\x1b[31m\nroster";
  links.note("links only, no answer: the deadline has passed");
  printer.finish(search_json(asked({{"question", "duty"}}), links));
  EXPECT_THAT(out, HasSubstr("- Duty [31m roster, https://ok.example/a(b)\n"));
  EXPECT_THAT(notes, HasSubstr("deadline"));
}

}  // namespace
}  // namespace troupe::search
