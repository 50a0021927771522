#include "replay/azure_trace.hpp"

#include <fmt/format.h>

#include <charconv>
#include <chrono>

namespace troupe::replay {
namespace {

constexpr std::string_view kAzureHeader = "TIMESTAMP,ContextTokens,GeneratedTokens";

template <class Number>
bool read_number(std::string_view& text, std::size_t digits, Number& out) {
  if (text.size() < digits) return false;
  auto [end, error] = std::from_chars(text.data(), text.data() + digits, out);
  if (error != std::errc() || end != text.data() + digits) return false;
  text.remove_prefix(digits);
  return true;
}

bool read_sign(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

// Digits after the point, up to nine; more are cut off.
bool read_fraction(std::string_view& text, std::int64_t& nanos) {
  nanos = 0;
  std::int64_t unit = 100'000'000;
  std::size_t digits = 0;
  for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; text.remove_prefix(1), ++digits) {
    nanos += unit * (text.front() - '0');
    unit /= 10;
  }
  return digits > 0;
}

bool read_tokens(std::string_view text, std::uint32_t& out) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size() && out <= row_tokens_max;
}

}  // namespace

std::optional<Duration> parse_timestamp(std::string_view text) {
  using namespace std::chrono;
  int y = 0;
  unsigned month_no = 0, day_no = 0, h = 0, m = 0, s = 0;
  bool whole = read_number(text, 4, y) && read_sign(text, "-") && read_number(text, 2, month_no) &&
               read_sign(text, "-") && read_number(text, 2, day_no) && read_sign(text, " T") &&
               read_number(text, 2, h) && read_sign(text, ":") && read_number(text, 2, m) &&
               read_sign(text, ":") && read_number(text, 2, s);
  year_month_day date{year(y), month(month_no), day(day_no)};
  if (!whole || !date.ok() || h > 23 || m > 59 || s > 60) return std::nullopt;
  std::int64_t nanos = 0;
  if (read_sign(text, ".") && !read_fraction(text, nanos)) return std::nullopt;
  if (!text.empty() && text != "Z" && text != "+00:00") return std::nullopt;
  return sys_days(date).time_since_epoch() + hours(h) + minutes(m) + seconds(s) + nanoseconds(nanos);
}

Result<bool> AzureTrace::next(TraceRow& row) {
  std::string_view line;
  if (!header_read_) {
    auto got = lines_.next(line);
    if (!got) return got;
    if (!*got || line != kAzureHeader)
      return lines_.wrong(fmt::format("the header must be {}", kAzureHeader));
    header_read_ = true;
  }
  do {
    auto got = lines_.next(line);
    if (!got || !*got) return got;
  } while (line.empty());
  auto first = line.find(','), second = line.rfind(',');
  if (first == std::string_view::npos || first == second)
    return lines_.wrong("three columns expected: " + std::string(kAzureHeader));
  auto time = parse_timestamp(line.substr(0, first));
  if (!time) return lines_.wrong("no time like 2031-02-03 18:15:46.2500000 in the first column");
  if (!read_tokens(line.substr(first + 1, second - first - 1), row.input_tokens) ||
      !read_tokens(line.substr(second + 1), row.output_tokens))
    return lines_.wrong(
        fmt::format("columns two and three must be token counts from 0 to {}", row_tokens_max));
  if (!first_) first_ = time;
  row.at = *time - *first_;
  if (row.at < last_) return lines_.wrong("goes back in time; sort the trace by TIMESTAMP");
  last_ = row.at;
  row.blocks.clear();
  return true;
}

}  // namespace troupe::replay
