// One JSON record a line, and what its times mean.
#include "agents/summary/read_window.hpp"
#include "runtime/json/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <set>
#include <tuple>

namespace troupe::summary {
namespace {

constexpr std::size_t kProblemsNamed = 20;
constexpr std::int64_t kSecondsMax = 253'402'300'800;  // the year 10000

std::optional<int> digits(std::string_view text, std::size_t at, std::size_t count) {
  if (at + count > text.size()) return std::nullopt;
  int value = 0;
  auto [end, error] = std::from_chars(text.data() + at, text.data() + at + count, value);
  bool plain = std::ranges::all_of(text.substr(at, count), [](char c) { return c >= '0' && c <= '9'; });
  if (!plain || error != std::errc{} || end != text.data() + at + count) return std::nullopt;
  return value;
}

// What stands after the seconds: a fraction, then Z, an offset or nothing.
std::optional<std::int64_t> offset_ms(std::string_view rest) {
  if (rest.starts_with('.')) {
    auto end = rest.find_first_not_of("0123456789", 1);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end);
  }
  if (rest.empty() || rest == "Z") return 0;
  auto hours = digits(rest, 1, 2);
  auto minutes = digits(rest, rest.size() == 6 ? 4 : 3, 2);
  bool shape = rest.size() == 5 || (rest.size() == 6 && rest[3] == ':');
  if (!shape || (rest[0] != '+' && rest[0] != '-') || !hours || !minutes) return std::nullopt;
  std::int64_t ms = (*hours * 60 + *minutes) * 60'000ll;
  return rest[0] == '+' ? ms : -ms;
}

std::optional<WallTime> calendar_moment(std::string_view text) {
  auto year = digits(text, 0, 4);
  auto month = digits(text, 5, 2);
  auto day = digits(text, 8, 2);
  if (!year || !month || !day || text[4] != '-' || text[7] != '-') return std::nullopt;
  std::chrono::year_month_day date{std::chrono::year{*year},
                                   std::chrono::month(static_cast<unsigned>(*month)),
                                   std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  std::int64_t ms = std::chrono::sys_days(date).time_since_epoch().count() * 86'400'000ll;
  if (text.size() == 10) return WallTime{ms};
  auto hour = digits(text, 11, 2);
  auto minute = digits(text, 14, 2);
  auto second = digits(text, 17, 2);
  if (!hour || !minute || !second || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  auto offset = offset_ms(text.substr(19));
  if (!offset) return std::nullopt;
  return WallTime{ms + ((*hour * 60ll + *minute) * 60 + *second) * 1000 - *offset};
}

std::optional<WallTime> moment_of(const Json& record) {
  const auto* at = find(record, "at");
  if (at == nullptr) return std::nullopt;
  if (at->is_string()) return parse_moment(at->get<std::string>());
  if (!at->is_number()) return std::nullopt;
  auto seconds = at->get<double>();
  if (!(std::abs(seconds) < static_cast<double>(kSecondsMax))) return std::nullopt;
  return WallTime{static_cast<std::int64_t>(std::llround(seconds * 1000))};
}

// Numbers are ids too.
std::string name_of(const Json& record, const char* key) {
  const auto* value = find(record, key);
  if (value == nullptr) return {};
  if (value->is_number_integer()) return std::to_string(value->get<std::int64_t>());
  return get_string(record, key).substr(0, 200);
}

class JsonlReading {
 public:
  JsonlReading(std::string_view file, const SummaryInput& input) : file_(file), input_(input) {
    window_.name = std::string(file);
    if (auto from = parse_moment(input.from)) from_ms_ = from->ms;
    if (auto to = parse_moment(input.to)) to_ms_ = to->ms + 86'399'999;
    bounded_ = !input.from.empty() || !input.to.empty();
  }

  void add(std::string_view text, std::size_t number) {
    if (text.find_first_not_of(" \t\r") == std::string_view::npos) return;
    if (text.size() > input_.record_bytes_max)
      return complain(number, fmt::format("is longer than {} bytes", input_.record_bytes_max));
    auto record = parse_json(text);
    if (!record) return complain(number, record.error().what);
    if (!record->is_object()) return complain(number, "is no JSON object");
    Line line{.id = name_of(*record, "id"),
              .who = name_of(*record, "who"),
              .text = get_string(*record, "text"),
              .at = moment_of(*record),
              .thread = name_of(*record, "thread"),
              .reply_to = name_of(*record, "reply_to")};
    if (line.text.empty()) return complain(number, "has no text");
    if (line.id.empty()) line.id = fmt::format("L{}", number);
    bool inside = !bounded_ || (line.at && line.at->ms >= from_ms_ && line.at->ms <= to_ms_);
    if (inside) window_.lines.push_back(std::move(line));
  }

  Window finish() {
    sort_lines();
    drop_doubles();
    if (unnamed_ > 0)
      window_.problems.push_back(
          {std::string(file_), fmt::format("{} more lines could not be used", unnamed_)});
    return std::move(window_);
  }

 private:
  void complain(std::size_t number, std::string reason) {
    if (window_.problems.size() >= kProblemsNamed) return void(++unnamed_);
    window_.problems.push_back({fmt::format("{}:{}", file_, number), std::move(reason)});
  }

  // Lines without a time stay where they stand; only when all have one can their order be known.
  void sort_lines() {
    if (!std::ranges::all_of(window_.lines, [](const Line& line) { return line.at.has_value(); })) return;
    std::ranges::stable_sort(window_.lines, {}, [](const Line& line) {
      return std::tuple<std::int64_t, std::string_view, std::string_view, std::string_view>(
          line.at->ms, line.id, line.who, line.text);
    });
  }

  void drop_doubles() {
    std::set<std::string> known;
    auto before = window_.lines.size();
    std::erase_if(window_.lines, [&](const Line& line) { return !known.insert(line.id).second; });
    auto doubles = before - window_.lines.size();
    if (doubles > 0)
      window_.problems.push_back(
          {std::string(file_), fmt::format("{} lines have the id of another and were left out", doubles)});
  }

  std::string_view file_;
  const SummaryInput& input_;
  Window window_;
  std::int64_t from_ms_ = INT64_MIN, to_ms_ = INT64_MAX;
  bool bounded_ = false;
  std::size_t unnamed_ = 0;
};

}  // namespace

std::optional<WallTime> parse_moment(std::string_view text) {
  if (text.size() >= 10 && text.size() <= 40 && text[4] == '-') return calendar_moment(text);
  auto point = text.find('.');
  auto whole = text.substr(0, point);
  std::int64_t seconds = 0;
  auto [end, error] = std::from_chars(whole.data(), whole.data() + whole.size(), seconds);
  if (whole.empty() || error != std::errc{} || end != whole.data() + whole.size()) return std::nullopt;
  if (seconds < 0 || seconds > kSecondsMax) return std::nullopt;
  if (point == std::string_view::npos) return WallTime{seconds * 1000};
  auto fraction = std::string(text.substr(point + 1, 3));
  fraction.resize(3, '0');
  auto ms = digits(fraction, 0, 3);
  if (!ms) return std::nullopt;
  return WallTime{seconds * 1000 + *ms};
}

Window read_jsonl_window(std::string_view text, std::string_view file, const SummaryInput& input) {
  JsonlReading reading(file, input);
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  for (std::size_t number = 1; !text.empty(); ++number) {
    auto end = text.find('\n');
    reading.add(text.substr(0, end), number);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  }
  return reading.finish();
}

}  // namespace troupe::summary
