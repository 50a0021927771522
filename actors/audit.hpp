// The invariants of RUNTIME 4.3 over a whole store: the journal's own, and what the engine adds.
#pragma once

#include "runtime/journal/journal.hpp"

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace troupe::actors {

/// For whether runs get on (g): a run of a living node that waits for nothing must not stand still for
/// longer.
struct LivenessRule {
  WallTime now;
  Duration idle_max = std::chrono::minutes(10);
  /// Nodes whose lease holds.
  std::set<std::string> living;
};

/// Everything that does not hold, a sentence each; empty when all is well. Beyond Journal::check:
/// - the attempts of a step are numbered one after the other (h);
/// - walked through in its order, no history sets aside more than its budget has left: money, tokens, calls,
///   tools, children; a child's budget is the slice its parent gave it, and what its parent books is what the
///   child used (e). Spent may exceed a cap by as much as the last estimates were wrong, and by no more;
/// - a run that is done or cancelled left nothing under way in its last life (f);
/// - with `liveness`: no run is overdue to be woken, and none that waits for nothing stands still (g). A run
///   waits for calls, tools, children and timers; one that waits for a signal is parked after a while.
/// Reads every entry of every run; blocks.
Result<std::vector<std::string>> audit(journal::Journal& journal,
                                       const std::optional<LivenessRule>& liveness = {});

}  // namespace troupe::actors
