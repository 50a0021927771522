// The invariants of RUNTIME 4.3 over a whole store: the journal's own, and what the engine adds.
#pragma once

#include "runtime/journal/journal.hpp"

#include <string>
#include <vector>

namespace troupe::actors {

/// Everything that does not hold, a sentence each; empty when all is well. Beyond Journal::check: no run
/// began more calls, tool calls or children than its budget allows, nor gave its children more than it had
/// (e), and the attempts of a step are numbered one after the other (h). Reads every entry of runs with a
/// budget; blocks.
Result<std::vector<std::string>> audit(journal::Journal& journal);

}  // namespace troupe::actors
