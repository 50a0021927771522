// Which runs of a schedule are due, after a time in which perhaps nobody looked. Pure.
#pragma once

#include "runtime/policy/cron.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::policy {

/// What becomes of slots that passed while no node was there.
enum class CatchUp {
  none,  ///< they are left out
  last,  ///< the newest of them runs
  all,   ///< the newest `catch_up_max` of them run, oldest first
};
const char* to_string(CatchUp catch_up);

struct ScheduleRule {
  Cron cron;
  TimeZone zone = TimeZone::utc();
  CatchUp catch_up = CatchUp::last;
  /// With `all`, and how many past slots are looked at for whether they ran.
  std::size_t catch_up_max = 24;
  /// A slot is not late until so long after its moment: between two looks of a node.
  Duration grace = std::chrono::minutes(1);
  /// Runs begin up to so much after their slot, each schedule and tenant at a moment of its own, so that not
  /// all of a node's schedules begin at midnight sharp.
  Duration jitter{};
};

struct DueSlots {
  /// To be run now, oldest first.
  std::vector<WallTime> run;
  /// Passed and left out by the policy.
  std::uint64_t left_out = 0;
  /// The newest slot that was judged; give it as `last` the next time. `last` when none was.
  WallTime judged;
  /// When to look again.
  std::optional<WallTime> next;
};

/// The slots in (last, now]. `delay`: this schedule's share of the jitter, see delay_of. Of a past
/// of more than 100,000 slots only those of the last day are looked at.
DueSlots due_slots(const ScheduleRule& rule, WallTime last, WallTime now, Duration delay = {});

/// The newest `count` slots in (from, to], newest first: those whose runs tell how far a schedule came.
std::vector<WallTime> past_slots(const ScheduleRule& rule, WallTime from, WallTime to, std::size_t count);

/// A part of the jitter that is the same on every node and after every start.
Duration delay_of(const ScheduleRule& rule, std::string_view schedule, std::string_view tenant);

/// "SCHEDULE/TENANT@2026-11-23T04:00Z": the run of a slot has one name wherever it is started, so the journal
/// lets one be.
std::string slot_run_id(std::string_view schedule, std::string_view tenant, WallTime slot);

}  // namespace troupe::policy
