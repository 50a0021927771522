#include "runtime/base/time_zone.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace troupe {
namespace {

constexpr std::size_t kTzifBytesMax = 1u << 20;
constexpr std::size_t kTzifHead = 44;
constexpr std::int32_t kOffsetMax = 26 * 3600;
constexpr std::int64_t kDaySeconds = 86'400;

std::int64_t days_until(std::int64_t year, unsigned month, unsigned day) {
  auto date = std::chrono::year(static_cast<int>(year)) / std::chrono::month(month) / std::chrono::day(day);
  return std::chrono::sys_days(date).time_since_epoch().count();
}

std::int64_t year_of(std::int64_t moment) {
  auto day = std::chrono::floor<std::chrono::days>(std::chrono::sys_seconds(std::chrono::seconds(moment)));
  return static_cast<int>(std::chrono::year_month_day(day).year());
}

/// Big-endian numbers of a file whose length was checked before.
struct TzifBytes {
  std::string_view bytes;
  std::int64_t number(std::size_t at, std::size_t width) const {
    std::uint64_t out = 0;
    for (std::size_t i = 0; i < width; ++i) out = out << 8 | static_cast<unsigned char>(bytes[at + i]);
    return width == 8 ? static_cast<std::int64_t>(out) : static_cast<std::int32_t>(out);
  }
};

/// RFC 9636, 3.1: how many of what a block holds.
struct TzifCounts {
  std::size_t isut = 0, isstd = 0, leap = 0, time = 0, type = 0, letters = 0;
  std::size_t block_bytes(std::size_t width) const {
    return time * (width + 1) + type * 6 + letters + leap * (width + 4) + isstd + isut;
  }
};

std::optional<TzifCounts> read_counts(std::string_view bytes) {
  if (bytes.size() < kTzifHead || !bytes.starts_with("TZif") || bytes[4] < '2') return std::nullopt;
  TzifBytes data{bytes};
  std::array<std::size_t, 6> counts{};
  for (std::size_t i = 0; i < counts.size(); ++i) {
    auto count = data.number(20 + 4 * i, 4);
    if (count < 0 || count > 100'000) return std::nullopt;
    counts[i] = static_cast<std::size_t>(count);
  }
  return TzifCounts{counts[0], counts[1], counts[2], counts[3], counts[4], counts[5]};
}

bool is_zone_name(const std::string& name) {
  auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '+' || c == '/';
  };
  return !name.empty() && name.size() <= 64 && name[0] != '/' && std::ranges::all_of(name, good);
}

}  // namespace

// POSIX TZ as RFC 9636, 3.3.1 extends it: names, offsets west of Greenwich, and two yearly changes.
class TimeZone::RuleReader {
 public:
  explicit RuleReader(std::string_view text) : text_(text) {}

  std::optional<Rule> rule() {
    Rule out;
    if (!name() || !time(out.standard)) return std::nullopt;
    out.standard = -out.standard;
    if (text_.empty()) return out;
    if (!name()) return std::nullopt;
    std::int32_t daylight = -(out.standard + 3600);
    if (!text_.empty() && text_[0] != ',' && !time(daylight)) return std::nullopt;
    out.daylight = -daylight;
    bool whole = yearly(out.begins) && yearly(out.ends) && text_.empty();
    return whole ? std::optional(out) : std::nullopt;
  }

 private:
  bool take(char c) {
    if (!text_.starts_with(c)) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool name() {
    std::size_t length = 0;
    if (take('<')) {
      auto end = text_.find('>');
      if (end == std::string_view::npos) return false;
      text_.remove_prefix(end + 1);
      return true;
    }
    auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    while (length < text_.size() && letter(text_[length])) ++length;
    text_.remove_prefix(length);
    return length >= 3;
  }
  bool number(int& out, int most) {
    std::size_t length = 0;
    for (out = 0; length < text_.size() && length < 3 && text_[length] >= '0' && text_[length] <= '9';
         ++length)
      out = out * 10 + (text_[length] - '0');
    text_.remove_prefix(length);
    return length > 0 && out <= most;
  }
  /// [+-]hh[:mm[:ss]], as seconds.
  bool time(std::int32_t& out) {
    bool negative = take('-');
    if (!negative) take('+');
    int hours = 0, minutes = 0, seconds = 0;
    if (!number(hours, 167)) return false;
    if (take(':') && !number(minutes, 59)) return false;
    if (take(':') && !number(seconds, 59)) return false;
    out = (hours * 3600 + minutes * 60 + seconds) * (negative ? -1 : 1);
    return true;
  }
  bool yearly(Yearly& out) {
    if (!take(',')) return false;
    if (take('M')) {
      bool good =
          number(out.month, 12) && take('.') && number(out.week, 5) && take('.') && number(out.day, 6);
      if (!good || out.month == 0 || out.week == 0) return false;
    } else {
      out.kind = take('J') ? Yearly::Kind::day_without_leap : Yearly::Kind::day_with_leap;
      if (!number(out.day, 365)) return false;
    }
    std::int32_t seconds = 2 * 3600;
    if (take('/') && !time(seconds)) return false;
    out.seconds = seconds;
    return true;
  }

  std::string_view text_;
};

Result<TimeZone::Rule> TimeZone::read_rule(std::string_view footer) {
  if (footer.empty()) return Rule{};
  auto rule = RuleReader(footer).rule();
  if (!rule) return fail(Errc::invalid_input, "its rule for the future cannot be read");
  return *rule;
}

const char* TimeZone::read_changes(std::string_view block, std::size_t times, std::size_t types) {
  TzifBytes data{block};
  for (std::size_t i = 0; i <= times; ++i) {
    // Before the first change the first type holds (RFC 9636, 3.2).
    auto type = i == 0 ? 0 : static_cast<std::size_t>(static_cast<unsigned char>(block[times * 8 + i - 1]));
    if (type >= types) return "names a type it has not";
    auto offset = static_cast<std::int32_t>(data.number(times * 9 + type * 6, 4));
    if (offset < -kOffsetMax || offset > kOffsetMax) return "has an impossible offset";
    if (i == 0) first_offset_ = offset;
    if (i > 0) changes_.push_back({data.number((i - 1) * 8, 8), offset});
  }
  return nullptr;
}

Result<TimeZone> TimeZone::parse(std::string_view tzif, std::string name) {
  auto broken = [&](const char* what) {
    return fail(Errc::invalid_input, fmt::format("time zone {}: {}", name, what));
  };
  // The first block is of version 1, with times of four bytes, for readers of old.
  auto old = read_counts(tzif);
  if (!old || tzif.size() < kTzifHead + old->block_bytes(4))
    return broken("is no TZif of version 2 or newer");
  tzif.remove_prefix(kTzifHead + old->block_bytes(4));
  auto counts = read_counts(tzif);
  if (!counts || counts->type == 0 || tzif.size() < kTzifHead + counts->block_bytes(8) + 2)
    return broken("is cut short");
  TimeZone out(name);
  if (const char* what = out.read_changes(tzif.substr(kTzifHead), counts->time, counts->type))
    return broken(what);
  if (!std::ranges::is_sorted(out.changes_, {}, &Change::at)) return broken("is out of order");
  auto footer = tzif.substr(kTzifHead + counts->block_bytes(8));
  auto end = footer.find('\n', 1);
  if (footer[0] != '\n' || end == std::string_view::npos) return broken("has no rule for the future");
  auto rule = read_rule(footer.substr(1, end - 1));
  if (!rule) return broken(rule.error().what.c_str());
  out.rule_ = *rule;
  bool ruled = end > 1;
  if (!ruled) out.rule_.standard = out.changes_.empty() ? out.first_offset_ : out.changes_.back().offset;
  return out;
}

Result<TimeZone> TimeZone::load(const std::string& name) {
  if (name == "UTC") return utc();
  if (!is_zone_name(name))
    return fail(Errc::bad_config, fmt::format("\"{:.64}\" is no time zone; write e.g. Europe/Berlin", name));
  const char* folder = std::getenv("TZDIR");
  auto path = std::filesystem::path(folder != nullptr ? folder : "/usr/share/zoneinfo") / name;
  std::error_code unread;
  std::ifstream file(path, std::ios::binary);
  if (!std::filesystem::is_regular_file(path, unread) || !file)
    return fail(
        Errc::input_missing,
        fmt::format("there is no time zone {} here (package tzdata); write e.g. Europe/Berlin", name));
  std::string bytes(kTzifBytesMax, '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(file.gcount()));
  return parse(bytes, name);
}

std::int64_t TimeZone::local_of(const Yearly& yearly, std::int64_t year) {
  std::int64_t day = 0;
  if (yearly.kind == Yearly::Kind::month_week_day) {
    auto month = static_cast<unsigned>(yearly.month);
    auto first = days_until(year, month, 1);
    // 1970-01-01 was a Thursday. Week 5 is the last such day of the month.
    auto weekday = ((first + 4) % 7 + 7) % 7;
    day = first + (yearly.day - weekday + 7) % 7 + (yearly.week - 1) * 7;
    auto next = yearly.month == 12 ? days_until(year + 1, 1, 1) : days_until(year, month + 1, 1);
    while (day >= next) day -= 7;
  } else {
    day = days_until(year, 1, 1) + yearly.day;
    bool leap = std::chrono::year(static_cast<int>(year)).is_leap();
    // "J60" is the first of March in every year.
    if (yearly.kind == Yearly::Kind::day_without_leap) day -= leap && yearly.day >= 60 ? 0 : 1;
  }
  return day * kDaySeconds + yearly.seconds;
}

std::array<TimeZone::Change, 2> TimeZone::changes_in(std::int64_t year) const {
  Change begins{local_of(rule_.begins, year) - rule_.standard, *rule_.daylight};
  Change ends{local_of(rule_.ends, year) - *rule_.daylight, rule_.standard};
  if (begins.at < ends.at) return {begins, ends};
  return {ends, begins};
}

std::optional<TimeZone::Change> TimeZone::last_change(std::int64_t moment) const {
  auto after = std::ranges::upper_bound(changes_, moment, {}, &Change::at);
  std::optional<Change> last;
  if (after != changes_.begin()) last = *std::prev(after);
  if (after != changes_.end() || !rule_.daylight) return last;
  auto year = year_of(moment);
  for (auto each : {year - 1, year, year + 1})
    for (const auto& change : changes_in(each))
      if (change.at <= moment && (!last || change.at > last->at)) last = change;
  return last;
}

std::int32_t TimeZone::offset_at(std::int64_t moment) const {
  auto last = last_change(moment);
  if (last) return last->offset;
  return changes_.empty() ? rule_.standard : first_offset_;
}

std::int64_t TimeZone::moment_of(std::int64_t local) const {
  // Zones change by less than a day, and no more than once in two.
  auto before = offset_at(local - kDaySeconds), after = offset_at(local + kDaySeconds);
  auto first = local - std::max(before, after), second = local - std::min(before, after);
  if (offset_at(first) == local - first) return first;
  if (offset_at(second) == local - second) return second;
  // Skipped: clocks go forward between the two readings.
  auto change = last_change(second);
  return change ? change->at : second;
}

}  // namespace troupe
