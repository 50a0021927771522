// Which of an endpoint's scheduled faults strike a given call.
#pragma once

#include "runtime/base/rng.hpp"
#include "runtime/config/simulator_config.hpp"

#include <troupe/error.hpp>
#include <troupe/time.hpp>

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace troupe::providers::simulator {

/// What strikes one call. Of several that would refuse it, or break it, the first in the schedule does;
/// slowness and lateness add up.
struct Struck {
  /// down, half_open, throttle, errors, unavailable or model_error.
  std::optional<config::Fault> refusal;
  /// in_stream_error, cut, stall, malformed or truncated.
  std::optional<config::Fault> breakage;
  double slow = 1;
  /// Of the first token, and of the response head.
  Duration late{}, head_late{};
};

/// The call a schedule is looked at for.
struct CallFacts {
  /// The simulator's age.
  Duration since_start{};
  /// The endpoint's own call number, from 1.
  std::uint64_t number = 1;
  std::string_view model;
};

/// Each fault with a share below one takes one draw, active or not, so that schedules do not disturb each
/// other. Pure.
Struck strike(const std::vector<config::Fault>& schedule, const CallFacts& call, Rng& rng);

/// The refusal as an error of the common vocabulary, with the hint when the fault gives one; nothing for
/// `down` and `half_open`, which answer nothing.
std::optional<Error> refusal_error(const config::Fault& fault);

}  // namespace troupe::providers::simulator
