// A run's history as JSON lines: what `troupe runs export` prints, and what `troupe runs verify` reads back
// whole. Pure.
#pragma once

#include "runtime/journal/journal.hpp"
#include "runtime/json/json.hpp"

#include <string_view>
#include <vector>

namespace troupe::actors {

/// A run with everything its journal holds of it, as it came from a store or a file.
struct RecordedRun {
  journal::RunRow row;
  std::vector<journal::Entry> entries;
};

/// One line an entry: the readable form, and beside it what makes it exact: "at_ms", "hash" (of the input),
/// "bytes" (the payload in base64). The first also has "run", the run's row. A run that has recorded nothing
/// has no lines.
std::vector<Json> export_lines(const RecordedRun& run);

/// The runs whose lines these are, one after the other; empty lines are passed over. The readable forms are
/// not looked at. invalid_input naming the line for what is no history; a history that begins with its second
/// entry or has gaps is none.
Result<std::vector<RecordedRun>> read_histories(std::string_view lines);

}  // namespace troupe::actors
