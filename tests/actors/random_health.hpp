// A health view with something else in every member: for tests of what carries views from place to place.
#pragma once

#include "runtime/base/rng.hpp"
#include "runtime/policy/health.hpp"

#include <limits>
#include <string>
#include <tuple>
#include <type_traits>

namespace troupe::actors::testing {

/// Does not compile when a view has a member that is not named here.
inline auto members_of(policy::HealthView& view) {
  auto& [endpoint, version, state, reason, share, ttft_p50, ttft_p90, total_p50, total_p90, error_share,
         throttle_share, samples, ttft_slow, itl_p50, itl_p90, timeout_share, break_share, probes, proven,
         measured, since, cool_until, in_flight, in_flight_max, input_headroom, output_headroom,
         throttled_until, reachable] = view;
  return std::tie(endpoint, version, state, reason, share, ttft_p50, ttft_p90, total_p50, total_p90,
                  error_share, throttle_share, samples, ttft_slow, itl_p50, itl_p90, timeout_share,
                  break_share, probes, proven, measured, since, cool_until, in_flight, in_flight_max,
                  input_headroom, output_headroom, throttled_until, reachable);
}

template <class T>
void draw_member(Rng& rng, T& member) {
  if constexpr (std::is_same_v<T, std::string>)
    member = std::to_string(rng.below(1000));
  else if constexpr (std::is_same_v<T, WallTime>)
    member.ms = static_cast<std::int64_t>(rng.below(1'000'000'000'000));
  else if constexpr (std::is_same_v<T, double>)
    member = rng.uniform();
  else if constexpr (std::is_same_v<T, bool>)
    member = rng.below(2) == 1;
  else
    member = static_cast<T>(rng.below(3));
}

inline policy::HealthView random_health(Rng& rng) {
  policy::HealthView view;
  std::apply([&](auto&... each) { (draw_member(rng, each), ...); }, members_of(view));
  view.input_headroom = rng.below(2) ? 500 * rng.uniform() : std::numeric_limits<double>::infinity();
  view.output_headroom = rng.below(2) ? 500 * rng.uniform() - 100 : std::numeric_limits<double>::infinity();
  return view;
}

}  // namespace troupe::actors::testing
