// The search workflow: a question in; an answer with its sources, or links, out, while somebody waits.
#pragma once

#include "agents/research/kept_tools.hpp"

#include <troupe/error.hpp>
#include <troupe/tool.hpp>
#include <troupe/workflow.hpp>

#include <functional>
#include <string_view>

namespace troupe::search {

inline constexpr std::string_view kSearchName = "search";
/// Of its code (M14).
inline constexpr std::string_view kSearchVersion = "1";

/// Opens the shelves an input may be looked up in ("input" names the corpus, "principal" whose rights hold):
/// tools "search" and "search_NAME" that take filters, and "open_document". Called at a run's start and again
/// when it is resumed; which there were is recorded ("tools.kept"). Its notes are among those of the result.
using ShelfSource = std::function<Result<research::OpenedTools>(const JsonText& input)>;

/// Input: see read_search_input. The result is search.json (see search_json), with "report", the text of
/// answer.md.
///
/// A query that surely names a place (classify_query) is looked up and answered with links: no model is
/// asked. Else a cheap model says what the question means (step "understand", repaired once; the question
/// itself when it cannot); its queries are looked up (steps "look_up") and fused; and one call writes the
/// answer from the best passages, whose text streams (the step live_step() recognises). Statements no source
/// bears out are withdrawn; every cited span is opened again (steps "verify") and must hold the same bytes
/// for this asker.
///
/// When the deadline has passed, the budget is gone or no provider can serve, the result is the links with a
/// note: that is no failure. "Not found" is a result, too. Fails with invalid_input for a bad input, as
/// `source` does, and when no look-up could be made at all.
WorkflowFunction make_search(ShelfSource source);

}  // namespace troupe::search
