// Shares of the time between a night's beginning and its hour.
#include "agents/recap_night/night_times.hpp"

#include "agents/recap_night/workflows.hpp"
#include "agents/recap_night/zone_plan.hpp"
#include "agents/research/settings.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/base/time_zone.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::recap_night {
namespace {

constexpr std::int64_t kNightHourMs = 3'600'000;
constexpr std::int64_t kNightDayMs = 24 * kNightHourMs;

// What the source is opened with, without what concerns the night alone: two zones' shared runs must not
// differ.
Json shared_input(const Json& asked, const std::string& workspace, WallTime due) {
  Json out = Json::object();
  if (asked.is_object())
    for (const auto& [name, value] : asked.items())
      if (name != "users" && name != "days" && name != "zone" && name != "begun") out[name] = value;
  out["workspace"] = workspace;
  out["due"] = due.ms;
  return out;
}

std::string salted(const Json& asked, std::string id) {
  auto salt = get_string(asked, "salt");
  return salt.empty() ? id : fmt::format("{}~{}", id, salt);
}

}  // namespace

NightTimes times_between(WallTime begun, WallTime due, std::string last) {
  auto left = due.ms - begun.ms;
  return {due, {begun.ms + left * 2 / 3}, {begun.ms + left * 23 / 24}, std::move(last)};
}

Result<NightTimes> times_of(const Json& asked, WallTime begun) {
  auto date = get_string(asked, "date");
  std::int64_t hour = 6;
  research::Settings settings(asked);
  settings.number("hour", hour, {0, 23});
  if (settings.problem()) return std::unexpected(*settings.problem());
  auto midnight = end_of(date).ms - kNightDayMs;
  if (to_date({midnight}) != date) return fail(Errc::invalid_input, "date: expected a day as yyyy-mm-dd");
  auto name = get_string(asked, "zone", "UTC");
  auto zone = name == "UTC" ? Result<TimeZone>(TimeZone::utc()) : TimeZone::load(name);
  if (!zone) return std::unexpected(zone.error());
  WallTime due{zone->moment_of((midnight + hour * kNightHourMs) / 1000) * 1000};
  due.ms = std::max(due.ms, begun.ms + kNightHourMs);
  auto last = get_string(asked, "last", to_date({begun.ms - kNightDayMs}));
  if (to_date({end_of(last).ms - kNightDayMs}) != last)
    return fail(Errc::invalid_input, "last: expected a day as yyyy-mm-dd");
  return times_between(begun, due, std::move(last));
}

Joining channel_day_run(const Json& asked, const std::string& workspace, const ChannelDayId& day,
                        const NightTimes& times) {
  Json input = shared_input(asked, workspace, times.days_by);
  input["channel"] = day.channel;
  input["date"] = day.date;
  auto id = fmt::format("{}/{}/{}/{}@{}", kChannelDay, workspace, day.channel, day.date, day.edition);
  return {std::string(kChannelDay), salted(asked, std::move(id)), {dump_json(input)}, times.days_by};
}

Joining digest_run(const Json& asked, const std::string& workspace, const std::vector<Picked>& picked,
                   const NightTimes& times) {
  Json input = shared_input(asked, workspace, times.digests_by);
  input["picked"] = to_json(picked);
  std::string marks;
  for (const auto& each : picked) marks += each.mark;
  auto id = fmt::format("{}/{}/{}", kDigest, workspace, wide_hash(marks));
  return {std::string(kDigest), salted(asked, std::move(id)), {dump_json(input)}, times.digests_by};
}

RetryPolicy joining_retry() {
  return {.attempts_max = 10'000,
          .pause = std::chrono::seconds(5),
          .growth = 1.5,
          .pause_max = std::chrono::minutes(2)};
}

}  // namespace troupe::recap_night
