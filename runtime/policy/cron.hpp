// When a schedule is due: cron expressions, in the local time of a place. Pure.
#pragma once

#include "runtime/base/time_zone.hpp"

#include <troupe/error.hpp>
#include <troupe/time.hpp>

#include <bitset>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::policy {

/// What crontab(5) says: minute, hour, day of month, month, day of week. When both kinds of day are
/// restricted (neither begins with *) one of them suffices.
struct Cron {
  std::bitset<60> minutes;
  std::bitset<24> hours;
  std::bitset<32> month_days;  ///< from 1
  std::bitset<13> months;      ///< from 1
  std::bitset<7> week_days;    ///< from Sunday
  bool any_month_day = true, any_week_day = true;
};

/// Five fields of "*", numbers, ranges "1-5", steps "*/15" and "8-18/2", lists "1,15", names of months and
/// days
/// ("jan", "MON", "mon-fri", "fri-sun"; 7 is Sunday too), or @hourly, @daily, @midnight, @weekly, @monthly,
/// @yearly, @annually. At most 200 bytes. invalid_input names the field and what would be right; so does an
/// expression of days that never come (30 February).
Result<Cron> parse_cron(std::string_view text);

/// The first moment after `after` at which clocks of `zone` show a time of `cron`; whole minutes.
///
/// Where clocks go forward, times that are skipped all fall on the moment after the gap, once. Where they go
/// back, a time that comes twice counts the first time only. Nothing when none comes within nine years
/// (a 29 February may be eight years away).
std::optional<WallTime> next_slot(const Cron& cron, const TimeZone& zone, WallTime after);

}  // namespace troupe::policy
