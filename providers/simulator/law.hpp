// How fast one simulated answer is.
#pragma once

#include "runtime/base/rng.hpp"
#include "runtime/config/simulator_config.hpp"

#include <troupe/time.hpp>

#include <cstdint>

namespace troupe::providers::simulator {

struct Pace {
  Duration ttft{};
  Duration per_token{};
};

/// One draw from the law: exp(N(ln median, sigma)) for each of the two, the TTFT's median raised by the
/// input's size; both times `scale`. Never more than an hour, whatever the figures. Pure.
Pace draw_pace(const config::LatencyLaw& law, std::int64_t input_tokens, double scale, Rng& rng);

}  // namespace troupe::providers::simulator
