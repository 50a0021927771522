// What people deploy when they have no routing layer, done honestly: the simple policies a replay compares
// with.
#pragma once

#include "replay/clouds.hpp"
#include "replay/steering.hpp"
#include "runtime/policy/route.hpp"

#include <deque>
#include <memory>
#include <queue>
#include <string_view>
#include <unordered_map>

namespace troupe::replay {

/// Retries of all baselines: at most this many attempts of a call, a pause before each but the first that
/// doubles from `backoff` and is fully jittered, or the provider's hint when it is longer. As the vendors'
/// SDKs do.
struct BaselineRetry {
  std::size_t attempts_max = 3;
  Duration backoff = std::chrono::milliseconds(500);
  Duration backoff_max = std::chrono::seconds(8);
};

enum class Baseline {
  /// Each call goes to the next endpoint of the feature in turn, whatever its state; a retry to the one after
  /// it.
  round_robin,
  /// Every call and every retry goes to the feature's first endpoint; no other is ever used.
  static_primary,
  /// The feature's endpoints in order of configuration: a 429 goes to the next one at once, any other failure
  /// is
  /// retried where it happened. (What "fallback on rate limit" in gateways and wrappers comes to.)
  fallback_on_429,
  /// The endpoint whose answers were quickest of late (moving average of total seconds per output token, the
  /// last
  /// tens of answers); one not yet measured first; failures count as an answer of 60 s; a retry goes to the
  /// quickest other one. (LiteLLM's latency-based routing in essence.)
  least_latency,
};
std::optional<Baseline> baseline_from(std::string_view name);
const char* name_of(Baseline baseline);
/// A sentence for people.
const char* sentence_of(Baseline baseline);

/// `features[i]`: endpoints that feature may use, in order of preference, best model first, reserved capacity
/// before on-demand within a model. `equals[i]`: how many of them, from the first on, have its best model;
/// who balances load does it among these, since a smaller model's answer is not the same product.
struct BaselineWorld {
  std::vector<std::vector<std::uint32_t>> features;
  std::vector<std::size_t> equals;
  std::size_t endpoints = 0;
};

/// The world of `features`, by name; boundaries are kept, nothing else is looked at.
BaselineWorld world_of(const Clouds& clouds, const std::vector<std::string>& features);

std::unique_ptr<Steering> make_baseline(Baseline kind, BaselineWorld world, std::uint64_t seed,
                                        const BaselineRetry& retry = {});

}  // namespace troupe::replay
