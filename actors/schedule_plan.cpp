#include "actors/schedule_plan.hpp"

#include "runtime/base/clock.hpp"

#include <fmt/format.h>

#include <cstdlib>

namespace troupe::actors {
namespace {

constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::int64_t kNineYearsMs = 9 * 366 * kDayMs;

std::int64_t count_of(std::uint64_t amount) { return static_cast<std::int64_t>(amount); }

Budget budget_of(const config::ScheduleBudget& caps) {
  Budget budget;
  budget.usd = caps.usd;
  budget.tokens = count_of(caps.tokens);
  budget.calls = count_of(caps.calls);
  budget.tool_calls = count_of(caps.tool_calls);
  budget.subagents = count_of(caps.subagents);
  budget.depth = count_of(caps.depth);
  budget.wall = caps.wall;
  return budget;
}

/// The moment at which clocks of the zone show the time, as if that were UTC.
WallTime shown(const TimeZone& zone, WallTime at) { return {at.ms + 1000LL * zone.offset_at(at.ms / 1000)}; }

}  // namespace

std::vector<Scheduled> scheduled_of(const config::Config& config, const FileBudgets& budgets) {
  std::vector<Scheduled> out;
  for (const auto& [name, schedule] : config.schedules) {
    auto budget = budget_of(schedule.budget);
    if (auto file = budgets.find(schedule.workflow); budget == Budget{} && file != budgets.end())
      budget = file->second;
    for (const auto& [tenant, rule] : schedule.rules)
      out.push_back({name, tenant, schedule.workflow, schedule.cron, rule,
                     policy::delay_of(rule, name, tenant), schedule.input.text, budget, schedule.durability,
                     schedule.paused});
  }
  return out;
}

RunSpec run_of(const Scheduled& what, WallTime slot) {
  config::SlotValues values;
  values.slot = to_iso8601(slot).substr(0, 16) + "Z";
  values.date = to_date(shown(what.rule.zone, slot));
  values.tenant = what.tenant;
  values.schedule = what.schedule;
  RunSpec spec;
  spec.workflow = what.workflow;
  spec.input = {config::fill_slot(what.input, values)};
  spec.run_id = policy::slot_run_id(what.schedule, what.tenant, slot);
  spec.tenant = what.tenant;
  spec.budget = what.budget;
  spec.durability = what.durability;
  return spec;
}

std::string local_text(const TimeZone& zone, WallTime at) {
  auto offset = zone.offset_at(at.ms / 1000) / 60;
  auto text = to_iso8601(shown(zone, at));
  return fmt::format("{} {} {}{:02}:{:02}", text.substr(0, 10), text.substr(11, 5), offset < 0 ? '-' : '+',
                     std::abs(offset) / 60, std::abs(offset) % 60);
}

// A wider window each time: one of nine years would be walked through minute by minute.
std::vector<WallTime> newest_slots(const policy::ScheduleRule& rule, WallTime until, std::size_t count) {
  for (std::int64_t window = kDayMs;; window *= 8) {
    auto slots = policy::past_slots(rule, {until.ms - window}, until, count);
    if (slots.size() >= count || window >= kNineYearsMs) return slots;
  }
}

}  // namespace troupe::actors
