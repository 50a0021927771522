// An endpoint's own limits joined: what it may be asked now, and what it carries. The live endpoint and the
// replay's model of one use this class unchanged (C2, C4, C5, F12). Pure.
#pragma once

#include "runtime/policy/quota.hpp"

#include <troupe/error.hpp>

#include <cstdint>
#include <optional>

namespace troupe::policy {

/// Empty parts limit nothing.
struct GuardPolicy {
  QuotaPolicy quota;
};

/// What an endpoint carries right now.
struct Load {
  std::uint32_t in_flight = 0, in_flight_max = 0;
  double input_headroom = 1e18, output_headroom = 1e18;
  WallTime throttled_until;
};

/// How an attempt ended, as far as capacity is concerned.
struct AttemptEnd {
  /// What the provider counted; all zeros: the call was never made.
  QuotaNeed actual;
  std::optional<Errc> error;
  /// The provider's hint beside a throttle.
  std::optional<Duration> retry_after;
  /// Zero: not known.
  Duration ttft{}, total{};
};

/// One endpoint's admission. Every admitted need is given back once with `ended`. Not thread-safe; allocates
/// nothing after construction.
class EndpointGuard {
 public:
  EndpointGuard(GuardPolicy policy, Instant now);

  struct Admission {
    bool admitted = false;
    /// When refused: how long until it could fit, without other use. Nothing: nobody knows, since only the
    /// end of a call in flight can help.
    std::optional<Duration> wait;
  };
  /// Takes `need` when there is room for it under every limit, or says how long that may last (C2).
  Admission admit(const QuotaNeed& need, Instant now);
  /// The admitted `reserved` is over: the truth replaces the estimate (C5), and a throttle is remembered for
  /// as long as the provider asks, or a second.
  void ended(const QuotaNeed& reserved, const AttemptEnd& end, Instant now, WallTime wall);
  Load load(Instant now) const;

 private:
  void note_throttle(const AttemptEnd& end, WallTime wall);

  GuardPolicy policy_;
  Quota quota_;
  WallTime throttled_until_;
};

}  // namespace troupe::policy
