// What a replay knows of a call under way, and of its attempts.
#pragma once

#include "replay/cloud_endpoint.hpp"
#include "replay/steering.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace troupe::replay {

/// A call that a replay has begun and not ended.
struct OpenCall {
  CallView view;
  std::uint64_t number = 0, luck = 0;
  std::uint32_t generation = 0;
  Instant arrived;
  std::uint32_t output_tokens = 0;
  std::vector<std::uint64_t> blocks;
  /// Endpoints of the attempts begun, in order; and the attempts that are out.
  std::vector<std::uint32_t> tried, out;
  /// The last whole answer.
  std::uint64_t answer = 0;
  std::uint32_t endpoint = 0;
  Duration ttft{};
  /// What it would take at its feature's first endpoint were that idle and well; zero: not known yet.
  Duration calm_first{}, calm_end{};
  bool poor = false, spilled = false;
};

/// An attempt of it that is out.
struct OpenAttempt {
  std::uint64_t call = 0;
  /// The event that goes on with it; others that name its place are old. 0: the place is free.
  std::uint64_t event = 0;
  std::uint64_t id = 0;
  std::uint32_t endpoint = 0;
  Cause cause = Cause::primary;
  Instant began;
  Fate fate;
  bool content_seen = false, cancelled = false;
};

/// Tokens of its answer that were written by `now`.
inline std::uint32_t written_by(const OpenAttempt& attempt, Instant now) {
  const auto& fate = attempt.fate;
  if (!attempt.cancelled) return fate.output;
  if (!attempt.content_seen || fate.per_token <= Duration{}) return 0;
  auto tokens = (now - attempt.began - fate.first_token) / fate.per_token + 1;
  return static_cast<std::uint32_t>(std::min<std::int64_t>(tokens, fate.output));
}

}  // namespace troupe::replay
