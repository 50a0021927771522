// Takes out what came before a snapshot of a run: which entries those are, and how to leave no loose ends.
#pragma once

#include "runtime/journal/database.hpp"
#include "runtime/journal/journal.hpp"

#include <cstdint>
#include <string>

namespace troupe::journal {

/// What a compaction asks for, and what it was found to mean.
struct Compaction {
  std::string run_id;
  /// Of the snapshot; 0: the latest.
  std::uint64_t seq = 0;
  /// The run inside the store; 0: it has no snapshot, so that there is nothing to do.
  std::int64_t run = 0;
  std::uint64_t removed = 0;
};

/// `invalid_input`: that entry is no snapshot; `not_found`: there is no such run.
Error no_snapshot(const Compaction& compaction);
Error no_run(const Compaction& compaction);

/// In SQLite; within the caller's transaction and on its thread.
Result<void> find_snapshot(Connection& connection, Compaction& compaction);
/// At most kCompactEntriesMax entries, the oldest; how many.
Result<std::uint64_t> remove_slice(Connection& connection, const Compaction& compaction);

}  // namespace troupe::journal
