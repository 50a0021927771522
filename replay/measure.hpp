// What a replay counts, in memory that does not grow with the trace.
#pragma once

#include "replay/clouds.hpp"
#include "replay/steering.hpp"
#include "runtime/policy/latency_sketch.hpp"

#include <array>
#include <optional>
#include <vector>

namespace troupe::replay {

inline constexpr std::size_t causes = static_cast<std::size_t>(Cause::judge) + 1;

struct Quantiles {
  double p50 = 0, p90 = 0, p99 = 0;
};
Quantiles quantiles_of(const policy::LatencySketch& sketch);

/// One stretch of the time series: calls by when they ended, arrivals by when they came.
struct SeriesPoint {
  /// Its beginning, since the replay's start, in seconds.
  double at = 0;
  std::uint64_t offered = 0, served = 0, refused = 0, expired = 0, failed = 0, slow = 0, spilled = 0;
  std::uint64_t waiting = 0, open = 0;
  Quantiles ttft, total;
  double usd = 0;
  /// By endpoint: attempts begun, tokens, and the share its breaker admitted at the end of the stretch.
  struct Endpoint {
    std::uint64_t attempts = 0, failures = 0;
    double tokens = 0, share = 1;
  };
  std::vector<Endpoint> endpoints;
};

struct EndpointTotals {
  std::uint64_t attempts = 0, failures = 0, throttled = 0;
  double input = 0, cached = 0, output = 0, usd = 0;
};

struct FeatureTotals {
  std::uint64_t offered = 0, served = 0, refused = 0, expired = 0, failed = 0, slow = 0;
  policy::LatencySketch ttft, total;
};

/// What became of one planned incident. "User-visible" are calls that arrived while it lasted.
struct IncidentResult {
  std::uint64_t requests = 0, failed = 0, slow = 0;
  /// Attempts begun at the sick endpoints while it lasted, of these the first attempts of their calls; and
  /// those begun once it had been detected.
  std::uint64_t sick_attempts = 0, sick_primary = 0, sick_after_detection = 0, requests_after_detection = 0;
  /// Seconds from its beginning to the first opening of a sick endpoint's breaker; from its end to all of
  /// them closed again. Absent: never.
  std::optional<double> detected, recovered;
  /// Openings of breakers at well endpoints meanwhile (F12).
  std::uint64_t backups_tripped = 0;
};

struct PolicyResult {
  std::string policy;
  std::uint64_t offered = 0, served = 0, refused = 0, expired = 0, failed = 0, attempts = 0;
  /// Served, but its first or last token came later than twice what the healthy, idle first endpoint would
  /// have needed for this very call, plus a second. And answers that were useless (poor_quality).
  std::uint64_t slow = 0, poor = 0;
  std::uint64_t spilled = 0;
  policy::LatencySketch ttft, total;
  std::array<double, causes> usd_by_cause{};
  std::array<std::uint64_t, causes> attempts_by_cause{};
  /// Of the reserved allowance from the first arrival to the last: the larger of input and output; 0 without
  /// reserved endpoints.
  double reserved_use = 0;
  /// What reserved endpoints cost by the hour from the first arrival to the last, used or not.
  double usd_reserved = 0;
  std::vector<EndpointTotals> endpoints;
  std::vector<FeatureTotals> features;
  std::vector<SeriesPoint> series;
  std::vector<BreakerMove> moves;
  std::uint64_t moves_dropped = 0, trips = 0;
  std::vector<IncidentResult> incidents;
  std::uint64_t open_most = 0, waiting_most = 0;
  double virtual_seconds = 0, wall_seconds = 0;
  /// Hash of every call's ending, endpoint and times, in order: equal runs have equal ones.
  std::uint64_t digest = 0;
};

/// A call that ended.
struct CallOutcome {
  std::uint64_t number = 0;
  std::uint32_t feature = 0, endpoint = 0;
  CallEnding ending = CallEnding::served;
  bool slow = false, poor = false, spilled = false;
  Duration arrived{}, ttft{}, total{};
};

/// Not thread-safe. Times since the replay's start.
class Measure {
 public:
  static constexpr std::size_t series_max = 240, moves_max = 2000;
  Measure(const Clouds& clouds, std::size_t features, Duration length);
  void offered(std::uint32_t feature, Duration at);
  void attempt_began(std::uint32_t endpoint, Cause cause, bool first, Duration at);
  void attempt_ended(const AttemptFact& fact, Cause cause, double usd);
  void call_ended(const CallOutcome& outcome);
  void moved(const BreakerMove& move, Duration at);
  /// The state of the world at a moment; called at least once a second of virtual time.
  void observe(Duration at, const Steering& steering);
  PolicyResult finish(Duration last_arrival);

 private:
  void close_point(const Steering* steering);
  template <class Act>
  void during(Duration at, Act&& act);
  double reserved_use(Duration length) const;
  double usd_reserved(Duration length) const;

  const Clouds* clouds_;
  PolicyResult result_;
  Duration step_;
  SeriesPoint point_;
  policy::LatencySketch ttft_, total_;
  std::vector<bool> closed_;
};

}  // namespace troupe::replay
