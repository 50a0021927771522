// The citation pass: what it may change, and what a citation must hold.
#include "agents/research/citation.hpp"
#include "runtime/base/rng.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace troupe::research {
namespace {

Finding source(std::string quote, std::string title = "") {
  Finding out;
  out.quote = std::move(quote);
  out.title = std::move(title);
  out.span = {"doc", 0, out.quote.size()};
  return out;
}

const std::vector<Finding> kSources = {source("Aline Moor built the Skerry tower in 1903.", "Skerry"),
                                       source("The harbour of Elbow is nine metres deep.", "Elbow"),
                                       source("Fog closes the strait on forty days a year.", "Strait")};
const std::string kReport =
    "## Towers\n- Aline Moor built the tower in 1903.\n- The harbour is nine metres deep.\n";

std::vector<Claim> settled(const std::string& report, const std::string& marked, CitationCheck& check) {
  auto claims = claims_of(report);
  auto marks = read_marks(report, marked);
  EXPECT_TRUE(marks);
  settle_citations(claims, marks ? *marks : std::vector<Mark>{}, kSources, check);
  return claims;
}

std::string marked(std::string first, std::string second) {
  return "## Towers\n- Aline Moor built the tower in 1903." + first + "\n- The harbour is nine metres deep." +
         second + "\n";
}

TEST(ReadMarks, TakesMarksAndNothingElse) {  // M10
  auto marks = read_marks(kReport, marked(" [1]", "[2][3]"));
  ASSERT_TRUE(marks);
  EXPECT_EQ(marks->size(), 3u);
  EXPECT_TRUE(read_marks(kReport, kReport));
  EXPECT_TRUE(read_marks(kReport, marked(" [1, 2]", "")));
}

TEST(ReadMarks, RefusesEveryOtherChangeAtEveryByte) {  // M10
  auto good = marked(" [1]", " [2]");
  for (std::size_t i = 0; i < good.size(); ++i) {
    auto lost = good;
    lost.erase(i, 1);
    auto changed = good;
    changed[i] = changed[i] == 'x' ? 'y' : 'x';
    // Digits of a mark may become other digits; taking a mark's blank away leaves a mark.
    bool in_mark =
        (good[i] >= '0' && good[i] <= '9' && good[i - 1] == '[') || (good[i] == ' ' && good[i + 1] == '[');
    if (in_mark) continue;
    EXPECT_FALSE(read_marks(kReport, lost)) << i;
    EXPECT_FALSE(read_marks(kReport, changed)) << i;
  }
  EXPECT_FALSE(read_marks(kReport, good + "And more."));
  EXPECT_FALSE(read_marks(kReport, ""));
}

TEST(WithoutMarks, LeavesNothingThatCouldPassForOne) {
  EXPECT_EQ(without_marks("see [12] and [3, 4], not [a] or []"), "see (12) and (3, 4), not [a] or []");
  Rng rng(5);
  for (int i = 0; i < 300; ++i) {
    std::string text;
    for (int k = 0; k < 40; ++k) text += "[], 12a"[rng.below(7)];
    auto plain = without_marks(text);
    auto marks = read_marks(plain, plain);
    ASSERT_TRUE(marks) << text;
    EXPECT_TRUE(marks->empty()) << text << " -> " << plain;
  }
}

TEST(SettleCitations, KeepsWhatHoldsAndDropsInventedNumbers) {  // M10
  CitationCheck check;
  auto claims = settled(kReport, marked(" [1][999]", " [2][0]"), check);
  ASSERT_EQ(claims.size(), 2u);
  EXPECT_EQ(claims[0].cited, std::vector<std::size_t>{1});
  EXPECT_EQ(claims[1].cited, std::vector<std::size_t>{2});
  EXPECT_EQ(check.fake, 2u);
}

TEST(SettleCitations, DropsACitationThatSaysSomethingElse) {  // M10
  CitationCheck check;
  auto claims = settled(kReport, marked(" [3]", " [2]"), check);
  EXPECT_EQ(claims[0].cited, std::vector<std::size_t>{1}) << "the rule finds the one that holds";
  EXPECT_EQ(check.unsupported, 1u);
  EXPECT_EQ(check.added, 1u);
}

TEST(SettleCitations, CountsNoNumberThatIsNotTheSources) {
  std::string report = "- Aline Moor built the tower in 1905.\n";
  CitationCheck check;
  auto claims = settled(report, "- Aline Moor built the tower in 1905. [1]\n", check);
  EXPECT_TRUE(claims[0].cited.empty()) << "1905 is nowhere";
  EXPECT_EQ(check.claims_without, 1u);
}

TEST(WriteReport, TakesUnsupportedClaimsOutOrMarksThem) {  // M10
  std::string report =
      "## Depths\n- The harbour is nine metres deep.\n## Gold\n- Gold lies under the pier.\n";
  CitationCheck check;
  auto claims = settled(report, report, check);
  EXPECT_EQ(write_report(report, claims, false), "## Depths\n- The harbour is nine metres deep. [2]");
  EXPECT_NE(write_report(report, claims, true).find("Gold lies under the pier. (unsupported)"),
            std::string::npos);
}

TEST(ClaimsOf, LeavesHeadingsOutAndIsBounded) {
  EXPECT_EQ(claims_of(kReport).size(), 2u);
  EXPECT_TRUE(claims_of("# Only a heading\n\n---\n").empty());
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "Ships sail far. ";
  EXPECT_EQ(claims_of(many).size(), kClaimsMax);
}

}  // namespace
}  // namespace troupe::research
