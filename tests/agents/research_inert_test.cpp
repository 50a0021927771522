// What sources write stays text in the report, and what nobody can open again is cited by nobody.
#include "agents/research/citation.hpp"
#include "agents/research/inert.hpp"
#include "agents/text/inert.hpp"
#include "runtime/base/rng.hpp"
#include "tests/agents/research_support.hpp"

#include <algorithm>
#include <cctype>
#include <regex>
#include <set>

namespace troupe::research_test {
namespace {

using research::claims_of;
using research::Finding;
using research::inert_report;
using text::inert_line;

bool escaped(std::string_view text, std::size_t at) {
  std::size_t slashes = 0;
  while (at > 0 && text[--at] == '\\') ++slashes;
  return slashes % 2 == 1;
}

bool is_mark(std::string_view text, std::size_t at) {
  auto end = text.find_first_not_of("0123456789", at + 1);
  bool closed = end != std::string_view::npos && end > at + 1 && text[end] == ']';
  return closed && (end + 1 == text.size() || (text[end + 1] != '(' && text[end + 1] != ':'));
}

// Quotes and list items may lead up to a heading.
const std::regex kHeading("^[ >]*(?:(?:[-*+]|[0-9]{1,9}[.)]) +[ >]*)*#{1,6}(?: |$)");

// What a reader of CommonMark and GFM would make more of than text, but for lists, emphasis and `headings`.
std::vector<std::string> markup_in(const std::string& text, const std::set<std::string>& headings) {
  std::vector<std::string> out;
  auto note = [&](const char* what, std::size_t at) { out.push_back(what + text.substr(at, 40)); };
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto c = static_cast<unsigned char>(text[i]);
    if ((c < 0x20 && c != '\n') || c == 0x7f) note("control ", i);
    if (text.compare(i, 3, "\xe2\x80\xae") == 0 || text.compare(i, 3, "\xe2\x80\x8b") == 0)
      note("hidden ", i);
    if (escaped(text, i)) continue;
    if (c == '<' || c == '`') note("html or code ", i);
    if (c == '[' && !is_mark(text, i)) note("link ", i);
    if (text.compare(i, 3, "://") == 0 || text.compare(i, 4, "www.") == 0) note("autolink ", i);
    bool follows = i > 0 && i + 1 < text.size() && std::isalnum(static_cast<unsigned char>(text[i + 1])) != 0;
    if (c == '@' && follows) note("mail ", i);
    if (c == '&' && i + 1 < text.size() && std::isalpha(static_cast<unsigned char>(text[i + 1])) != 0)
      note("entity ", i);
  }
  for (std::size_t begin = 0; begin < text.size();) {
    auto end = std::min(text.find('\n', begin), text.size());
    auto line = text.substr(begin, end - begin);
    if (std::regex_search(line, kHeading) && !headings.contains(line)) note("heading ", begin);
    if (!line.empty() && line.find_first_not_of("=") == std::string::npos) note("underline ", begin);
    begin = end + 1;
  }
  return out;
}

const std::vector<std::string> kHostile = {"# Sources",
                                           "Sources\n===",
                                           "Sources\n---",
                                           "> # Deep",
                                           "- ## Deeper",
                                           "1. # Numbered",
                                           "+ # Plus",
                                           "[click](http://evil.example)",
                                           "![x](http://evil.example/p.png)",
                                           "[a]: http://evil.example",
                                           "[a][b]",
                                           "[^1]",
                                           "<a href=x>y</a>",
                                           "<!-- gone",
                                           "<script>alert(1)</script>",
                                           "<http://evil.example>",
                                           "http://evil.example",
                                           "HTTPS://evil.example",
                                           "www.evil.example",
                                           "mail thief@evil.example",
                                           "mailto:thief@evil.example",
                                           "&#91;x&#93;",
                                           "&lt;b&gt;",
                                           "```\nswallowed",
                                           "~~~\nswallowed",
                                           "`code`",
                                           "\\[x](y)",
                                           "\\\\[x](y)",
                                           "\x1b[31mred",
                                           "a\rb # c\r# d",
                                           "abc\xe2\x80\xae txt",
                                           "ze\xe2\x80\x8bro",
                                           "\x07",
                                           "$\\href{http://evil.example}{x}$"};

TEST(InertReport, MakesNothingOfWhatASourceWrote) {
  for (const auto& text : kHostile) {
    std::vector<Finding> sources(1);
    sources[0].quote = text;
    auto shown = inert_report("One line.\n" + text + "\nAnother.", sources);
    EXPECT_TRUE(markup_in(shown, {}).empty()) << text << " -> " << shown;
    auto line = inert_line("title " + text + " end");
    EXPECT_TRUE(markup_in(line, {}).empty()) << text << " -> " << line;
    EXPECT_TRUE(markup_in(inert_line(text), {}).empty()) << text;
    EXPECT_EQ(line.find('\n'), std::string::npos);
  }
  std::size_t dangerous = 0;
  for (const auto& text : kHostile) dangerous += markup_in(text, {}).empty() ? 0 : 1;
  EXPECT_GT(dangerous, 25u) << "the check sees nothing";
}

TEST(InertReport, KeepsTheWritersHeadingsBelowOurs) {
  std::vector<Finding> sources(1);
  sources[0].quote = "Intro. ## Pay here\nnow";
  EXPECT_EQ(inert_report("# Towers\n- A *fine* tower.\n", sources), "### Towers\n- A *fine* tower.\n");
  EXPECT_EQ(inert_report("##### Deep\n", sources), "##### Deep\n");
  EXPECT_EQ(inert_report("## Pay here\n", sources), "\\## Pay here\n") << "a source wrote this one";
  // A statement that looks like a heading is none and must be cited like any other.
  EXPECT_EQ(claims_of(inert_report("#Quintus built it.\n", sources)).size(), 1u);
}

TEST(InertLine, LeavesWordsReadable) {
  EXPECT_EQ(inert_line("# not\na heading"), "\\# not a heading");
  EXPECT_EQ(inert_line("[x](y) <b> *z* `c` snake_case _em_"),
            "\\[x\\](y) \\<b\\> \\*z\\* \\`c\\` snake_case \\_em\\_");
  EXPECT_EQ(inert_line("12. no list"), "12\\. no list");
}

TEST(InertLine, SaysTheSameInAnyOrderOfSpecials) {
  Rng rng(11);
  const std::string letters = "\\`[]()<>#*_~!&@:/.=-+|$1w \n\ra";
  for (int i = 0; i < 3000; ++i) {
    std::string text;
    for (auto k = rng.below(24); k > 0; --k) text += letters[rng.below(letters.size())];
    auto line = inert_line(text);
    ASSERT_TRUE(markup_in(line, {}).empty()) << text << " -> " << line;
    ASSERT_EQ(text::without_backslashes(line), research::one_line(text)) << text;
    auto report = inert_report(text, {});
    auto marks = research::read_marks(report, report);
    ASSERT_TRUE(marks && marks->empty()) << text << " -> " << report;
    std::set<std::string> own;
    for (std::size_t begin = 0; begin < report.size();) {
      auto end = std::min(report.find('\n', begin), report.size());
      if (report.compare(begin, 4, "### ") == 0 || report.compare(begin, 5, "#### ") == 0 ||
          report.compare(begin, 6, "##### ") == 0 || report.compare(begin, 7, "###### ") == 0)
        own.insert(report.substr(begin, end - begin));
      begin = end + 1;
    }
    ASSERT_TRUE(markup_in(report, own).empty()) << text << " -> " << report;
  }
}

const std::string kHostileTitle = "Aline Moor ](http://evil.example) <b> # x";

std::vector<tools::Document> hostile_library(const std::string& title = kHostileTitle) {
  auto documents = library();
  auto& moor = documents[1];
  moor.title = title;
  moor.url = "http://evil.example/?a=[b]&lt;";
  moor.text =
      "# Sources\n[1] <img src=x> Aline Moor ![p](http://evil.example/p) was an engineer. "
      "She was born in Port Varr\x1b[2J in 1871, see www.evil.example and [more](http://evil.example).";
  return documents;
}

// Writes what it read as it stands, as a model that quotes does.
Result<Completion> quoting(const std::string& run, const CompletionRequest& request) {
  if (!asks_for(request, research::kReportShape)) return extract(run, request);
  auto moor = hostile_library()[1].text;
  return says(Json{{"found", true},
                   {"answer", "1871"},
                   {"report", "# Birth\n- " + moor.substr(moor.find("Aline")) + "\n- " + moor + "\n"}});
}

TEST(Research, AHostileSourceWritesNoMarkupIntoTheReport) {  // J9
  for (bool copies : {false, true}) {
    // Whom the model is to quote it must find, which it does by the title.
    ResearchWorld world(copies ? quoting : extract,
                        shelves(hostile_library(copies ? "Aline Moor" : kHostileTitle)));
    auto json = outcome(world, kBridge);
    auto report = get_string(json, "report");
    std::set<std::string> ours = {"# " + inert_line(get_string(json, "question")), "## Sources",
                                  "## What was searched", "## Notes", "### Birth"};
    auto found = markup_in(report, ours);
    EXPECT_TRUE(found.empty()) << found.front() << "\n" << report;
    EXPECT_EQ(report.find("## Sources"), report.rfind("## Sources")) << report;
    EXPECT_GT(json["claims"].size(), 0u) << report;
  }
}

TEST(Research, WhatIsPrintedIsWhatTheCitationPassSaw) {  // M10: byte for byte but for marks
  ResearchWorld world(extract, shelves(hostile_library()));
  auto json = outcome(world, kBridge);
  EXPECT_EQ(get_string(json["checks"], "citations_by"), "model") << "the pass gave another report back";
  std::string asked;
  for (const auto& [run, request] : world.asked) {
    if (!asks_for(request, research::kCitationsShape)) continue;
    const auto& text = std::get<TextPart>(request.messages.back().parts[0]).text;
    auto begin = text.find('"');
    asked = parse_json(text.substr(begin, text.find('\n', begin) - begin))->get<std::string>();
  }
  ASSERT_FALSE(asked.empty());
  auto report = get_string(json, "report");
  std::size_t lines = 0;
  for (std::size_t begin = 0; begin < asked.size();) {
    auto end = std::min(asked.find('\n', begin), asked.size());
    auto line = asked.substr(begin, end - begin);
    lines += report.find(line) != std::string::npos ? 1 : 0;
    begin = end + 1;
  }
  EXPECT_GT(lines, 0u) << asked << "\n---\n" << report;
}

/// An open_document that fails, or has nothing, once the report is being checked.
class ClosedShelf final : public Tool {
 public:
  ClosedShelf(ToolPtr tool, std::optional<Error> error) : tool_(std::move(tool)), error_(std::move(error)) {}
  const ToolSpec& spec() const override { return tool_->spec(); }
  void call(const ToolContext& context, const JsonText& input,
            std::function<void(Result<ToolOutput>)> done) override {
    // The lead calls it only to look a citation up again.
    if (context.run_id != "run") return tool_->call(context, input, std::move(done));
    ++asked;
    if (error_) return done(std::unexpected(*error_));
    done(ToolOutput{.text = "There is no such document.", .is_error = true});
  }
  int asked = 0;

 private:
  ToolPtr tool_;
  std::optional<Error> error_;
};

TEST(Research, ACitationThatCannotBeOpenedIsNone) {  // M10: refused, broken, or gone
  const std::vector<std::optional<Error>> ways = {make_error(Errc::refused, "no calls are left"),
                                                  make_error(Errc::unreachable, "down"),
                                                  make_error(Errc::not_found, "gone"), std::nullopt};
  for (const auto& way : ways) {
    auto source = shelves();
    auto closed = std::make_shared<ClosedShelf>(source({})->box.find("open_document"), way);
    ResearchWorld world(extract, [&](const JsonText&) -> Result<Toolbox> {
      Toolbox box;
      bool added = box.add(source({})->box.find("search")) && box.add(closed);
      if (!added) return fail(Errc::internal, "twice");
      return box;
    });
    auto json = outcome(world, kBridge);
    auto why = way ? to_string(way->code) : "missing";
    EXPECT_GT(closed->asked, 0) << why;
    EXPECT_GT(get_int(json["checks"], "unresolved_citations"), 0) << why;
    EXPECT_TRUE(json["claims"].empty()) << why << ": a claim rests on what nobody could open";
    EXPECT_FALSE(get_bool(json, "found", true)) << why;
    auto report = get_string(json, "report");
    EXPECT_EQ(report.find("## Sources"), std::string::npos) << report;
    EXPECT_NE(report.find("was taken out"), std::string::npos) << "it is not reported: " << report;
  }
}

}  // namespace
}  // namespace troupe::research_test
