// What of a summary may still be shown: statements whose sources are there and say what they said (J5).
#pragma once

#include "agents/summary/window.hpp"
#include "runtime/json/json.hpp"

#include <troupe/error.hpp>
#include <troupe/request.hpp>

#include <string>

namespace troupe::summary {

/// 16 hex digits of who said what in a line: what an edit changes.
std::string digest_of(const Line& line);

/// summary.json without the statements of which one source is not in `now`, or not as it was: they go from
/// the text, the points, the marks and what is cited; "withdrawn" counts them and "problems" says so. Said
/// again of what it gave, it takes out what went meanwhile. A result of older code has no digests: its quotes
/// are compared instead. Pure.
Json still_stands(Json summary, const Window& now);

/// The same of a run's output, with the window as its input names it now; fails when that cannot be read.
/// Reads the file, so it is for whoever is about to show a summary. What is no summary is given back as it
/// is.
Result<JsonText> summary_as_of_now(const JsonText& output, const JsonText& input);
/// Of a run's output what may be shown when its window cannot be read any more: that nothing stands.
JsonText summary_withheld(const JsonText& output);

}  // namespace troupe::summary
