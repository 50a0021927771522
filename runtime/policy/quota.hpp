// Token buckets for what a provider allows: input and output tokens per minute, requests per minute, concurrency.
#pragma once

#include <troupe/time.hpp>

#include <cstdint>
#include <limits>

namespace troupe::policy {

/// Zero: unlimited.
struct QuotaPolicy {
  double input_tokens_per_minute = 0;
  double output_tokens_per_minute = 0;
  double requests_per_minute = 0;
  std::uint32_t in_flight_max = 0;
  /// Output tokens cost this many quota tokens (Bedrock burndown; WIRE 1.9).
  double output_burndown = 1;
  /// A full bucket holds this much of a minute's allowance.
  double burst_minutes = 1;
};

struct QuotaNeed {
  double input_tokens = 0;
  /// An estimate before the call, the truth when settling.
  double output_tokens = 0;
};

/// One endpoint's allowance, refilled continuously (C5). Reserve before the call, settle after it with the real
/// usage: estimate errors are corrected both ways. Not thread-safe.
class Quota {
 public:
  Quota(QuotaPolicy policy, Instant now);
  /// Would `need` fit now? Zero: yes; else how long until it would (without other use).
  Duration wait_for(const QuotaNeed& need, Instant now);
  /// Takes `need` whether it fits or not; balances may go negative.
  void reserve(const QuotaNeed& need, Instant now);
  /// The call ended: `actual` replaces `reserved`. All zeros gives everything back.
  void settle(const QuotaNeed& reserved, const QuotaNeed& actual, Instant now);
  /// Tokens available now; infinity when unlimited.
  double input_headroom(Instant now);
  double output_headroom(Instant now);
  std::uint32_t in_flight() const { return in_flight_; }

 private:
  struct Bucket {
    double per_second = 0, capacity = std::numeric_limits<double>::infinity(), level = capacity;
    Instant at;
    void refill(Instant now);
  };
  QuotaPolicy policy_;
  Bucket input_, output_, requests_;
  std::uint32_t in_flight_ = 0;
};

}  // namespace troupe::policy
