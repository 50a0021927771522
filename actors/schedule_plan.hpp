// What a node's schedules ask for: which slots there are for whom, and the run of each. Pure.
#pragma once

#include "runtime/config/config.hpp"
#include "runtime/policy/schedule.hpp"

#include <troupe/run.hpp>

#include <map>
#include <string>
#include <vector>

namespace troupe::actors {

/// A schedule for one of its tenants.
struct Scheduled {
  std::string schedule, tenant, workflow, cron;
  policy::ScheduleRule rule;
  /// This one's share of the jitter.
  Duration delay{};
  /// JSON with placeholders (config::fill_slot).
  std::string input;
  Budget budget;
  Durability durability = Durability::unsaid;
  bool paused = false;
};

/// Caps by the workflow's name, where its file has some.
using FileBudgets = std::map<std::string, Budget>;

/// In the order of the configuration's names. A schedule without a budget of its own has its workflow's.
std::vector<Scheduled> scheduled_of(const config::Config& config, const FileBudgets& budgets);
/// The run of a slot, under the id it has on every node.
RunSpec run_of(const Scheduled& what, WallTime slot);
/// "2026-11-23 05:00 +01:00": what clocks of the zone show.
std::string local_text(const TimeZone& zone, WallTime at);
/// The newest `count` slots until `until`, newest first, however seldom they come (nine years at most).
std::vector<WallTime> newest_slots(const policy::ScheduleRule& rule, WallTime until, std::size_t count);

}  // namespace troupe::actors
