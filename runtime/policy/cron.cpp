#include "runtime/policy/cron.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <span>
#include <vector>

namespace troupe::policy {
namespace {

constexpr std::size_t kCronBytesMax = 200;
constexpr int kDaysLooked = 9 * 366;

constexpr std::array<std::string_view, 12> kMonthNames = {"jan", "feb", "mar", "apr", "may", "jun",
                                                          "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> kDayNames = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

struct CronField {
  const char* name;
  int least, most;
  std::span<const std::string_view> names;
};
const std::array<CronField, 5> kFields = {{{"minute", 0, 59, {}},
                                           {"hour", 0, 23, {}},
                                           {"day of month", 1, 31, {}},
                                           {"month", 1, 12, kMonthNames},
                                           {"day of week", 0, 7, kDayNames}}};

struct CronMacro {
  std::string_view name, fields;
};
constexpr std::array kMacros = {CronMacro{"@hourly", "0 * * * *"},   CronMacro{"@daily", "0 0 * * *"},
                                CronMacro{"@midnight", "0 0 * * *"}, CronMacro{"@weekly", "0 0 * * 0"},
                                CronMacro{"@monthly", "0 0 1 * *"},  CronMacro{"@yearly", "0 0 1 1 *"},
                                CronMacro{"@annually", "0 0 1 1 *"}};

std::vector<std::string_view> split(std::string_view text, char between, bool empty_ones) {
  std::vector<std::string_view> out;
  while (true) {
    auto end = std::min(text.find(between), text.size());
    if (empty_ones || end > 0) out.push_back(text.substr(0, end));
    if (end == text.size()) return out;
    text.remove_prefix(end + 1);
  }
}

std::optional<int> value_of(std::string_view text, const CronField& field) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  auto named = std::ranges::find(field.names, lower);
  if (named != field.names.end()) return static_cast<int>(named - field.names.begin()) + field.least;
  int value = 0;
  auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  bool good = read.ec == std::errc{} && read.ptr == text.data() + text.size() && text[0] != '-';
  return good && value >= field.least && value <= field.most ? std::optional(value) : std::nullopt;
}

std::unexpected<Error> wrong_field(const CronField& field, std::string_view part) {
  return fail(
      Errc::invalid_input,
      fmt::format("{}: \"{:.40}\" is not understood; write * or {}-{}, a range such as {}-{}, a step such "
                  "as */2 or a list of these",
                  field.name, part, field.least, field.most, field.least, field.most));
}

// One entry of a list: "*", "a", "a-b", each with "/step".
Result<void> add_part(std::string_view part, const CronField& field, std::bitset<64>& out) {
  auto halves = split(part, '/', true);
  auto ends = split(halves[0], '-', true);
  bool all = halves[0] == "*", stepped = halves.size() == 2;
  int step = 1;
  if (stepped) {
    auto read = std::from_chars(halves[1].data(), halves[1].data() + halves[1].size(), step);
    if (read.ec != std::errc{} || read.ptr != halves[1].data() + halves[1].size() || step < 1 || step > 59)
      return wrong_field(field, part);
  }
  auto first = all ? field.least : value_of(ends[0], field);
  auto last = all ? field.most : value_of(ends.back(), field);
  if (halves.size() > 2 || ends.size() > 2 || !first || !last) return wrong_field(field, part);
  if (ends.size() == 1 && stepped && !all) last = field.most;
  // A range of days may end on Sunday, the week's last day as much as its first.
  bool to_sunday = field.most == 7 && ends.size() == 2 && *last == 0 && *first > 0;
  if (to_sunday) last = 7;
  if (*first > *last) return wrong_field(field, part);
  for (int value = *first; value <= *last; value += step) out.set(static_cast<std::size_t>(value));
  return {};
}

Result<std::bitset<64>> read_field(std::string_view text, const CronField& field) {
  std::bitset<64> out;
  for (auto part : split(text, ',', true))
    if (auto added = add_part(part, field, out); !added) return std::unexpected(added.error());
  return out;
}

Cron made_of(const std::array<std::bitset<64>, 5>& sets) {
  Cron out;
  for (std::size_t i = 0; i < 60; ++i) out.minutes[i] = sets[0][i];
  for (std::size_t i = 0; i < 24; ++i) out.hours[i] = sets[1][i];
  for (std::size_t i = 1; i < 32; ++i) out.month_days[i] = sets[2][i];
  for (std::size_t i = 1; i < 13; ++i) out.months[i] = sets[3][i];
  for (std::size_t i = 0; i < 7; ++i) out.week_days[i] = sets[4][i] || (i == 0 && sets[4][7]);
  return out;
}

// February has its 29th now and then.
bool has_a_day(const Cron& cron) {
  constexpr std::array<std::size_t, 13> longest = {0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (!cron.any_week_day && !cron.any_month_day) return true;
  for (std::size_t month = 1; month <= 12; ++month)
    for (std::size_t day = 1; day <= longest[month]; ++day)
      if (cron.months[month] && cron.month_days[day]) return true;
  return false;
}

bool is_day(const Cron& cron, std::chrono::sys_days day) {
  std::chrono::year_month_day date(day);
  if (!cron.months[static_cast<unsigned>(date.month())]) return false;
  bool by_month = cron.month_days[static_cast<unsigned>(date.day())];
  bool by_week = cron.week_days[std::chrono::weekday(day).c_encoding()];
  bool either = !cron.any_month_day && !cron.any_week_day;
  return either ? by_month || by_week : by_month && by_week;
}

std::optional<std::int64_t> slot_of_day(const Cron& cron, const TimeZone& zone, std::int64_t midnight,
                                        std::int64_t after) {
  for (int hour = 0; hour < 24; ++hour) {
    if (!cron.hours[static_cast<std::size_t>(hour)]) continue;
    for (int minute = 0; minute < 60; ++minute) {
      if (!cron.minutes[static_cast<std::size_t>(minute)]) continue;
      auto moment = zone.moment_of(midnight + hour * 3600 + minute * 60);
      if (moment > after) return moment;
    }
  }
  return std::nullopt;
}

}  // namespace

Result<Cron> parse_cron(std::string_view text) {
  auto macro = std::ranges::find(kMacros, text, &CronMacro::name);
  if (macro != kMacros.end()) text = macro->fields;
  auto parts = split(text.substr(0, kCronBytesMax + 1), ' ', false);
  if (text.size() > kCronBytesMax || parts.size() != kFields.size())
    return fail(
        Errc::invalid_input,
        fmt::format("\"{:.60}\" is no cron expression; write minute, hour, day of month, month and day of "
                    "week, e.g. \"30 7 * * mon-fri\", or @hourly, @daily, @weekly, @monthly, @yearly",
                    text));
  std::array<std::bitset<64>, 5> sets;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    auto set = read_field(parts[i], kFields[i]);
    if (!set) return std::unexpected(set.error());
    sets[i] = *set;
  }
  auto out = made_of(sets);
  out.any_month_day = parts[2].starts_with('*');
  out.any_week_day = parts[4].starts_with('*');
  if (!has_a_day(out))
    return fail(Errc::invalid_input,
                fmt::format("\"{:.60}\" never comes: those months have no such day", text));
  return out;
}

std::optional<WallTime> next_slot(const Cron& cron, const TimeZone& zone, WallTime after) {
  auto moment = after.ms >= 0 ? after.ms / 1000 : -((-after.ms + 999) / 1000);
  // A day early: what was skipped before midnight may fall on the day after.
  auto local = std::chrono::sys_seconds(std::chrono::seconds(moment + zone.offset_at(moment)));
  auto day = std::chrono::floor<std::chrono::days>(local) - std::chrono::days(1);
  for (int i = 0; i < kDaysLooked; ++i, day += std::chrono::days(1)) {
    if (!is_day(cron, day)) continue;
    auto midnight = std::chrono::duration_cast<std::chrono::seconds>(day.time_since_epoch()).count();
    if (auto slot = slot_of_day(cron, zone, midnight, moment)) return WallTime{*slot * 1000};
  }
  return std::nullopt;
}

}  // namespace troupe::policy
