// summary.json: the text, and which lines show each statement of it.
#pragma once

#include "agents/slack/workspace.hpp"
#include "agents/summary/input.hpp"
#include "agents/summary/window.hpp"
#include "runtime/json/json.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::summary {

/// A statement that may stand.
struct SummaryPoint {
  std::string text;
  /// "decision", "action", "question", "topic"; empty when nobody said.
  std::string kind;
  /// Indices into Window::lines: at least one, ascending, without doubles.
  std::vector<std::size_t> lines;
  /// The marks it carries in the text.
  std::vector<std::size_t> marks;
};

struct SummaryResult {
  std::vector<SummaryPoint> points;
  /// What each mark of the text names: indices into Window::lines.
  std::map<std::size_t, std::vector<std::size_t>> marks;
  /// False when a question was asked and the answer is that the transcript does not say.
  bool found = true;
  std::size_t conversations = 0;
  std::size_t chunks = 0;
  /// Estimated tokens before and after the pre-pass, lines that lost all or part, and Prepass::coverage.
  std::size_t tokens_before = 0, tokens = 0, lines_kept = 0;
  double coverage = 1;
  /// Of what a reader's first look was written from; no tokens: there was none.
  std::size_t look_tokens = 0;
  double look_coverage = 0;
  /// Statements without any valid source, and marks of nothing on statements that stand by others.
  std::size_t dropped_points = 0, dropped_sources = 0;
  /// As the model that wrote the text calls itself.
  std::string model;
  /// In addition to those of the window.
  std::vector<slack::Problem> problems;
};

/// Of a line that is cited.
inline constexpr std::size_t kQuoteBytesMax = 240;

/// {"text", "found", "points": [{"text", "kind"?, "sources", "people", "doubtful_people"?}], "marks":
/// [{"mark", "sources"}], "cited": [{"id", "who"?, "at"?, "text", "digest"}], "window": {…}, "prepass": {…},
/// "first_look": {"tokens", "coverage"}?, "conversations", "chunks", "dropped_points", "dropped_sources",
/// "doubtful", "model", "model_note"?, "problems"}. The text has one statement a line, "- … [3, 7]", with the
/// marks the reader saw; it says so when nothing was found.
Json summary_json(const Window& window, const SummaryInput& input, const SummaryResult& result);

/// Who said the lines, in the order they spoke, each once.
std::vector<std::string> speakers_of(const Window& window, const std::vector<std::size_t>& lines);

/// Speakers of the window whom `text` names although none of `lines` is theirs or names them: what a wrong
/// attribution looks like. Names are compared as whole words, capitals counting; names under three bytes are
/// not looked for.
std::vector<std::string> doubtful_people(std::string_view text, const Window& window,
                                         const std::vector<std::size_t>& lines);

}  // namespace troupe::summary
