// Runs that begin by the clock: a schedule, the tenants it runs for, and what each slot's run is given.
#pragma once

#include "runtime/policy/schedule.hpp"

#include <troupe/durability.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::config {

struct Config;
struct Problem;

/// A JSON value, in the file written as YAML.
struct JsonValue {
  std::string text = "{}";
};

/// Caps of one run; 0: none. Not set at all: those of the workflow's file.
struct ScheduleBudget {
  double usd = 0;
  std::uint64_t tokens = 0, calls = 0, tool_calls = 0, subagents = 0, depth = 0;
  Duration wall{};
};

/// What a schedule is for one tenant: in whose zone its slots lie.
struct TenantSchedule {
  std::string tenant;
  policy::ScheduleRule rule;
};

struct ScheduleConfig {
  /// A built-in workflow, or one of the files of `workflows`.
  std::string workflow;
  /// policy::parse_cron, read in the local time of the zone.
  std::string cron;
  /// Of tenants that have none of their own.
  std::string zone = "UTC";
  /// One run a slot for each; "*": all that are configured. Empty: one run, for tenant "default".
  std::vector<std::string> tenants;
  /// An object; {{slot}}, {{date}}, {{tenant}} and {{schedule}} in its texts are filled in.
  JsonValue input;
  policy::CatchUp catch_up = policy::CatchUp::last;
  std::uint32_t catch_up_max = 24;
  Duration grace = std::chrono::minutes(1);
  Duration jitter{};
  ScheduleBudget budget;
  /// Unsaid: what the workflow's runs have.
  Durability durability = Durability::unsaid;
  /// Begins nothing; when it goes on, what was missed is caught up with.
  bool paused = false;

  /// Not in the file: made when it is loaded.
  std::vector<TenantSchedule> rules;
  /// "FILE:LINE: KEY" of the workflow, for whoever finds that there is none of that name.
  std::string where;
};

/// Makes `workflows` absolute and reads what schedules name: cron expressions and zones (from the system's
/// database). `where` gives "FILE:LINE: KEY" of an option.
std::vector<Problem> load_schedules(Config& config, const std::string& directory,
                                    const std::function<std::string(const std::string& path)>& where);

/// What the texts of an input are filled in with.
struct SlotValues {
  /// "2026-11-23T04:00Z", and the day that clocks of the zone show then.
  std::string slot, date;
  std::string tenant, schedule;
};
/// The input of a slot's run.
std::string fill_slot(const std::string& json, const SlotValues& values);
/// What is wrong with a template: no object, or a placeholder nobody knows.
std::optional<std::string> check_slot_template(const std::string& json);

}  // namespace troupe::config
