// The virtual clock: arrivals, attempts and timers in order of time, one policy at a time.
#pragma once

#include "replay/arrivals.hpp"
#include "replay/cloud_endpoint.hpp"
#include "replay/measure.hpp"

#include <functional>
#include <memory>

namespace troupe::replay {

/// Every replay begins at this moment of both clocks. Not zero, so that nobody takes it for "never".
inline constexpr Instant replay_start{std::chrono::hours(1)};
inline constexpr WallTime replay_wall{1'700'000'000'000};

/// How the calls stand at a moment.
struct StandingCounts {
  std::uint64_t offered = 0, served = 0, refused = 0, expired = 0, failed = 0, open = 0, waiting = 0;
};

struct DriverOptions {
  std::uint64_t seed = 1;
  /// What callers allow an answer to write: this or the recorded answer's length, whichever is more. Nobody
  /// knows the length before.
  std::uint32_t output_tokens_max = 1024;
  /// Share of served answers that a customer rates, and how often a good and a poor one is liked.
  double feedback_share = 0.1, good_liked = 0.9, poor_liked = 0.3;
  /// Called at every second of virtual time, after the conservation law was checked; for tests.
  std::function<void(Duration at, const StandingCounts&)> on_second;
};

/// One policy over one load. Owns the clouds' state, so that every policy starts with fresh ones.
class Driver {
 public:
  /// `features` names the mix, index by index; each is one of clouds.config.features.
  Driver(const Clouds& clouds, std::vector<std::string> features, DriverOptions options);
  /// To the end of the arrivals and of all calls. `length`: of the trace, for the time series' grid. Fails as
  /// the trace does, and with `internal` when the conservation law (C3) does not hold at some second: offered
  /// = served + refused + expired + failed + open.
  Result<PolicyResult> run(Arrivals& arrivals, Steering& steering, Duration length);

 private:
  struct Run;
  const Clouds* clouds_;
  std::vector<std::string> features_;
  DriverOptions options_;
};

}  // namespace troupe::replay
