// Nothing of a report rests on a document that went or changed before it was written (MECHANISMS J5).
#include "agents/research/resolving.hpp"
#include "agents/research/standing.hpp"
#include "tests/agents/research_support.hpp"

#include "runtime/base/rng.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <functional>
#include <optional>

namespace troupe::research_test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// A library that changes while it is read: each call sees it as it is then.
class ChangingLibrary {
 public:
  explicit ChangingLibrary(std::vector<tools::Document> documents) : documents_(std::move(documents)) {}

  void change(const std::string& id, bool edit) {
    auto at = std::ranges::find(documents_, id, &tools::Document::id);
    if (at == documents_.end()) return;
    if (edit)
      at->text = "Nothing is known of that.";
    else
      documents_.erase(at);
  }
  research::ToolSource source() {
    return [this](const JsonText& input) -> Result<Toolbox> {
      Toolbox out, now = shelves(documents_)(input).value().box;
      for (const auto& spec : now.specs())
        if (auto added = out.add(std::make_shared<Current>(*this, spec)); !added)
          return std::unexpected(added.error());
      return out;
    };
  }
  /// Told before each call of a tool: which, and of what document.
  std::function<void(const std::string& tool, const std::string& doc)> before_call;

 private:
  class Current final : public Tool {
   public:
    Current(ChangingLibrary& library, ToolSpec spec) : library_(library), spec_(std::move(spec)) {}
    const ToolSpec& spec() const override { return spec_; }
    void call(const ToolContext& context, const JsonText& input,
              std::function<void(Result<ToolOutput>)> done) override {
      library_.before_call(spec_.name, get_string(*parse_json(input.text), "doc"));
      auto now = shelves(library_.documents_)(input);
      now->box.find(spec_.name)->call(context, input, std::move(done));
    }

   private:
    ChangingLibrary& library_;
    ToolSpec spec_;
  };

  std::vector<tools::Document> documents_;
};

std::string shown_of(const Json& outcome) {
  auto report = get_string(outcome, "report");
  // The queries behind it are the models' words, and are not taken back.
  report.resize(std::min(report.find("## What was searched"), report.size()));
  return report + get_string(outcome, "answer") + outcome["claims"].dump();
}

/// Text that stands in one document alone.
const std::vector<std::pair<std::string, std::string>> kOnlyThere = {{"skerry", "designed by the engineer"},
                                                                     {"moor", "1871"},
                                                                     {"elbow", "1866"},
                                                                     {"varr", "nine hundred"},
                                                                     {"fog", "horns replaced"},
                                                                     {"bees", "coast towns"}};

constexpr const char* kReport =
    "Skerry Light is a lighthouse on Gannet Rock.\n\n"
    "Skerry Light was designed by the engineer Aline Moor.\n\n"
    "That engineer of Skerry Light, Aline Moor, was born in Port Varr in 1871.";

/// Writes a sentence that rests on two documents, and an answer that rests mostly on one of them.
Result<Completion> joining(const std::string& run, const CompletionRequest& request) {
  if (!asks_for(request, research::kReportShape)) return extract(run, request);
  return says(Json{{"found", true},
                   {"answer", "Skerry Light was designed by the engineer Aline Moor, 1871"},
                   {"report", kReport}});
}

/// One document goes before the call of a number; what was shown of it by then is what it says nowhere else.
/// Nothing when it had been opened to see whether it still says what is cited.
std::optional<Json> told_while(const std::string& id, bool edit, std::size_t when, const Json& question) {
  ChangingLibrary library(troupe::research_test::library());
  bool changed = false, opened = false;
  library.before_call = [&, calls = std::size_t{0}](const std::string& tool, const std::string& doc) mutable {
    if (calls++ == when) library.change(id, edit), changed = true;
    opened = opened || (!changed && tool == research::kVerifyTool && doc == id);
  };
  ResearchWorld world(question == kBridge ? ResearchWorld::Model(joining) : extract, library.source());
  auto told = outcome(world, question);
  if (!changed || opened) return std::nullopt;
  return told;
}

TEST(ResearchStanding, NothingStaleIsReportedWheneverADocumentGoes) {  // J5
  std::size_t gone = 0, reported = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    Rng rng(seed);
    const auto& [id, words] = kOnlyThere[rng.below(kOnlyThere.size())];
    auto when = rng.below(12);
    auto told = told_while(id, rng.below(2) == 0, when, seed % 2 == 0 ? kBridge : kCompare);
    if (!told) continue;
    ++gone;
    EXPECT_THAT(shown_of(*told), Not(HasSubstr(words)))
        << "seed " << seed << ", " << id << " before " << when;
    reported += (*told)["claims"].size();
  }
  EXPECT_GT(gone, 20u);
  EXPECT_GT(reported, 10u) << "the rest stands";
}

TEST(ResearchStanding, AWithdrawnClaimIsNotEvenShownAsUnsupported) {  // J5
  auto marking = kBridge;
  marking["unsupported"] = "mark";
  ChangingLibrary library(troupe::research_test::library());
  library.before_call = [&](const std::string& tool, const std::string&) {
    if (tool == research::kVerifyTool) library.change("moor", false);
  };
  ResearchWorld world(joining, library.source());
  auto told = outcome(world, marking);
  EXPECT_THAT(shown_of(told), Not(HasSubstr("1871")));
  EXPECT_THAT(shown_of(told), HasSubstr("Gannet Rock"));
  EXPECT_FALSE(get_bool(told, "found", true));
}

// ---- a finished result that is shown again ----

research::Rereader rereader(const std::vector<tools::Document>& documents) {
  return [&documents](const Span& span) -> std::optional<research::Reread> {
    auto at = std::ranges::find(documents, span.doc, &tools::Document::id);
    if (at == documents.end() || span.end > at->text.size()) return std::nullopt;
    return research::Reread{at->title, at->text.substr(span.start, span.end - span.start)};
  };
}

class ShownAgain : public ::testing::Test {
 protected:
  ShownAgain() {
    ResearchWorld world(joining, shelves(documents_));
    told_ = outcome(world, kBridge);
  }
  void change(const std::string& id, bool edit) {
    auto at = std::ranges::find(documents_, id, &tools::Document::id);
    if (edit)
      at->text = "Nothing is known of that.";
    else
      documents_.erase(at);
  }
  Json now() const { return research::still_stands(told_, rereader(documents_)); }

  std::vector<tools::Document> documents_ = troupe::research_test::library();
  Json told_;
};

TEST_F(ShownAgain, IsTheSameWhileItsDocumentsAre) {
  EXPECT_EQ(now(), told_);
  ASSERT_EQ(told_["claims"].size(), 3u);
  for (const auto& claim : told_["claims"]) {
    auto start = get_int(claim["at"], "start"), end = get_int(claim["at"], "end");
    auto there = get_string(told_, "report").substr(start, end - start);
    EXPECT_THAT(there, ::testing::StartsWith(get_string(claim, "text") + " ["));
  }
}

TEST_F(ShownAgain, LeavesOutWhatRestsOnADocumentThatWentSince) {  // J5
  for (bool edit : {true, false}) {
    change("moor", edit);
    auto shown = now();
    EXPECT_THAT(shown_of(shown), Not(HasSubstr("1871")));
    EXPECT_THAT(shown_of(shown), Not(HasSubstr("**Answer:**"))) << "it named the year";
    EXPECT_THAT(shown_of(shown), HasSubstr("Skerry Light is a lighthouse on Gannet Rock. ["));
    EXPECT_THAT(get_string(shown, "report"), Not(HasSubstr("Aline Moor (bytes"))) << "nor is it a source";
    EXPECT_FALSE(get_bool(shown, "found", true));
    EXPECT_EQ(get_int(shown, "withdrawn"), 1);
    EXPECT_EQ(research::still_stands(shown, rereader(documents_)), shown) << "said once";
  }
}

TEST_F(ShownAgain, WhatGoesLaterIsTakenOutOfWhatWasLeft) {
  change("moor", false);
  told_ = now();
  change("skerry", true);
  auto shown = now();
  EXPECT_EQ(get_int(shown, "withdrawn"), 3);
  EXPECT_TRUE(shown["claims"].empty());
  EXPECT_THAT(shown_of(shown), Not(HasSubstr("Gannet Rock")));
  EXPECT_THAT(get_string(shown, "report"), Not(HasSubstr("## Sources")));
}

TEST_F(ShownAgain, LeavesOutWhatRestsOnADocumentUnderAnotherTitle) {
  std::ranges::find(documents_, "moor", &tools::Document::id)->title = "A keeper";
  EXPECT_EQ(get_int(now(), "withdrawn"), 1);
  EXPECT_THAT(shown_of(now()), Not(HasSubstr("1871")));
}

TEST_F(ShownAgain, AnOlderResultIsWithheldWhole) {
  for (auto& claim : told_["claims"]) {
    claim.erase("at");
    for (auto& citation : claim["citations"]) citation.erase("digest"), citation.erase("title");
  }
  EXPECT_EQ(now(), told_) << "its documents are there";
  change("moor", false);
  EXPECT_THAT(get_string(now(), "report"), Not(HasSubstr("Gannet")));
}

TEST_F(ShownAgain, WhatWasNotGivenToTheRunStands) {
  for (auto& claim : told_["claims"])
    for (auto& citation : claim["citations"])
      citation["doc"] =
          (claim == told_["claims"][0] ? "corpus:wiki/" : "tool:fetch/") + get_string(citation, "doc");
  documents_.clear();
  EXPECT_EQ(now(), told_);
}

}  // namespace
}  // namespace troupe::research_test
