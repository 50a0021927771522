// When clocks of a place show what: time zones as the system's database has them (TZif, RFC 9636).
#pragma once

#include <troupe/error.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// An immutable value. Moments are seconds since 1970-01-01 UTC, local times the same count of what the
/// clocks there show, as if that were UTC.
class TimeZone {
 public:
  /// Of a TZif file's bytes, version 2 or newer. invalid_input when they are none.
  static Result<TimeZone> parse(std::string_view tzif, std::string name);
  /// From $TZDIR or /usr/share/zoneinfo (package tzdata). bad_config for a name that cannot be one,
  /// input_missing when there is none of that name.
  static Result<TimeZone> load(const std::string& name);
  static TimeZone utc() { return TimeZone("UTC"); }

  const std::string& name() const { return name_; }
  /// Local time minus UTC, in seconds, at that moment.
  std::int32_t offset_at(std::int64_t moment) const;
  /// The first moment at which clocks show `local`. One that is skipped when clocks go forward gives the
  /// moment at which they do; of one that comes twice when they go back, the first.
  std::int64_t moment_of(std::int64_t local) const;

 private:
  explicit TimeZone(std::string name) : name_(std::move(name)) {}

  struct Change {
    std::int64_t at = 0;
    std::int32_t offset = 0;
  };
  /// A yearly change of the footer's rule (RFC 9636, 3.3.1; POSIX TZ).
  struct Yearly {
    enum class Kind { month_week_day, day_without_leap, day_with_leap } kind = Kind::month_week_day;
    int month = 1, week = 1, day = 0;
    std::int64_t seconds = 2 * 3600;
  };
  struct Rule {
    std::int32_t standard = 0;
    /// Absent: no daylight saving.
    std::optional<std::int32_t> daylight;
    Yearly begins, ends;
  };
  class RuleReader;
  static Result<Rule> read_rule(std::string_view footer);
  /// Of a block whose length was checked; what is wrong with it, or null.
  const char* read_changes(std::string_view block, std::size_t times, std::size_t types);
  static std::int64_t local_of(const Yearly& yearly, std::int64_t year);
  std::array<Change, 2> changes_in(std::int64_t year) const;
  /// The last change not after `moment`; nothing before the first.
  std::optional<Change> last_change(std::int64_t moment) const;

  std::string name_;
  std::int32_t first_offset_ = 0;
  std::vector<Change> changes_;  // ascending
  Rule rule_;
};

}  // namespace troupe
