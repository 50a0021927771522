// Which of an endpoint's scheduled faults strike a given call.
#pragma once

#include "runtime/base/rng.hpp"
#include "runtime/config/simulator_config.hpp"

#include <troupe/error.hpp>
#include <troupe/time.hpp>

#include <cstdint>
#include <optional>
#include <vector>

namespace troupe::providers::simulator {

/// What strikes one call. Of several that would refuse it, or break it, the first in the schedule does;
/// slowness and lateness add up.
struct Struck {
  /// down, throttle, errors or unavailable.
  std::optional<config::Fault> refusal;
  /// cut, stall, malformed or truncated.
  std::optional<config::FaultKind> breakage;
  double slow = 1;
  Duration late{};
};

/// `since_start` is the simulator's age, `call` the endpoint's call number from 1. Each fault with a share
/// below one takes one draw, active or not, so that schedules do not disturb each other. Pure.
Struck strike(const std::vector<config::Fault>& schedule, Duration since_start, std::uint64_t call, Rng& rng);

/// The refusal as an error of the common vocabulary, with the hint when the fault gives one; nothing for
/// `down`, which answers nothing.
std::optional<Error> refusal_error(const config::Fault& fault);

}  // namespace troupe::providers::simulator
