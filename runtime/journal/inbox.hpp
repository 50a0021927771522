// The inbox of runs in a SQLite file: signals that any process writes down and the run's holder takes up.
#pragma once

#include "runtime/journal/database.hpp"
#include "runtime/journal/journal.hpp"

#include <string>
#include <vector>

namespace troupe::journal {

/// `invalid_input` when a text of it is over its bound or empty.
Result<void> validate(const SignalRow& signal);
/// Whether one more signal may wait for a run of this state: `invalid_input` when it has ended (for
/// kCancelSignal: or failed), `refused` when too many wait. The same in every store.
Result<void> check_room(const SignalRow& signal, RunState state, std::size_t waiting);
std::unexpected<Error> no_such_run(const std::string& run_id);

/// Within the caller's transaction or as one of its own.
Result<void> put_signal(Connection& connection, const SignalRow& signal);
/// The same beside the process that writes to the file, which it does not disturb: SQLite's own lock puts the
/// one row between two commits of the other. Brings the file up to date first where nobody has it open.
Result<void> put_signal_beside(const std::string& path, const SignalRow& signal);
/// Of running runs that this incarnation holds, in order, those with numbers above `after`.
Result<std::vector<SignalRow>> read_signals(Connection& connection, std::uint64_t holder, std::uint64_t after,
                                            std::size_t limit);

}  // namespace troupe::journal
