// An endpoint's own limits joined: what it may be asked now, and what it carries. The live endpoint and the
// replay's model of one use this class unchanged (C2, C4, C5, F12). Pure.
#pragma once

#include "runtime/policy/adaptive_limit.hpp"
#include "runtime/policy/output_estimate.hpp"
#include "runtime/policy/quota.hpp"
#include "runtime/policy/upstream_pace.hpp"

#include <troupe/error.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace troupe::policy {

/// When an endpoint that was left for lack of tokens is returned to (C4). For capacity one would rather use:
/// where calls are spilled to they have nowhere else to go.
struct SpillPolicy {
  /// Off: as soon as the next call fits, which at a load near the limit is at every other call.
  bool hysteresis = true;
  /// Returned to when there is room for the call that was turned away so many times over,
  double return_factor = 4;
  /// and for what this time brings. What comes back meanwhile stays in the bucket and is used later, so
  /// waiting costs no capacity.
  Duration return_refill = std::chrono::seconds(2);
};
/// Empty when sound, else what is wrong and what would be right.
std::optional<std::string> validate(const SpillPolicy& policy);

struct GuardPolicy {
  QuotaPolicy quota;
  EstimatePolicy estimate;
  SpillPolicy spill;
  PacingPolicy pacing;
  ConcurrencyPolicy concurrency;
};
/// Of the parts besides `quota`, named as options are: "spill: ...".
std::optional<std::string> validate(const GuardPolicy& policy);

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
  /// As given to `need_of`: what was written is learned for it. Zero: nothing is.
  std::uint64_t workload = 0;
};

/// One endpoint's admission. Every admitted need is given back once with `ended`. Not thread-safe; allocates
/// only for a workload never seen before.
class EndpointGuard {
 public:
  EndpointGuard(GuardPolicy policy, Instant now);

  /// The need of a call, its output estimated from calls alike (C2). `workload`: any stable number, such as
  /// a hash of the feature's name.
  QuotaNeed need_of(std::uint64_t workload, double input_tokens, double output_tokens_max) const;

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
  /// A head arrived that speaks of the provider's own limits.
  void on_hints(const QuotaHints& hints, Instant now) { pace_.on_hints(hints, now); }
  /// While the endpoint is left for lack of tokens, its headroom is none.
  Load load(Instant now) const;

 private:
  void note_throttle(const AttemptEnd& end, WallTime wall);
  Duration ease_wait(Instant now) const;

  GuardPolicy policy_;
  Quota quota_;
  UpstreamPace pace_;
  AdaptiveLimit limit_;
  OutputEstimator estimator_;
  /// The need it was left for, until it is returned to.
  std::optional<QuotaNeed> left_for_;
  WallTime throttled_until_;
};

}  // namespace troupe::policy
