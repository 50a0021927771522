// The desk's word about what lies behind runs: their snapshots, and what is forgotten of them.
#pragma once

#include "actors/desk.hpp"

namespace troupe::actors {

/// Where a run rests: what a resuming node goes on from. Nothing when it has no snapshot.
void put_snapshot(Json& out, const std::vector<journal::Entry>& entries);
/// Steps that came to a result, those before a compacted history's snapshot among them.
std::size_t results_in(const std::vector<journal::Entry>& entries);

/// {older_ms, workflow}: forgets runs that ended longer ago. {before_snapshot: true, id}: of that run, or of
/// all that go on, the entries before the latest snapshot. Answers {runs} or {runs, entries}.
void prune_runs(const DeskServices& services, const Json& input, const Reply& reply);

}  // namespace troupe::actors
