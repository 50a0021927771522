// Reading and writing single values.
#include "runtime/config/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>

namespace troupe::config {
namespace {

struct DurationUnit {
  std::string_view name;
  std::int64_t nanoseconds;
};
// Largest first; "ms" before "m" and "s" does not matter, because the whole rest of the text is compared.
constexpr std::array kDurationUnits = {DurationUnit{"d", 86'400'000'000'000},
                                       DurationUnit{"h", 3'600'000'000'000},
                                       DurationUnit{"m", 60'000'000'000},
                                       DurationUnit{"s", 1'000'000'000},
                                       DurationUnit{"ms", 1'000'000},
                                       DurationUnit{"us", 1'000},
                                       DurationUnit{"ns", 1}};
constexpr double kNanosecondsMax = 10.0 * 366 * 86'400e9;

std::size_t edits_between(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0u);
  for (std::size_t i = 0; i < a.size(); ++i) {
    auto diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      auto change = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({change, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

}  // namespace

std::optional<double> read_number(std::string_view text) {
  double value = 0;
  auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  bool whole = read.ec == std::errc{} && read.ptr == text.data() + text.size() && !text.empty();
  return whole && std::isfinite(value) ? std::optional(value) : std::nullopt;
}

std::optional<std::uint64_t> read_count(std::string_view text) {
  std::uint64_t value = 0;
  auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  bool whole = read.ec == std::errc{} && read.ptr == text.data() + text.size() && !text.empty();
  return whole ? std::optional(value) : std::nullopt;
}

std::string number_text(double number) { return fmt::format("{}", number); }

std::optional<Duration> read_duration(std::string_view text) {
  if (text == "0") return Duration{};
  auto digits = text.find_first_not_of("0123456789.");
  if (digits == 0 || digits == std::string_view::npos) return std::nullopt;
  auto number = read_number(text.substr(0, digits));
  auto unit = std::ranges::find(kDurationUnits, text.substr(digits), &DurationUnit::name);
  if (!number || unit == kDurationUnits.end()) return std::nullopt;
  double nanoseconds = *number * static_cast<double>(unit->nanoseconds);
  if (nanoseconds > kNanosecondsMax) return std::nullopt;
  return Duration(std::llround(nanoseconds));
}

std::string duration_text(Duration duration) {
  if (duration == Duration{}) return "0";
  for (const auto& unit : kDurationUnits) {
    if (duration.count() % unit.nanoseconds == 0)
      return fmt::format("{}{}", duration.count() / unit.nanoseconds, unit.name);
  }
  return fmt::format("{}ns", duration.count());
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
  const std::string* nearest = nullptr;
  auto fewest = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const auto& candidate : candidates) {
    // A word of a hundred letters is no misspelling of ours.
    auto edits = word.size() > 100 ? fewest : edits_between(word, candidate);
    if (edits >= fewest || edits >= candidate.size()) continue;
    fewest = edits;
    nearest = &candidate;
  }
  return nearest == nullptr ? std::string() : fmt::format("; did you mean \"{}\"?", *nearest);
}

}  // namespace troupe::config
