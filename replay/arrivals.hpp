// A trace as load: superposed on itself, dealt out to features and tenants, swollen for a while.
#pragma once

#include "replay/trace.hpp"

#include <deque>
#include <queue>

namespace troupe::replay {

/// A feature's part of the requests. Shares need not add up to 1.
struct MixPart {
  std::string feature;
  double share = 1;
};
/// Between `from` and `to` there is `factor` times as much of the feature's load (empty: of all).
struct Surge {
  std::string feature;
  double factor = 1;
  Duration from{}, to{};
};
/// `scale` N superposes N copies of the trace. Copy 0 is the trace; each further copy is the whole trace
/// shifted by a seeded time from 0 to `shift_max`, so that bursts do not fall on one another. Of the last
/// copy a fraction of a factor keeps that share of requests, drawn per request. A surge adds copies the same
/// way while it lasts.
struct LoadOptions {
  double scale = 1;
  std::uint64_t seed = 1;
  std::vector<MixPart> mix;
  std::vector<Surge> surges;
  /// Equally many requests each, by a hash.
  std::uint32_t tenants = 16;
  Duration shift_max = std::chrono::seconds(60);
};
/// Empty when sound, else what is wrong and what would be right.
std::optional<std::string> validate(const LoadOptions& options);

struct Arrival {
  Duration at{};
  /// From 1, in order of arrival.
  std::uint64_t number = 0;
  std::uint32_t input_tokens = 0, output_tokens = 0;
  /// Index into `LoadOptions::mix`; and the tenant's number.
  std::uint32_t feature = 0, tenant = 0;
  std::vector<std::uint64_t> blocks;
};

/// Holds what a trace has in `shift_max`, no more. The same seed gives the same arrivals, whoever serves
/// them. Not thread-safe.
class Arrivals {
 public:
  static constexpr double copies_max = 4096;
  Arrivals(TracePtr trace, LoadOptions options);
  /// False at the end; fails as the trace does.
  Result<bool> next(Arrival& out);

 private:
  struct Turn {
    Duration at{};
    std::uint32_t copy = 0;
    friend bool operator>(const Turn& a, const Turn& b) {
      return std::pair(a.at, a.copy) > std::pair(b.at, b.copy);
    }
  };
  Result<void> start();
  Result<bool> fetch(std::uint64_t index);
  Result<void> line_up(std::uint32_t copy);
  void forget_passed();
  double level(std::uint32_t feature, Duration at) const;
  std::uint32_t feature_of(std::uint64_t hash) const;
  bool take(const Turn& turn, Arrival& out);

  TracePtr trace_;
  LoadOptions options_;
  double share_sum_ = 0;
  bool started_ = false, ended_ = false;
  std::deque<TraceRow> rows_;
  std::uint64_t first_row_ = 0, number_ = 0;
  std::vector<Duration> shifts_;
  std::vector<std::uint64_t> cursors_;
  std::uint32_t last_copy_ = 0;  // the one with the longest shift
  std::priority_queue<Turn, std::vector<Turn>, std::greater<>> turns_;
};

}  // namespace troupe::replay
