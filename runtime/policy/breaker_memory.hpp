// What a breaker takes along over a restart, so that a restart is no free pass (F13).
#pragma once

#include "runtime/policy/health.hpp"

#include <troupe/time.hpp>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::policy {

/// What is normal for an endpoint. Latencies in seconds; 0: not known.
struct HealthyFigures {
  double ttft_p90 = 0, itl_p90 = 0, total_p90 = 0;
  /// Share of outcomes that fail or are over a limit.
  double bad_share = 0;
  friend bool operator==(const HealthyFigures&, const HealthyFigures&) = default;
};

/// Spans of time, no instants: those mean nothing in another process.
struct BreakerMemory {
  /// What the endpoint stood for (`target_hash`); 0: not known.
  std::uint64_t target = 0;
  BreakerState state = BreakerState::closed;
  TripReason reason = TripReason::none;
  /// Open: since when, and how much longer.
  Duration open_for{}, cool_left{};
  /// An operator's order holds for so much longer (F13); zero: none.
  Duration held_left{};
  /// Partial: which stage, and the outcomes of the ramp so far.
  std::size_t stage = 0, ramp_seen = 0, ramp_bad = 0;
  std::size_t relapses = 0;
  /// Since it last recovered; nothing: never.
  std::optional<Duration> recovered_for;
  /// It opened because of feedback, and feedback has not said it is well.
  bool feedback_trial = false;
  /// It opened because of slowness, and has not failed since.
  bool only_slow = false;
  /// It opened because calls hung, and the trial has not refuted that this share of them still does; 0: no.
  double stall_trial = 0;
  HealthyFigures healthy;
  double healthy_feedback = 0;
  /// Evidence that it works (Proof::evidence).
  double proof = 0;
  friend bool operator==(const BreakerMemory&, const BreakerMemory&) = default;
};

/// Which provider and model stand behind an endpoint, in words that say so, as a number that is never 0.
std::uint64_t target_hash(std::initializer_list<std::string_view> words);
/// What is left `away` later when something else stands behind the endpoint: an operator's order, if it still
/// holds, with the state it holds. What was learned, proven or found sick was the other's.
BreakerMemory orders_alone(const BreakerMemory& memory, Duration away);

/// One line of "name=value" words, for a journal's column.
std::string to_text(const BreakerMemory& memory);
/// The inverse. Nothing when it is not such a line; words it does not know are passed over.
std::optional<BreakerMemory> breaker_memory(std::string_view text);

}  // namespace troupe::policy
