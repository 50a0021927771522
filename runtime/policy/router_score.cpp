// How those that may serve compare: the figures behind a plan's order.
#include "runtime/policy/router.hpp"

#include "runtime/base/clock.hpp"

#include <algorithm>
#include <bit>
#include <limits>

namespace troupe::policy {
namespace {

/// Attempts in flight that count as full load where an endpoint states no limit.
constexpr double kInFlightUsual = 32;
/// Differences of score up to this, of what it is without load, are settled by the draw.
constexpr double kSpread = 0.2;
constexpr double kScoreMin = 1e-6;

// What Rng(seed).next() gives; here, since it is asked for each candidate of each plan.
std::uint64_t split_mix(std::uint64_t seed) {
  std::uint64_t z = seed + 0x9e3779b97f4a7c15ULL;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

}  // namespace

/// What is slow where it is slow soonest, among endpoints of one model: one yardstick, or whoever has seldom
/// seen better times would look slower than the rest while all are.
double Router::slow_soonest(const Candidate& of) const {
  double least = std::numeric_limits<double>::infinity();
  for (const auto& each : candidates_)
    if (each.place == of.place && each.health != nullptr && each.health->ttft_slow > 0)
      least = std::min(least, each.health->ttft_slow);
  return least;
}

// A yardstick that has moved moves all that are measured by it: what is known, not the order in which it came
// to be known, must say who is chosen (E9).
void Router::set_health(std::size_t endpoint, HealthPtr health) {
  auto& candidate = candidates_[endpoint];
  auto before = slow_soonest(candidate);
  candidate.health = std::move(health);
  observe(candidate);
  if (slow_soonest(candidate) == before) return;
  for (auto& each : candidates_)
    if (each.place == candidate.place) observe(each);
}

// For someone who waits the slow tenth counts as much as the usual call. A first token later than what is
// slow was a queue, and one that calls met which have ended since. How long it is now is told by the calls in
// flight: to go by both would send all to where it was shortest when those came.
void Router::observe(Candidate& candidate) const {
  candidate.vitals = {};
  if (candidate.health == nullptr) return;
  const auto& health = *candidate.health;
  auto& vitals = candidate.vitals;
  vitals.well = health.reachable && health.state != BreakerState::open;
  vitals.trial = health.state == BreakerState::partial;
  vitals.in_flight = health.in_flight;
  vitals.in_flight_max = health.in_flight_max;
  vitals.throttled_until = health.throttled_until;
  vitals.measured = health.measured;
  vitals.input_headroom = health.input_headroom;
  vitals.output_headroom = health.output_headroom;
  vitals.total_p50 = health.total_p50;
  bool waits = rules_.work_class == WorkClass::interactive;
  auto blend = [waits](double p50, double p90) { return waits && p90 > 0 ? (p50 + p90) / 2 : p50; };
  double ttft = blend(health.ttft_p50, health.ttft_p90), total = blend(health.total_p50, health.total_p90);
  ttft = std::min(ttft, slow_soonest(candidate));
  bool by_token = health.itl_p50 > 0 && ttft > 0;
  vitals.seconds_per_token = by_token ? blend(health.itl_p50, health.itl_p90) : 0;
  vitals.base_seconds = by_token || !(total > 0) ? ttft : total;
  double full = health.in_flight_max > 0 ? health.in_flight_max : kInFlightUsual;
  vitals.load = 1 + health.in_flight / full;
  vitals.errors = weights_.errors * health.error_share;
}

/// Where calls with this prefix usually go: highest random weight (Thaler, Ravishankar 1998), so that the
/// loss of one endpoint moves its calls only. Its hash; 0: nowhere.
std::uint64_t Router::favoured(const RouteRequest& request, std::span<const Option> options) const {
  if (request.prefix == 0 || weights_.affinity <= 0) return 0;
  std::uint64_t best = 0, weight = 0;
  for (const auto& option : options) {
    if (option.standing != Standing::fit) continue;
    auto hash = candidates_[option.index].hash;
    if (auto each = split_mix(request.prefix ^ hash); each >= weight) {
      weight = each;
      best = hash;
    }
  }
  return best;
}

/// Among each other, and in place.
void Router::score(const RouteRequest& request, std::span<Option> options) const {
  double latency = 0, known = 0, usd = 0, priced = 0;
  auto input = static_cast<double>(request.input_tokens), output = static_cast<double>(request.output_tokens);
  for (auto& option : options) {
    const auto& candidate = candidates_[option.index];
    option.latency = candidate.vitals.base_seconds + candidate.vitals.seconds_per_token * output;
    latency += option.latency;
    known += option.latency > 0;
    if (candidate.reserved) continue;
    option.usd = candidate.input_price * input + candidate.output_price * output;
    usd += option.usd;
    ++priced;
  }
  double usual = known > 0 ? latency / known : 1, dear = usd > 0 ? usd / priced : 1;
  auto favourite = favoured(request, options), draw = std::bit_cast<std::uint64_t>(request.draw);
  for (auto& option : options) {
    const auto& candidate = candidates_[option.index];
    double slow = weights_.latency * (option.latency > 0 ? option.latency / usual : 1);
    double calm = slow + weights_.price * option.usd / dear + candidate.vitals.errors + candidate.distance;
    if (favourite != 0 && candidate.hash == favourite) calm -= weights_.affinity;
    auto spread = static_cast<double>(split_mix(draw ^ candidate.hash) >> 11) * 0x1.0p-53;
    option.score = std::max(calm, kScoreMin) * (1 + kSpread * spread) + slow * (candidate.vitals.load - 1);
  }
}

}  // namespace troupe::policy
