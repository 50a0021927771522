// A breaker with a clock to turn and endpoints to imitate: the vocabulary of the breaker's tests.
#pragma once

#include "runtime/base/clock.hpp"
#include "runtime/base/rng.hpp"
#include "runtime/policy/breaker.hpp"

#include <cmath>
#include <vector>

namespace troupe::policy {

/// How an imagined endpoint behaves. Log-normal latencies in seconds.
struct EndpointModel {
  double ttft_median = 0.4, total_median = 3, sigma = 0.6;
  double failure_share = 0, throttle_share = 0;
};

struct BreakerWorld {
  Breaker breaker;
  Rng rng;
  Instant now{std::chrono::hours(1)};
  std::vector<BreakerEvent> events = {};

  explicit BreakerWorld(BreakerPolicy policy = {}, std::uint64_t seed = 1)
      : breaker(std::move(policy)), rng(seed) {}

  bool note(std::optional<BreakerEvent> event) {
    if (event) events.push_back(*event);
    return event.has_value();
  }
  bool tick(Duration d) {
    now += d;
    return note(breaker.on_tick(now));
  }
  bool outcome(Outcome o) {
    o.at = now;
    o.trickle = breaker.state() == BreakerState::partial;
    return note(breaker.on_outcome(o));
  }
  bool good(double ttft = 0.4, double total = 3) {
    return outcome({.ttft = from_seconds(ttft), .total = from_seconds(total)});
  }
  bool bad() { return error(Errc::transient_server); }
  bool error(Errc code) {
    return outcome({.error = code, .counts = make_error(code, "").counts_for_breaker});
  }
  bool sample(const EndpointModel& model) {
    double luck = rng.uniform();
    if (luck < model.failure_share) return bad();
    if (luck < model.failure_share + model.throttle_share) return error(Errc::rate_limited);
    double common = rng.normal();
    return good(model.ttft_median * std::exp(model.sigma * rng.normal()),
                model.total_median * std::exp(model.sigma * common));
  }
  /// `calls` calls, `gap` apart, ticking in between.
  void run(const EndpointModel& model, int calls, Duration gap = std::chrono::milliseconds(100)) {
    for (int i = 0; i < calls; ++i) {
      tick(gap);
      sample(model);
    }
  }
  /// Calls until the breaker is in `state`; -1 when it took more than `calls_max`.
  int run_until(BreakerState state, const EndpointModel& model, int calls_max,
                Duration gap = std::chrono::milliseconds(100)) {
    for (int i = 0; i < calls_max; ++i) {
      if (breaker.state() == state) return i;
      tick(gap);
      if (breaker.state() == state) return i;
      if (breaker.state() != BreakerState::open) sample(model);
    }
    return breaker.state() == state ? calls_max : -1;
  }
  BreakerState state() const { return breaker.state(); }
  std::size_t trips() const {
    std::size_t n = 0;
    for (const auto& event : events) n += event.to == BreakerState::open;
    return n;
  }
};

}  // namespace troupe::policy
