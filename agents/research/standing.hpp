// What of a research result may still be shown: claims whose sources say what they said (MECHANISMS J5).
#pragma once

#include "runtime/json/json.hpp"

#include <troupe/tool.hpp>

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::research {

/// 16 hex digits of a text, so that it is known again where it may not be kept.
std::string digest_of(std::string_view quote);

/// What stands at a span now, and its document's title.
struct Reread {
  std::string title, text;
};
/// Nothing: the document has gone, is shorter, or is nothing for whom the result was written.
using Rereader = std::function<std::optional<Reread>(const Span&)>;
/// Is it one that the run was given? Others (of a configured corpus, or what a tool said) are not read again.
bool is_given(const Span& span);

/// The documents that its claims cite and that were given to the run.
std::set<std::string> cited_documents(const Json& research);

/// research.json without the claims of which one source has gone or says something else: they go from the
/// report, the sources listed there and the claims; "withdrawn" counts them and "notes" says so. The answer
/// stays if what is left bears out every word of it. What was not given to the run (is_given) stands. A
/// result of older code has no digests: that its documents are there must do, and its report goes whole. Said
/// again of what it gave, it takes out what went meanwhile. Pure but for `now`.
Json still_stands(Json research, const Rereader& now);

/// Tells each claim where it stands in the report, marks and all, as "at": {start, end} in bytes. `printed`:
/// the claims as they are printed, in the order of the report.
void place_claims(Json& research, const std::vector<std::string>& printed);

}  // namespace troupe::research
