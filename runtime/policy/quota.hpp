// Token buckets for what a provider allows: input and output tokens per minute, requests per minute,
// concurrency.
#pragma once

#include "runtime/policy/token_bucket.hpp"

#include <troupe/time.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace troupe::policy {

/// Zero: unlimited. Tokens are the provider's quota tokens.
struct QuotaPolicy {
  double input_tokens_per_minute = 0;
  double output_tokens_per_minute = 0;
  double requests_per_minute = 0;
  std::uint32_t in_flight_max = 0;
  /// Output tokens cost this many quota tokens (Bedrock burndown; WIRE 1.9).
  double output_burndown = 1;
  /// One bucket for both: output draws on input_tokens_per_minute (Bedrock on-demand; WIRE 1.9).
  bool output_from_input = false;
  /// The provider itself reserves all that the request allows and settles afterwards (Bedrock on-demand,
  /// Azure; WIRE 1.9, 5.5), so an estimate of ours must not promise more. The pages differ on whether the
  /// burndown applies to what is reserved; we take it that it does.
  bool reserve_output_max = false;
  /// A full bucket holds this much of a minute's allowance.
  double burst_minutes = 1;
};
/// Empty when sound, else what is wrong and what would be right.
std::optional<std::string> validate(const QuotaPolicy& policy);

/// Negative and non-finite needs count as zero.
struct QuotaNeed {
  double input_tokens = 0;
  /// An estimate before the call, the truth when settling.
  double output_tokens = 0;
  /// What the request allows at most; counts only with reserve_output_max. Zero: as output_tokens.
  double output_tokens_max = 0;
};

/// One endpoint's allowance, refilled continuously (C5). Reserve before the call, settle after it with the
/// real usage: estimate errors are corrected both ways. Not thread-safe.
class Quota {
 public:
  /// Answered by `wait_for` when only the end of a call in flight can help: ask again then. Longer than any
  /// refill this class answers.
  static constexpr Duration wait_max = std::chrono::hours(1);

  /// Buckets start full.
  Quota(QuotaPolicy policy, Instant now);
  /// Would `need` fit now? Zero: yes; else how long until it would (without other use), at most wait_max. A
  /// need larger than a full bucket fits when the bucket is full, or it could never be served at all.
  Duration wait_for(const QuotaNeed& need, Instant now) const;
  /// How long until the token buckets hold `need` `factor` times over, and at least what `refill` brings: a
  /// quarter of a bucket at most, unless `need` is more. What was left for lack of tokens is worth returning
  /// to then (C4).
  Duration wait_for_ease(const QuotaNeed& need, double factor, Duration refill, Instant now) const;
  /// Takes `need` whether it fits or not; balances may go negative.
  void reserve(const QuotaNeed& need, Instant now);
  /// The call ended: `actual` replaces `reserved`. All zeros gives everything back, the request too.
  void settle(const QuotaNeed& reserved, const QuotaNeed& actual, Instant now);
  /// Tokens available now, of the need's kind (burndown taken out); infinity when unlimited, negative when
  /// over.
  double input_headroom(Instant now) const;
  double output_headroom(Instant now) const;
  std::uint32_t in_flight() const { return in_flight_; }

 private:
  struct Draw {
    double input = 0, output = 0;
  };
  Draw draw_of(const QuotaNeed& need) const;
  void take(const Draw& draw, double requests, Instant now);

  QuotaPolicy policy_;
  TokenBucket input_, output_, requests_;
  std::uint32_t in_flight_ = 0;
};

}  // namespace troupe::policy
