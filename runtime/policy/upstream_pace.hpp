// The provider's own count of what is left, kept as buckets of our own: calls are paced by it before they
// would be refused (C2).
#pragma once

#include "runtime/policy/quota.hpp"
#include "runtime/policy/quota_hints.hpp"

#include <array>
#include <optional>
#include <string>

namespace troupe::policy {

struct PacingPolicy {
  /// Off: headers are not looked at; the provider's 429 is what is noticed.
  bool enabled = true;
  /// A limit the provider named holds for so long after it was last heard of, or until its reset if that is
  /// later.
  Duration hint_life = std::chrono::minutes(5);
};
/// Empty when sound, else what is wrong and what would be right.
std::optional<std::string> validate(const PacingPolicy& policy);

/// One bucket per limit the provider spoke of. They stand beside the configured ones, so a hint can only
/// tighten. Not thread-safe; allocates nothing.
class UpstreamPace {
 public:
  explicit UpstreamPace(PacingPolicy policy) : policy_(policy) {}

  /// A head arrived. `reset` is when a limit is full again (WIRE 5.3, 5.4), so between now and then the rest
  /// of it comes back evenly; without a reset the limit is one of a minute. If less was seen to come back,
  /// others use the limit too, and that is what is counted on. What is left can differ from our own count
  /// only by calls that are still in flight, since the provider may not have counted those.
  void on_hints(const QuotaHints& hints, Instant now);
  /// How long until `need` would fit, at most Quota::wait_max; zero when nothing forbids it.
  Duration wait_for(const QuotaNeed& need, Instant now) const;
  void reserve(const QuotaNeed& need, Instant now);
  /// As Quota::settle.
  void settle(const QuotaNeed& reserved, const QuotaNeed& actual, Instant now);
  /// Infinity when no hint holds.
  double input_headroom(Instant now) const;
  double output_headroom(Instant now) const;

 private:
  enum Kind { requests, tokens, input, output, kinds };
  struct Lane {
    TokenBucket bucket;
    /// What calls that end below their estimate may give back: never more than the provider said is left.
    double refundable = 0;
    Instant until{};       ///< the hint holds before
    double in_flight = 0;  ///< taken by calls that have not ended
    Instant watched;       ///< since when `left` and `drawn` are watched
    double left = 0, drawn = 0;

    void take(double amount, Instant now);
    double rate(double promised, double left_now, double limit, bool fresh, Instant now);
  };
  using Draw = std::array<double, kinds>;
  static Draw draw_of(const QuotaNeed& need);
  void note(Lane& lane, const LimitHint& hint, Instant now) const;
  double headroom(Kind own, Instant now) const;

  PacingPolicy policy_;
  std::array<Lane, kinds> lanes_;
};

}  // namespace troupe::policy
