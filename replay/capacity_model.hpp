// Who is admitted by a modelled cloud: the laws of the HTTP simulator (docs/SIMULATOR.md), as numbers alone.
#pragma once

#include "runtime/config/simulator_config.hpp"
#include "runtime/policy/quota.hpp"

#include <troupe/error.hpp>

#include <optional>
#include <vector>

namespace troupe::replay {

/// Tokens of one call. `cached` is what the cloud already knows of the prompt and not part of `input`.
struct CapacityNeed {
  double input = 0, cached = 0, output_max = 0;
};
struct CapacityUse {
  double input = 0, cached = 0, output = 0;
};
/// What an admitted call holds until it ends.
struct CapacityHold {
  CapacityNeed need;
  double taken = 0;
  bool pooled = false;
};
/// Told to go away.
struct CapacityRefusal {
  Errc code = Errc::rate_limited;
  std::optional<Duration> retry_after;
};

/// One endpoint's law. Same decisions as providers/simulator's Capacity (tests/replay/capacity_law_test.cpp
/// compares them call by call), without text and allocation. Not thread-safe.
class CapacityModel {
 public:
  CapacityModel(const config::SimulatedCapacity& capacity, const policy::QuotaPolicy& limits, Instant now);
  std::optional<CapacityRefusal> admit(const CapacityNeed& need, Instant now, CapacityHold& hold);
  void settle(const CapacityHold& hold, const CapacityUse& used, Instant now);

 private:
  struct Flow {
    double capacity = 0, level = 0;
    Instant at;
    double refill(double per_second, Instant now);
    void give(double amount);
  };
  std::optional<CapacityRefusal> admit_limits(CapacityHold& hold, Instant now);
  std::optional<CapacityRefusal> admit_on_demand(CapacityHold& hold, Instant now);
  std::optional<CapacityRefusal> admit_provisioned(CapacityHold& hold, Instant now);
  std::optional<CapacityRefusal> admit_vertex(CapacityHold& hold, Instant now);
  std::optional<CapacityRefusal> admit_pool(CapacityHold& hold, Instant now);
  std::optional<CapacityRefusal> admit_instances(CapacityHold& hold, Instant now);
  void settle_vertex(const CapacityHold& hold, const CapacityUse& used, Instant now);
  double pool_rate(Instant now) const;

  config::SimulatedCapacity capacity_;
  Instant started_;
  policy::Quota limits_, second_;  ///< second: the day's tokens, or the model units
  Flow provisioned_, pool_;
  double output_guess_ = 256;
  std::uint64_t in_flight_ = 0;
};

}  // namespace troupe::replay
