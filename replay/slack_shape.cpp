#include "replay/slack_shape.hpp"

#include "replay/line_reader.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/json/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <set>

namespace troupe::replay {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kFileBytesMax = 64 << 20;
constexpr std::size_t kFilesMax = 1'000'000;
constexpr double kSecondsPerHour = 3600, kSecondsPerDay = 86'400;
// 1970-01-01 was a Thursday; weeks here begin on Mondays.
constexpr std::int64_t kMondayOffset = 3 * 24;

struct WeekCounts {
  std::array<double, hours_per_week> hours{};
  std::array<std::set<std::int64_t>, 7> days;
  std::uint64_t messages = 0;

  void add(std::int64_t epoch_seconds) {
    auto hour = epoch_seconds / 3600 + kMondayOffset;
    hours[static_cast<std::size_t>(hour % std::int64_t(hours_per_week))] += 1;
    days[static_cast<std::size_t>(hour / 24 % 7)].insert(hour / 24);
    ++messages;
  }
};

Result<std::string> read_day(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(Errc::input_missing, "cannot open " + path.string());
  std::string text(std::istreambuf_iterator<char>(file), {});
  if (text.size() > kFileBytesMax)
    return fail(Errc::invalid_input, fmt::format("{}: larger than {} bytes", path.string(), kFileBytesMax));
  return text;
}

Result<void> count_day(const fs::path& path, WeekCounts& counts) {
  auto text = read_day(path);
  if (!text) return std::unexpected(text.error());
  auto json = parse_json(*text);
  if (!json || !json->is_array())
    return fail(Errc::invalid_input, path.string() + ": must be a JSON array of messages");
  for (const auto& message : *json) {
    auto ts = get_string(message, "ts");
    std::int64_t seconds = 0;
    auto [end, error] = std::from_chars(ts.data(), ts.data() + ts.size(), seconds);
    if (error != std::errc() || seconds <= 0)
      return fail(Errc::invalid_input, path.string() + ": a message without a ts like \"1551757500.444300\"");
    counts.add(seconds);
  }
  return {};
}

bool is_day_file(const fs::path& path) {
  auto name = path.filename().string();
  return name.size() == 15 && name.ends_with(".json") && name[4] == '-' && name[7] == '-';
}

// Sorted, so that the first malformed file is the same one everywhere.
Result<std::vector<fs::path>> day_files(const std::string& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (is_day_file(it->path())) files.push_back(it->path());
    if (files.size() > kFilesMax) return fail(Errc::invalid_input, folder + ": too many files");
  }
  if (error) return fail(Errc::input_missing, folder + ": " + error.message());
  std::ranges::sort(files);
  return files;
}

std::uint32_t log_normal_tokens(double median, double sigma, double most, Rng& rng) {
  return static_cast<std::uint32_t>(std::clamp(median * std::exp(sigma * rng.normal()), 1.0, most));
}

}  // namespace

double WeekShape::peak_to_mean() const { return *std::ranges::max_element(share) * hours_per_week; }

Result<WeekShape> learn_shape(const std::string& folder) {
  auto files = day_files(folder);
  if (!files) return std::unexpected(files.error());
  WeekCounts counts;
  for (const auto& file : *files)
    if (auto done = count_day(file, counts); !done) return std::unexpected(done.error());
  if (counts.messages == 0)
    return fail(Errc::invalid_input, folder + ": no message in any CHANNEL/YYYY-MM-DD.json");
  WeekShape shape;
  shape.messages = counts.messages;
  double sum = 0;
  for (std::size_t hour = 0; hour < hours_per_week; ++hour) {
    auto seen = std::max<std::size_t>(counts.days[hour / 24].size(), 1);
    sum += shape.share[hour] = counts.hours[hour] / static_cast<double>(seen);
  }
  for (auto& share : shape.share) share /= sum;
  return shape;
}

Result<Lengths> Lengths::sample(TraceSource& trace, std::uint64_t seed) {
  constexpr std::size_t pairs_max = 65'536;
  Lengths lengths;
  Rng rng(seed);
  TraceRow row;
  for (std::uint64_t seen = 0;; ++seen) {
    auto got = trace.next(row);
    if (!got) return std::unexpected(got.error());
    if (!*got) break;
    std::pair pair(row.input_tokens, row.output_tokens);
    if (lengths.pairs_.size() < pairs_max) {
      lengths.pairs_.push_back(pair);
    } else if (auto place = rng.below(seen + 1); place < pairs_max) {
      lengths.pairs_[place] = pair;
    }
  }
  if (lengths.pairs_.empty()) return fail(Errc::invalid_input, "the trace for lengths holds no request");
  return lengths;
}

std::pair<std::uint32_t, std::uint32_t> Lengths::draw(Rng& rng) const {
  if (!pairs_.empty()) return pairs_[rng.below(pairs_.size())];
  auto input = log_normal_tokens(1020, 0.770, 16'000, rng);
  return {input, log_normal_tokens(129, 0.928, 2'000, rng)};
}

SyntheticTrace::SyntheticTrace(WeekShape shape, Lengths lengths, const SyntheticOptions& options)
    : shape_(shape),
      lengths_(std::move(lengths)),
      rng_(options.seed),
      per_day_(options.requests_per_day),
      end_(kSecondsPerDay * options.days) {}

// Requests per second in this hour of the week.
double SyntheticTrace::rate_at(std::size_t hour) const {
  return per_day_ * 7 * shape_.share[hour % hours_per_week] / kSecondsPerHour;
}

// An exponential gap is memoryless: what reaches past the hour is drawn again at the next hour's rate.
Result<bool> SyntheticTrace::next(TraceRow& row) {
  while (now_ < end_) {
    auto hour = static_cast<std::size_t>(now_ / kSecondsPerHour);
    double hour_end = static_cast<double>(hour + 1) * kSecondsPerHour;
    double rate = rate_at(hour);
    double then = rate > 0 ? now_ - std::log(1 - rng_.uniform()) / rate : hour_end;
    if (then >= hour_end) {
      now_ = hour_end;
      continue;
    }
    now_ = then;
    if (now_ >= end_) break;
    if (first_ < 0) first_ = now_;
    row.at = from_seconds(now_ - first_);
    std::tie(row.input_tokens, row.output_tokens) = lengths_.draw(rng_);
    row.blocks.clear();
    return true;
  }
  return false;
}

}  // namespace troupe::replay
