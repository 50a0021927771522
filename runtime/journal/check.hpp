// The invariants of RUNTIME 4.3: what must hold of every history, and of a whole file.
#pragma once

#include "runtime/journal/database.hpp"
#include "runtime/journal/journal.hpp"

#include <span>
#include <string>
#include <vector>

namespace troupe::journal {

/// What one run's history breaks, a sentence each; pure. `history` is in seq order.
/// - seq counts 1, 2, 3 and so on, or from a snapshot on when what came before was compacted; lsn grows with
///   it;
/// - no child is under way at a snapshot;
/// - epochs never fall, and none is above the run's;
/// - a step has one result at most; a result of attempt 1 or more stands after an intent of its step;
/// - no attempt of a step is intended twice: it names the effect to the outside;
/// - a timer fires after it was set; a child ends after it was started, and once;
/// - a run that has ended is not parked;
/// - a run that is done has a `done` entry, a cancelled one `done` or `cancel`; a failed one may be resumed
/// and
///   needs neither.
/// Open timers of an ended run are no fault: timers live in the history alone, and an ended run is not
/// resumed.
std::vector<std::string> check_history(const RunRow& run, std::span<const Entry> history);

/// All histories, and the file: SQLite's own integrity, blobs that are what their hash says, no entry without
/// a run, no running child of a run that has ended, no negative figure in the ledger. Reads everything, one
/// history at a time; stops after 100 findings. Budgets (RUNTIME 4.3 e) are opaque here: who keeps them
/// checks them.
Result<std::vector<std::string>> check_everything(Connection& connection);

}  // namespace troupe::journal
