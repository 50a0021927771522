#include "providers/retry_hint.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <string>

namespace troupe::providers {
namespace {

constexpr Duration kHintMax = std::chrono::hours(1);
constexpr double kYearSeconds = 366.0 * 86400;

std::optional<double> parse_number(std::string_view text) {
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<int> parse_digits(std::string_view text) {
  int value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.starts_with('-')) return std::nullopt;
  return value;
}

// Clamped before it becomes an integer: a provider may say 1e300.
Duration clamp_seconds(double s) {
  s = std::clamp(s, 0.0, 3600.0);
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(s));
}

std::optional<Duration> read_number(const http::Headers& headers, std::string_view name,
                                    double unit_seconds) {
  const auto* value = http::find_header(headers, name);
  auto number = value != nullptr ? parse_number(*value) : std::nullopt;
  if (!number) return std::nullopt;
  return clamp_seconds(*number * unit_seconds);
}

std::optional<Duration> read_date(const http::Headers& headers, WallTime wall) {
  const auto* value = http::find_header(headers, "retry-after");
  auto when = value != nullptr ? parse_http_date(*value) : std::nullopt;
  if (!when) return std::nullopt;
  return clamp_seconds(static_cast<double>(when->ms - wall.ms) / 1000);
}

// Seconds of one Go unit; 0 for a word that is none.
double go_unit_seconds(std::string_view unit) {
  if (unit == "h") return 3600;
  if (unit == "m") return 60;
  if (unit == "s") return 1;
  if (unit == "ms") return 1e-3;
  if (unit == "us" || unit == "\xc2\xb5s" || unit == "\xce\xbcs") return 1e-6;
  if (unit == "ns") return 1e-9;
  return 0;
}

std::optional<Duration> read_reset(const http::Headers& headers, std::string_view kind) {
  const auto* value = http::find_header(headers, "x-ratelimit-reset-" + std::string(kind));
  if (value == nullptr) return std::nullopt;
  if (auto plain = parse_number(*value))
    return *plain > 0 ? std::optional(clamp_seconds(*plain)) : std::nullopt;
  auto go = parse_go_duration(*value);
  return go ? std::optional(std::min(*go, kHintMax)) : std::nullopt;
}

bool used_up(const http::Headers& headers, std::string_view kind) {
  const auto* value = http::find_header(headers, "x-ratelimit-remaining-" + std::string(kind));
  return value != nullptr && *value == "0";
}

constexpr std::array kQuotaKinds{"requests", "tokens"};

}  // namespace

std::optional<Duration> read_retry_after(const http::Headers& headers, WallTime wall) {
  if (auto hint = read_number(headers, "retry-after-ms", 1e-3)) return hint;
  if (auto hint = read_number(headers, "retry-after", 1)) return hint;
  if (auto hint = read_date(headers, wall)) return hint;
  return read_number(headers, "x-amz-retry-after", 1e-3);
}

std::optional<Duration> read_ratelimit_reset(const http::Headers& headers) {
  bool any_used_up = std::ranges::any_of(kQuotaKinds, [&](auto kind) { return used_up(headers, kind); });
  std::optional<Duration> latest;
  for (const auto* kind : kQuotaKinds) {
    if (any_used_up && !used_up(headers, kind)) continue;
    auto reset = read_reset(headers, kind);
    if (reset && (!latest || *reset > *latest)) latest = reset;
  }
  return latest;
}

std::optional<Duration> parse_go_duration(std::string_view text) {
  double total = 0;
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    auto digits = text.find_first_not_of("0123456789.");
    if (digits == 0 || digits == std::string_view::npos) return std::nullopt;
    auto number = parse_number(text.substr(0, digits));
    text.remove_prefix(digits);
    auto unit = text.substr(0, text.find_first_of("0123456789."));
    double scale = go_unit_seconds(unit);
    if (!number || scale == 0) return std::nullopt;
    total += *number * scale;
    text.remove_prefix(unit.size());
  }
  if (total > kYearSeconds) return std::nullopt;
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(total));
}

std::optional<WallTime> parse_http_date(std::string_view text) {
  constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
  constexpr std::string_view shape = "___, __ ___ ____ __:__:__ GMT";
  if (text.size() != shape.size()) return std::nullopt;
  for (std::size_t i = 0; i < shape.size(); ++i)
    if (shape[i] != '_' && shape[i] != text[i]) return std::nullopt;
  auto month = months.find(text.substr(8, 3));
  auto day = parse_digits(text.substr(5, 2)), year = parse_digits(text.substr(12, 4));
  auto hour = parse_digits(text.substr(17, 2)), minute = parse_digits(text.substr(20, 2));
  auto second = parse_digits(text.substr(23, 2));
  if (month == std::string_view::npos || month % 3 != 0 || !day || !year || !hour || !minute || !second)
    return std::nullopt;
  namespace chrono = std::chrono;
  auto date = chrono::year(*year) / static_cast<int>(month / 3 + 1) / *day;
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  auto time =
      chrono::sys_days(date) + chrono::hours(*hour) + chrono::minutes(*minute) + chrono::seconds(*second);
  return WallTime{chrono::duration_cast<chrono::milliseconds>(time.time_since_epoch()).count()};
}

}  // namespace troupe::providers
