// What people are told of schedules: their slots, and how the last one's run went.
#pragma once

#include "actors/schedule_plan.hpp"
#include "runtime/journal/journal.hpp"
#include "runtime/json/json.hpp"
#include "runtime/policy/controls.hpp"

#include <string>
#include <vector>

namespace troupe::actors {

/// Which of them, and as of when.
struct ScheduleQuestion {
  WallTime at;
  /// Empty: all.
  std::string schedule, tenant;
  /// Coming slots of each, 100 at most.
  std::size_t count = 1;
};

/// What is known beside the configuration; null: nothing.
struct ScheduleStanding {
  journal::Journal* journal = nullptr;
  const policy::Controls* controls = nullptr;
};

/// {"schedule", "tenant", "workflow", "cron", "zone", "catch_up", "paused", "paused_by", "last": {"slot",
/// "local", "run_id", "state"}, "next": [{"slot", "local", "begins", "run_id"}]}: `slot` in UTC. `state` is
/// the run's, "no run" without one, "unknown" when the journal is null. `paused_by` says who ordered it;
/// empty: nobody, or the configuration. not_found for a schedule that is none.
Result<Json> schedules_json(const std::vector<Scheduled>& schedules, const ScheduleQuestion& question,
                            const ScheduleStanding& standing);

}  // namespace troupe::actors
