// Whether a call is copied to a candidate, and what the copies may use: never at the primary's cost (B5).
// Pure.
#pragma once

#include <troupe/time.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace troupe::policy {

struct ShadowPolicy {
  /// Of calls; dealt by the call, so that a sample stands for all.
  double share = 0;
  /// What the copies may take together on this node, in any hour; 0: nothing is copied.
  std::uint64_t tokens_per_hour = 0;
  double usd_per_hour = 0;
  /// Copies at one time.
  std::uint32_t in_flight_max = 8;
};
/// Nothing when sound, else what is wrong and what would be right.
std::optional<std::string> validate(const ShadowPolicy& policy);

/// What is known when the primary has been sent.
struct ShadowFacts {
  /// In [0,1), uniform per call; not the draw that routing used.
  double draw = 0;
  /// Expected of the copy.
  std::uint64_t tokens = 0;
  double usd = 0;
  /// The candidate draws on a quota that primaries use too, and little of it is left.
  bool quota_short = false;
  /// The candidate may not see the data, is stopped, or is sick.
  bool barred = false;
};
enum class ShadowVerdict : std::uint8_t {
  copy,
  not_sampled,
  barred,
  quota_short,
  over_tokens,
  over_usd,
  too_many
};
const char* to_string(ShadowVerdict verdict);

/// Counts what copies take in two buckets that refill over an hour. Not thread-safe.
class Shadow {
 public:
  Shadow(ShadowPolicy policy, Instant now);
  /// `copy`: the copy may start; its expected tokens and USD are taken now and reconciled when it ends.
  ShadowVerdict decide(const ShadowFacts& facts, Instant now);
  /// A copy that was started has ended and really took so much.
  void ended(const ShadowFacts& expected, std::uint64_t tokens, double usd);
  std::uint32_t in_flight() const { return in_flight_; }

 private:
  void refill(Instant now);

  ShadowPolicy policy_;
  Instant seen_;
  double tokens_ = 0, usd_ = 0;
  std::uint32_t in_flight_ = 0;
};

}  // namespace troupe::policy
