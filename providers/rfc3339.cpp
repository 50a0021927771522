#include "providers/rfc3339.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>

namespace troupe::providers {
namespace {

std::optional<int> digits_at(std::string_view text, std::size_t at, std::size_t count) {
  int value = 0;
  auto piece = text.substr(std::min(at, text.size()), count);
  auto [end, error] = std::from_chars(piece.data(), piece.data() + piece.size(), value);
  bool all = error == std::errc() && end == piece.data() + count && piece.front() != '-';
  return all && piece.size() == count ? std::optional(value) : std::nullopt;
}

// "Z", "+02:00" or "-02:00", in minutes east.
std::optional<int> offset_minutes(std::string_view text) {
  if (text == "Z" || text == "z") return 0;
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return std::nullopt;
  auto hours = digits_at(text, 1, 2), minutes = digits_at(text, 4, 2);
  if (!hours || !minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  int east = *hours * 60 + *minutes;
  return text[0] == '-' ? -east : east;
}

std::string_view without_fraction(std::string_view text) {
  if (!text.starts_with('.')) return text;
  auto end = text.find_first_not_of("0123456789", 1);
  return end == 1 || end == std::string_view::npos ? std::string_view() : text.substr(end);
}

}  // namespace

std::optional<WallTime> parse_rfc3339(std::string_view text) {
  if (text.size() < 20 || text.size() > 40 || text[4] != '-' || text[7] != '-' || text[13] != ':' ||
      text[16] != ':' || (text[10] != 'T' && text[10] != 't'))
    return std::nullopt;
  auto year = digits_at(text, 0, 4), month = digits_at(text, 5, 2), day = digits_at(text, 8, 2);
  auto hour = digits_at(text, 11, 2), minute = digits_at(text, 14, 2), second = digits_at(text, 17, 2);
  auto east = offset_minutes(without_fraction(text.substr(19)));
  if (!year || !month || !day || !hour || !minute || !second || !east) return std::nullopt;
  namespace chrono = std::chrono;
  auto date = chrono::year(*year) / *month / *day;
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  auto time = chrono::sys_days(date) + chrono::hours(*hour) + chrono::minutes(*minute - *east) +
              chrono::seconds(*second);
  return WallTime{chrono::duration_cast<chrono::milliseconds>(time.time_since_epoch()).count()};
}

}  // namespace troupe::providers
