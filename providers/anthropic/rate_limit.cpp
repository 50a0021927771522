#include "providers/anthropic/rate_limit.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <string>

namespace troupe::providers::anthropic {
namespace {

constexpr std::array<std::string_view, 6> kLimits{
    "anthropic-ratelimit-requests-",     "anthropic-ratelimit-tokens-",
    "anthropic-ratelimit-input-tokens-", "anthropic-ratelimit-output-tokens-",
    "anthropic-priority-input-tokens-",  "anthropic-priority-output-tokens-"};

Duration until(WallTime when, WallTime wall) {
  constexpr std::int64_t hour_ms = 3'600'000;
  return std::chrono::milliseconds(std::clamp<std::int64_t>(when.ms - wall.ms, 0, hour_ms));
}

// Does `text` look like `shape`, where '0' stands for a digit and anything else for itself?
bool has_shape(std::string_view text, std::string_view shape) {
  if (text.size() != shape.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    bool fits = shape[i] == '0' ? text[i] >= '0' && text[i] <= '9' : text[i] == shape[i];
    if (!fits) return false;
  }
  return true;
}

int digits_at(std::string_view text, std::size_t at, std::size_t length) {
  int value = 0;
  std::from_chars(text.data() + at, text.data() + at + length, value);
  return value;
}

// "2026-12-01T00:00:00".
std::optional<WallTime> parse_date_time(std::string_view text) {
  if (!has_shape(text, "0000-00-00T00:00:00")) return std::nullopt;
  namespace chrono = std::chrono;
  auto date = chrono::year(digits_at(text, 0, 4)) / digits_at(text, 5, 2) / digits_at(text, 8, 2);
  int hour = digits_at(text, 11, 2), minute = digits_at(text, 14, 2), second = digits_at(text, 17, 2);
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  auto time =
      chrono::sys_days(date) + chrono::hours(hour) + chrono::minutes(minute) + chrono::seconds(second);
  return WallTime{chrono::duration_cast<chrono::milliseconds>(time.time_since_epoch()).count()};
}

// Milliseconds east of UTC: "Z", "+02:00", "-05:30".
std::optional<std::int64_t> parse_offset(std::string_view text) {
  if (text == "Z" || text == "z") return 0;
  bool east = has_shape(text, "+00:00");
  if (!east && !has_shape(text, "-00:00")) return std::nullopt;
  std::int64_t minutes = digits_at(text, 1, 2) * 60 + digits_at(text, 4, 2);
  return (east ? minutes : -minutes) * 60'000;
}

bool is_used_up(const http::Headers& headers, std::string_view limit) {
  const auto* value = http::find_header(headers, std::string(limit) + "remaining");
  return value != nullptr && *value == "0";
}

}  // namespace

std::optional<WallTime> parse_rfc3339(std::string_view text) {
  constexpr std::size_t date_time_size = 19;
  if (text.size() <= date_time_size) return std::nullopt;
  auto when = parse_date_time(text.substr(0, date_time_size));
  text.remove_prefix(date_time_size);
  if (text.front() == '.') {
    auto end = text.find_first_not_of("0123456789", 1);
    if (end == 1 || end == std::string_view::npos) return std::nullopt;
    text.remove_prefix(end);
  }
  auto offset = parse_offset(text);
  if (!when || !offset) return std::nullopt;
  return WallTime{when->ms - *offset};
}

std::optional<Duration> read_limit_reset(const http::Headers& headers, WallTime wall) {
  bool any_used_up = std::ranges::any_of(kLimits, [&](auto limit) { return is_used_up(headers, limit); });
  std::optional<Duration> latest;
  for (auto limit : kLimits) {
    const auto* value = http::find_header(headers, std::string(limit) + "reset");
    auto when = value != nullptr ? parse_rfc3339(*value) : std::nullopt;
    if (!when || (any_used_up && !is_used_up(headers, limit))) continue;
    auto wait = until(*when, wall);
    if (!latest || wait > *latest) latest = wait;
  }
  return latest;
}

std::optional<Duration> read_regain_date(std::string_view message, WallTime wall) {
  constexpr std::string_view before = "regain access on ";
  auto at = message.find(before);
  if (at == std::string_view::npos) return std::nullopt;
  auto text = message.substr(at + before.size(), std::string_view("2026-12-01 at 00:00 UTC").size());
  if (!has_shape(text, "0000-00-00 at 00:00 UTC")) return std::nullopt;
  auto when =
      parse_date_time(std::string(text.substr(0, 10)) + "T" + std::string(text.substr(14, 5)) + ":00");
  return when ? std::optional(until(*when, wall)) : std::nullopt;
}

}  // namespace troupe::providers::anthropic
