// The shape of a week, learned from when people write: an hour-of-week rate, and requests that follow it.
#pragma once

#include "replay/trace.hpp"
#include "runtime/base/rng.hpp"

#include <array>
#include <utility>

namespace troupe::replay {

inline constexpr std::size_t hours_per_week = 168;

/// How much of a week's traffic each hour has; hour 0 begins Monday 00:00 UTC.
struct WeekShape {
  /// Sum 1.
  std::array<double, hours_per_week> share{};
  std::uint64_t messages = 0;
  double peak_to_mean() const;
};

/// Counts the messages of every CHANNEL/YYYY-MM-DD.json of a Slack export by their `ts`. A weekday that the
/// export covers more often than another counts no more: counts are divided by the days seen of each weekday.
/// invalid_input names the malformed file; also when there is no message at all.
Result<WeekShape> learn_shape(const std::string& folder);

/// Pairs of input and output tokens, drawn together so that their dependence survives.
class Lengths {
 public:
  /// Log-normals with the medians and p90s of the Azure conversation trace (1,020/2,735 in, 129/424 out),
  /// drawn independently.
  Lengths() = default;
  /// A reservoir of at most 65,536 pairs of `trace` (Vitter 1985, algorithm R).
  static Result<Lengths> sample(TraceSource& trace, std::uint64_t seed);
  std::pair<std::uint32_t, std::uint32_t> draw(Rng& rng) const;

 private:
  std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs_;
};

/// Poisson arrivals whose rate follows the shape: a synthetic composition, no recording. Weeks repeat.
class SyntheticTrace final : public TraceSource {
 public:
  SyntheticTrace(WeekShape shape, Lengths lengths, const SyntheticOptions& options);
  Result<bool> next(TraceRow& row) override;

 private:
  double rate_at(std::size_t hour) const;
  WeekShape shape_;
  Lengths lengths_;
  Rng rng_;
  double per_day_, end_;
  /// Seconds since Monday 00:00 of the first week, before the first request's time is taken off.
  double now_ = 0;
  double first_ = -1;
};

}  // namespace troupe::replay
