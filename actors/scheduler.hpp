// The Scheduler actor: begins the run of each slot of a node's schedules, once, whatever fails.
#pragma once

#include "actors/interfaces.hpp"
#include "actors/schedule_plan.hpp"
#include "runtime/base/clock.hpp"

#include <functional>
#include <string>
#include <vector>

namespace troupe::actors {

/// What it needs of its node. All outlive it; the functions are called on its turn.
struct SchedulerParts {
  Clock* clock = nullptr;
  journal::Journal* journal = nullptr;
  /// Node::submit.
  std::function<Result<std::string>(RunSpec)> submit;
  /// Whether this run goes here, recorded or about to be.
  std::function<bool(const std::string& run_id)> going;
  /// Whether an operator has paused the schedule. Empty: never.
  std::function<bool(const std::string& schedule)> paused;
};

/// A Tick makes it look; once a second is often enough. It blocks on the journal meanwhile.
///
/// How far a schedule came is not kept anywhere: the runs of its newest slots tell. A slot is over when the
/// journal has its run, whoever began it; until then it is submitted again, after growing pauses. So every
/// node may have the same schedules. Slots of one schedule and tenant begin in order, each when the one
/// before is recorded. While a schedule is paused no slot of it begins; then its catch-up judges what passed
/// meanwhile, as after a downtime. A run that failed is not begun anew: that is an operator's decision.
SchedulerActor spawn_scheduler(caf::actor_system& system, std::vector<Scheduled> schedules,
                               SchedulerParts parts);

}  // namespace troupe::actors
