// The printed recap: hostile text stays text, figures add up, and hundreds of channel-days still make a page.
#include "agents/recap/html.hpp"
#include "agents/recap/markdown.hpp"
#include "agents/recap/report_chart.hpp"
#include "agents/recap/report_html.hpp"
#include "agents/recap/report_made.hpp"
#include "tests/agents/recap_support.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe::recap {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

Json parsed(const std::string& text) { return parse_json(text).value(); }

// A failure on `a` from 2 s to 4 s, which the breaker answered and `b` took over.
Json failure_story() {
  return parsed(R"({"model_note":"not a language model","attempts":[
    {"endpoint":"a","cause":"primary","started_ms":1000,"ttft_ms":100,"total_ms":500,"usd":0.01,"error":""},
    {"endpoint":"a","cause":"primary","started_ms":3000,"total_ms":1000,"usd":0.01,"error":"timeout"},
    {"endpoint":"b","cause":"fallback","started_ms":4000,"ttft_ms":300,"total_ms":700,"usd":0.02,"error":""},
    {"endpoint":"b","cause":"primary","started_ms":9000,"ttft_ms":300,"total_ms":2000,"usd":0.06,"error":""},
    {"nonsense":true}, 7],
    "breakers":[{"endpoint":"a","at_ms":4000,"from":"closed","to":"open","reason":"1 of 2"},
                {"endpoint":"a","at_ms":8000,"from":"open","to":"partial_open"},
                {"endpoint":"a","at_ms":10000,"from":"partial_open","to":"closed"}]})");
}

TEST(RecapReport, NothingAMessageSaysBecomesMarkup) {
  const std::string attack = "<script>alert(1)</script><img src=x onerror=\"a()\">' & `</style>`";
  auto day = recap_test::channel_day("gen<b>\"'x", {{"<i>eve</i>", attack}});
  auto workspace = recap_test::workspace_of({day});
  workspace.name = attack;
  workspace.problems.push_back({attack, attack});
  testing::ScriptedDriver driver(recap_test::repeating_model());
  auto recap = recap_test::made(driver, workspace);
  auto quotes = collect_quotes(recap, workspace);
  EXPECT_EQ(quotes.size(), 1u);
  auto story = failure_story();
  story["attempts"][0]["endpoint"] = attack;
  story["attempts"][1]["error"] = attack;
  story["breakers"][0]["reason"] = attack;
  story["model_note"] = attack;
  auto page = report_html(recap, Json{{"run_id", attack}}, story, quotes);
  for (const char* bad : {"<script", "<img", "<i>eve", "<b>\"'x", "onerror=\""}) {
    EXPECT_THAT(page, Not(HasSubstr(bad)));
  }
  EXPECT_THAT(page, HasSubstr("&lt;script&gt;alert(1)"));
  EXPECT_THAT(recap_markdown(recap, quotes, attack), Not(HasSubstr(" <script")));
}

TEST(RecapReport, IsOnePageWithoutScriptsOrAddressesToLoad) {
  auto page = report_html(Json::object(), Json::object(), failure_story(), {});
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
  EXPECT_THAT(page, HasSubstr("not a language model"));
  for (const char* loads : {"<script", "<link", "<img", "src=", "@import", "url(http"}) {
    EXPECT_THAT(page, Not(HasSubstr(loads)));
  }
}

TEST(RecapReport, SurvivesDocumentsOfAnyShape) {
  for (const char* text :
       {"null", "[]", "{}", "7", R"({"channels":7,"digest":{},"problems":[1,null]})",
        R"({"channels":[null,{"points":[3,{"sources":[1,null]}]}],"digest":[[]],"personal":[1]})",
        R"({"attempts":[{"endpoint":"a","started_ms":1e300,"total_ms":-5}],"breakers":{}})"}) {
    auto json = parsed(text);
    EXPECT_THAT(report_html(json, json, json, {}), HasSubstr("</html>")) << text;
    EXPECT_THAT(recap_markdown(json, {}), HasSubstr("# Recap")) << text;
  }
}

TEST(RecapReport, ShowsTheMessagesBehindAPoint) {
  auto workspace =
      recap_test::workspace_of({recap_test::channel_day("general", {{"ann", "We ship on Friday."}})});
  testing::ScriptedDriver driver(recap_test::repeating_model());
  auto recap = recap_test::made(driver, workspace);
  auto page = report_html(recap, {}, {}, collect_quotes(recap, workspace));
  EXPECT_THAT(page, HasSubstr("<b><bdi>ann</bdi></b>"));
  EXPECT_THAT(page, HasSubstr("00:00</time>"));
  auto without = report_html(recap, {}, {}, {});
  EXPECT_THAT(without, HasSubstr("1551744000.000000")) << "the ts alone when the message is not at hand";
}

TEST(RecapReport, FoldsHundredsOfChannelDays) {
  Json recap;
  for (int i = 0; i < 358; ++i)
    recap["channels"].push_back(Json{{"name", fmt::format("c{}", i)}, {"date", "d"}});
  auto page = report_html(recap, {}, {}, {});
  EXPECT_THAT(page, Not(HasSubstr(" open>")));
  EXPECT_THAT(page, HasSubstr("href=\"#d-c357-d\""));
  recap["channels"].erase(recap["channels"].begin() + 12, recap["channels"].end());
  EXPECT_THAT(report_html(recap, {}, {}, {}), HasSubstr(" open>"));
}

TEST(Story, StartsAtZeroAndKeepsWhatIsWellFormed) {
  auto story = read_story(failure_story());
  ASSERT_EQ(story.attempts.size(), 4u);
  EXPECT_EQ(story.attempts.front().started_ms, 0);
  EXPECT_EQ(story.span_ms, 10'000);
  EXPECT_THAT(story.endpoints, ElementsAre("a", "b"));
  auto bands = breaker_bands(story, "a");
  ASSERT_EQ(bands.size(), 4u);
  EXPECT_EQ(bands[1].state, "open");
  EXPECT_EQ(bands[1].begin_ms, 3000);
  EXPECT_EQ(bands[1].end_ms, 7000);
  EXPECT_EQ(bands[3].end_ms, story.span_ms);
  EXPECT_EQ(breaker_bands(story, "b").size(), 1u);
}

TEST(Story, TellsWhereItFailedAndWhatThatCost) {
  auto told = told_story(read_story(failure_story()));
  EXPECT_THAT(told, HasSubstr("4 attempts on 2 endpoints, of which 1 failed."));
  EXPECT_THAT(told, HasSubstr("On a, 1 of 2 attempts failed between 0:02 and 0:03 (1 × timeout)."));
  EXPECT_THAT(told, HasSubstr("opened at 0:03"));
  EXPECT_THAT(told, HasSubstr("closed again at 0:09"));
  EXPECT_THAT(told, HasSubstr("$0.010 of $0.10 (10.0 %)"));
  EXPECT_THAT(told_story(Story{}), HasSubstr("journal"));
}

TEST(Story, EveryAttemptIsInOneBucketOfTheChart) {
  auto story = read_story(failure_story());
  for (std::size_t count : {0u, 1u, 7u, 60u}) {
    std::size_t served = 0, failed = 0;
    for (const auto& bucket : chart_buckets(story, count)) {
      for (auto n : bucket.served) served += n;
      failed += bucket.failed;
    }
    EXPECT_EQ(served, 3u);
    EXPECT_EQ(failed, 1u);
  }
}

TEST(EscapeHtml, ReplacesWhatNoPageMayHold) {
  EXPECT_EQ(escape_html("a\x01\xff<"), "a\xef\xbf\xbd\xef\xbf\xbd&lt;");
}

}  // namespace
}  // namespace troupe::recap
