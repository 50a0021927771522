// Exclusion, headroom and scores of candidates.
#include "runtime/policy/route_screen.hpp"

#include "runtime/base/clock.hpp"
#include "runtime/base/rng.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

namespace troupe::policy {
namespace {

/// Attempts in flight that count as full load where an endpoint states no limit.
constexpr double kInFlightUsual = 64;
/// Differences of score up to this are settled by the draw.
constexpr double kSpread = 0.2;

void keep_least(std::optional<std::size_t>& least, std::size_t value) {
  least = std::min(least.value_or(value), value);
}

/// For good: no time and no health makes this candidate serve this request (C8, E8).
std::string misfit(const RouteRequest& request, const EndpointFacts& facts, std::size_t rank) {
  if (rank >= request.hierarchy.size())
    return fmt::format("model {} is not in the feature's hierarchy", facts.model);
  if (!request.boundary.empty() && facts.boundary != request.boundary)
    return fmt::format("processes data in {}, must stay in {}", facts.boundary, request.boundary);
  // Compared without a sum, which huge requests would overflow.
  if (request.output_tokens > facts.output_tokens_max)
    return fmt::format("writes at most {} tokens, {} wanted", facts.output_tokens_max, request.output_tokens);
  if (request.input_tokens > facts.context_tokens_max ||
      request.output_tokens > facts.context_tokens_max - request.input_tokens)
    return fmt::format("window of {} tokens is too small for {} + {}", facts.context_tokens_max,
                       request.input_tokens, request.output_tokens);
  return {};
}

struct Ailment {
  std::string reason;
  std::optional<Duration> wait;
  bool throttled = false;
};

Duration until(WallTime then, WallTime wall) {
  return std::chrono::milliseconds(std::max<std::int64_t>(0, then.ms - wall.ms));
}

/// For now: sick, silent or told to wait.
std::optional<Ailment> ailment(const HealthView* health, WallTime wall) {
  if (!health) return Ailment{"its health is not known yet", {}};
  if (!health->reachable) return Ailment{"the node that owns it cannot be reached", {}};
  if (health->state == BreakerState::open) {
    if (health->cool_until.ms == 0)
      return Ailment{fmt::format("breaker open ({})", to_string(health->reason)), {}};
    auto left = until(health->cool_until, wall);
    return Ailment{
        fmt::format("breaker open ({}), cooling for {}", to_string(health->reason), to_human(left)), left};
  }
  if (health->throttled_until > wall) {
    auto left = until(health->throttled_until, wall);
    return Ailment{fmt::format("asked to wait {} by the provider", to_human(left)), left, true};
  }
  return std::nullopt;
}

std::string crowding(const RouteRequest& request, const Option& option, const RoutePolicy& policy) {
  const auto& health = *option.health;
  if (health.in_flight_max > 0 && health.in_flight >= health.in_flight_max)
    return fmt::format("full with {} in flight", health.in_flight);
  double input = static_cast<double>(request.input_tokens) * policy.headroom_factor;
  double output = static_cast<double>(request.output_tokens) * policy.headroom_factor;
  if (health.input_headroom < input)
    return fmt::format("input headroom {:.0f} < {:.0f} tokens", health.input_headroom, input);
  if (health.output_headroom < output)
    return fmt::format("output headroom {:.0f} < {:.0f} tokens", health.output_headroom, output);
  if (request.deadline > Duration::zero() && health.total_p50 > seconds(request.deadline))
    return fmt::format("usually takes {:.1f}s, only {} left", health.total_p50, to_human(request.deadline));
  return {};
}

double known_latency(const HealthView& health) {
  return health.total_p50 > 0 ? health.total_p50 : health.ttft_p50;
}

double mean_known_latency(const std::vector<Option>& options) {
  double sum = 0, known = 0;
  for (const auto& option : options) {
    double latency = known_latency(*option.health);
    sum += latency;
    known += latency > 0;
  }
  return known > 0 ? sum / known : 1;
}

void score_options(std::vector<Option>& options, double draw) {
  double usual = mean_known_latency(options);
  for (auto& option : options) {
    const auto& health = *option.health;
    double latency = known_latency(health) > 0 ? known_latency(health) : usual;
    double full = health.in_flight_max > 0 ? health.in_flight_max : kInFlightUsual;
    Rng spread(std::bit_cast<std::uint64_t>(draw) ^ stable_hash(option.facts->id));
    option.score = latency * (1 + health.in_flight / full) * (1 + kSpread * spread.uniform());
  }
}

/// With spillover off and reserved capacity told to wait, everything waits for it.
void wait_for_reserved(Screened& screened) {
  std::erase_if(screened.options, [&](const Option& option) {
    if (option.facts->kind == CapacityKind::reserved) return false;
    screened.passed_over.push_back({option.index, "spillover is off and reserved capacity is waited for"});
    return true;
  });
}

}  // namespace

Screened screen_candidates(const RouteRequest& request, std::span<const Candidate> candidates, WallTime wall,
                           const RoutePolicy& policy) {
  Screened screened;
  bool reserved_throttled = false;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const auto* facts = candidates[i].facts;
    if (!facts) {
      screened.passed_over.push_back({i, "nothing is known of it"});
      continue;
    }
    auto place = std::ranges::find(request.hierarchy, facts->model);
    auto rank = static_cast<std::size_t>(place - request.hierarchy.begin());
    if (auto reason = misfit(request, *facts, rank); !reason.empty()) {
      screened.passed_over.push_back({i, std::move(reason)});
      continue;
    }
    const auto* health = candidates[i].health.get();
    bool reserved = facts->kind == CapacityKind::reserved;
    if (auto ill = ailment(health, wall)) {
      keep_least(screened.sick_rank, rank);
      if (ill->throttled && reserved) keep_least(screened.spilled_rank, rank);
      reserved_throttled = reserved_throttled || (ill->throttled && reserved);
      if (ill->wait) screened.wait = std::min(screened.wait.value_or(*ill->wait), *ill->wait);
      screened.passed_over.push_back({i, std::move(ill->reason)});
      continue;
    }
    Option option{i, facts, health, rank, Standing::fit, {}, 0};
    option.note = crowding(request, option, policy);
    if (reserved && !policy.spillover) option.note.clear();
    if (!option.note.empty()) option.standing = Standing::crowded;
    if (reserved && !option.note.empty()) keep_least(screened.spilled_rank, rank);
    if (health->state == BreakerState::partial) option.standing = Standing::trial;
    screened.options.push_back(std::move(option));
  }
  if (reserved_throttled && !policy.spillover) wait_for_reserved(screened);
  score_options(screened.options, request.draw);
  return screened;
}

}  // namespace troupe::policy
