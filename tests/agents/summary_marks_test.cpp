// Source marks: what is kept of a text, and what a reader sees while it comes.
#include "agents/summary/live.hpp"
#include "agents/summary/marks.hpp"

#include "runtime/base/rng.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace troupe::summary {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> shown(std::string_view answer, std::size_t marks_max = 9) {
  std::vector<std::string> out;
  for (const auto& statement : read_statements(answer, marks_max))
    out.push_back(fmt::format("{} {}-{}", statement.text, statement.marks, statement.bad_marks));
  return out;
}

TEST(Marks, AreReadInEveryFormModelsWriteThem) {
  EXPECT_THAT(shown("- Ann ships it [3].\n- Bob tests [1, 2]\n* Cy asks [p4] [5]\nDora sleeps [6-8]"),
              ElementsAre("Ann ships it. [3]-0", "Bob tests [1, 2]-0", "Cy asks [4, 5]-0",
                          "Dora sleeps [6, 7, 8]-0"));
}

TEST(Marks, PartSentencesOfOneLine) {
  EXPECT_THAT(shown("Ann ships [1]. Bob tests. [2] Cy asks [3] and waits [4]."),
              ElementsAre("Ann ships. [1]-0", "Bob tests. [2]-0", "Cy asks and waits. [3, 4]-0"));
}

TEST(Marks, ThatNameNothingAreCountedAndGiveNoSource) {
  EXPECT_THAT(shown("A [0]\nB [10]\nC [2, 99]\nD [99999999999999999999999]\nE"),
              ElementsAre("A []-1", "B []-1", "C [2]-1", "D []-1", "E []-0"));
}

TEST(Marks, OtherBracketsAreText) {
  EXPECT_THAT(shown("he wrote [sic] a[i] = x[ 2 ] [1"), ElementsAre("he wrote [sic] a[i] = x [1 [2]-0"));
}

TEST(Marks, OnTheirOwnBelongToWhatStandsBefore) {
  EXPECT_THAT(shown("Ann ships it.\n[3]\n"), ElementsAre("Ann ships it. [3]-0"));
  EXPECT_THAT(shown("[3]\n"), IsEmpty());
}

TEST(Marks, BoundsHold) {
  std::string many;
  for (int i = 0; i < 100; ++i) many += "x [1]\n";
  EXPECT_EQ(read_statements(many, 9).size(), StatementLimits{}.statements_max);
  auto wide = read_statements("x [1-1000000]", 2'000'000);
  ASSERT_EQ(wide.size(), 1u);
  EXPECT_THAT(wide[0].marks, IsEmpty());
  auto longest = read_statements(std::string(5000, 'a') + " [1]", 9);
  EXPECT_LE(longest.at(0).text.size(), StatementLimits{}.text_bytes_max);
  // A bracket that never closes holds no more than its bound.
  EXPECT_EQ(read_statements("[" + std::string(10'000, '1'), 9).size(), 1u);
}

std::string live(std::string_view answer, Rng* rng = nullptr, std::size_t* withdrawn = nullptr) {
  std::string out;
  LiveText text(9, [&](std::string_view piece) { out += piece; });
  while (!answer.empty()) {
    auto size = rng == nullptr ? answer.size() : std::min<std::size_t>(answer.size(), 1 + rng->below(7));
    text.add(answer.substr(0, size));
    answer.remove_prefix(size);
  }
  text.finish();
  if (withdrawn != nullptr) *withdrawn = text.withdrawn();
  return out;
}

TEST(LiveText, ShowsTextAtOnceAndMarksOnlyWhenTheyNameSomething) {
  std::string out;
  LiveText text(9, [&](std::string_view piece) { out += piece; });
  text.add("- Ann shi");
  EXPECT_EQ(out, "- Ann shi");
  text.add("ps it [1");
  EXPECT_EQ(out, "- Ann ships it ");
  text.add("2, 3]");
  EXPECT_EQ(out, "- Ann ships it [3]");
}

TEST(LiveText, SaysWhereAStatementHasNoSource) {
  std::size_t withdrawn = 0;
  EXPECT_EQ(
      live("- Ann ships [1]\n- Bob lies [77]\n- Cy too\n- Dora [2]", nullptr, &withdrawn),
      "- Ann ships [1]\n- Bob lies  [no source: withdrawn]\n- Cy too [no source: withdrawn]\n- Dora [2]");
  EXPECT_EQ(withdrawn, 2u);
  EXPECT_EQ(live("NOT FOUND"), "NOT FOUND");
}

// K1: what was shown as sourced is what is kept, however the text was cut into deltas.
TEST(LiveText, AgreesWithWhatIsKeptForAnySplitting) {
  Rng rng(11);
  constexpr std::string_view alphabet = "ab. \n[]19,-p?";
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    for (auto i = rng.below(60); i > 0; --i) text += alphabet[rng.below(alphabet.size())];
    std::size_t withdrawn = 0, again = 0;
    ASSERT_EQ(live(text, nullptr, &withdrawn), live(text, &rng, &again)) << text;
    ASSERT_EQ(withdrawn, again);
    StatementLimits wide{.statements_max = 1000};
    auto statements = read_statements(text, 9, wide);
    auto dropped = std::ranges::count_if(statements, [](const auto& each) { return each.marks.empty(); });
    // Marks alone on the next line save a statement that was shown as withdrawn, never the other way.
    ASSERT_LE(static_cast<std::size_t>(dropped), withdrawn) << text;
  }
}

TEST(LiveSummary, ShowsTheLiveStepOnlyAndSaysWhenItBeginsAnew) {
  std::string out;
  LiveSummary live_summary([&](std::string_view piece) { out += piece; });
  auto hook = live_summary.hook();
  auto key = live_key(5, "abc");
  hook.on_text({"map", "xyz"}, "not for people");
  hook.on_end({"map", "xyz"});
  EXPECT_FALSE(live_summary.shown());
  hook.on_text(key, "Ann [1");
  hook.on_restart(key);
  hook.on_text(key, "Bob [2] and [9]");
  hook.on_end(key);
  EXPECT_EQ(out, "Ann \n[the answer broke off; it begins anew]\nBob [2] and \n");
  EXPECT_TRUE(live_summary.shown());
}

TEST(LiveSummary, AFirstLookHasNoMarksAndEndsWhenTheTextBegins) {
  std::string out;
  LiveSummary live_summary([&](std::string_view piece) { out += piece; });
  auto hook = live_summary.hook();
  auto look = live_key(9, "abc", kFirstLookStep), key = live_key(5, "abc");
  hook.on_text(look, "- Ann ships [7].\n- Bob lies");
  hook.on_restart(look);
  hook.on_text(look, "- Ann ships ");
  hook.on_text(look, "[7].\n- Bob lies");
  hook.on_end(look);
  EXPECT_FALSE(live_summary.shown());
  hook.on_text(key, "- Cy [2]");
  hook.on_text(look, "too late");
  hook.on_end(look);
  hook.on_end(key);
  EXPECT_TRUE(live_summary.shown());
  EXPECT_EQ(live_summary.withdrawn(), 0u) << "what a look gets wrong is not the text's";
  EXPECT_EQ(out,
            "A first look, while the whole of it is read:\n"
            "- Ann ships.\n- Bob lies\n[the answer broke off; it begins anew]\n"
            "- Ann ships.\n- Bob lies [no source: withdrawn]\n"
            "\nFrom the whole of it:\n- Cy [2]\n");
}

TEST(LiveSummary, ALookThatIsStillComingStopsForTheText) {
  std::string out;
  LiveSummary live_summary([&](std::string_view piece) { out += piece; });
  auto hook = live_summary.hook();
  auto look = live_key(9, "abc", kFirstLookStep), key = live_key(5, "abc");
  hook.on_text(look, "- Ann shi");
  hook.on_text(key, "- Cy [2]");
  hook.on_text(look, "ps [3]");
  hook.on_restart(look);
  hook.on_end(look);
  hook.on_end(key);
  EXPECT_EQ(out,
            "A first look, while the whole of it is read:\n- Ann shi\nFrom the whole of it:\n- Cy [2]\n");
}

TEST(LiveStep, IsKnownByItsKeyAlone) {
  EXPECT_EQ(live_step(live_key(17, "abc"))->marks_max, 17u);
  EXPECT_FALSE(live_step(live_key(17, "abc"))->first_look);
  EXPECT_TRUE(live_step(live_key(17, "abc", kFirstLookStep))->first_look);
  EXPECT_FALSE(live_step({"map", "17/abc"}));
  EXPECT_FALSE(live_step({"summary", "abc"}));
  EXPECT_FALSE(live_step({"summary", "x/abc"}));
}

}  // namespace
}  // namespace troupe::summary
