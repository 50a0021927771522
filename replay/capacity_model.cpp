#include "replay/capacity_model.hpp"

#include "runtime/base/clock.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace troupe::replay {
namespace {

using config::CapacityLaw;

policy::QuotaPolicy minute_policy(const config::SimulatedCapacity& capacity, policy::QuotaPolicy limits) {
  if (capacity.law != CapacityLaw::bedrock_on_demand) return limits;
  limits.output_from_input = true;
  limits.output_tokens_per_minute = 0;
  return limits;
}

policy::QuotaPolicy second_policy(const config::SimulatedCapacity& capacity,
                                  const policy::QuotaPolicy& limits) {
  constexpr double minutes_per_day = 24 * 60;
  if (capacity.law == CapacityLaw::bedrock_on_demand)
    return {.input_tokens_per_minute = capacity.tokens_per_day / minutes_per_day,
            .output_burndown = limits.output_burndown,
            .output_from_input = true,
            .burst_minutes = minutes_per_day};
  if (capacity.law == CapacityLaw::bedrock_provisioned)
    return {.input_tokens_per_minute = capacity.units * capacity.unit_input_tokens_per_minute,
            .output_tokens_per_minute = capacity.units * capacity.unit_output_tokens_per_minute};
  return {};
}

policy::QuotaNeed whole_need(const CapacityNeed& need) {
  return {.input_tokens = need.input + need.cached, .output_tokens = need.output_max};
}
policy::QuotaNeed lump_need(const CapacityNeed& need) {
  return {.input_tokens = need.input + need.cached + need.output_max};
}
policy::QuotaNeed input_need(const CapacityNeed& need) { return {.input_tokens = need.input + need.cached}; }

}  // namespace

double CapacityModel::Flow::refill(double per_second, Instant now) {
  level = std::min(capacity, level + per_second * std::max(0.0, seconds(now - at)));
  at = std::max(at, now);
  return level;
}

void CapacityModel::Flow::give(double amount) { level = std::min(capacity, level + amount); }

CapacityModel::CapacityModel(const config::SimulatedCapacity& capacity, const policy::QuotaPolicy& limits,
                             Instant now)
    : capacity_(capacity),
      started_(now),
      limits_(minute_policy(capacity, limits), now),
      second_(second_policy(capacity, limits), now) {
  double burst = capacity.gsus * capacity.gsu_tokens_per_second * seconds(capacity.window);
  provisioned_ = {burst, burst, now};
  pool_ = {capacity.pool_tokens_per_minute, capacity.pool_tokens_per_minute, now};
}

std::optional<CapacityRefusal> CapacityModel::admit(const CapacityNeed& need, Instant now,
                                                    CapacityHold& hold) {
  hold = {.need = need};
  switch (capacity_.law) {
    case CapacityLaw::limits: break;
    case CapacityLaw::bedrock_on_demand: return admit_on_demand(hold, now);
    case CapacityLaw::bedrock_provisioned: return admit_provisioned(hold, now);
    case CapacityLaw::vertex_provisioned: return admit_vertex(hold, now);
    case CapacityLaw::vertex_shared: return admit_pool(hold, now);
    case CapacityLaw::sagemaker_instances: return admit_instances(hold, now);
  }
  return admit_limits(hold, now);
}

std::optional<CapacityRefusal> CapacityModel::admit_limits(CapacityHold& hold, Instant now) {
  auto need = whole_need(hold.need);
  if (auto wait = limits_.wait_for(need, now); wait > Duration{}) {
    CapacityRefusal refusal;
    // Nobody knows when a place in flight comes free.
    if (wait < policy::Quota::wait_max) refusal.retry_after = wait;
    return refusal;
  }
  limits_.reserve(need, now);
  return std::nullopt;
}

std::optional<CapacityRefusal> CapacityModel::admit_on_demand(CapacityHold& hold, Instant now) {
  auto need = lump_need(hold.need);
  if (second_.wait_for(need, now) > Duration{}) return CapacityRefusal{Errc::quota_exhausted, {}};
  if (limits_.wait_for(need, now) > Duration{}) return CapacityRefusal{};
  limits_.reserve(need, now);
  second_.reserve(need, now);
  return std::nullopt;
}

std::optional<CapacityRefusal> CapacityModel::admit_provisioned(CapacityHold& hold, Instant now) {
  auto need = input_need(hold.need);
  bool spent = second_.output_headroom(now) <= 0;
  if (spent || second_.wait_for(need, now) > Duration{} || limits_.wait_for(need, now) > Duration{})
    return CapacityRefusal{};
  second_.reserve(need, now);
  limits_.reserve(need, now);
  return std::nullopt;
}

double CapacityModel::pool_rate(Instant now) const {
  auto phase = 2 * std::numbers::pi * seconds(now - started_) / seconds(capacity_.others_period);
  auto others = std::clamp(capacity_.others_mean + capacity_.others_swing * std::sin(phase), 0.0, 1.0);
  return capacity_.pool_tokens_per_minute / 60 * (1 - others);
}

std::optional<CapacityRefusal> CapacityModel::admit_pool(CapacityHold& hold, Instant now) {
  hold.pooled = true;
  hold.taken = hold.need.input + hold.need.cached;
  if (capacity_.pool_tokens_per_minute <= 0) return std::nullopt;
  if (pool_.refill(pool_rate(now), now) < hold.taken) return CapacityRefusal{};
  pool_.level -= hold.taken;
  return std::nullopt;
}

std::optional<CapacityRefusal> CapacityModel::admit_vertex(CapacityHold& hold, Instant now) {
  double output = std::min(hold.need.output_max, output_guess_);
  double estimate =
      hold.need.input + hold.need.cached * capacity_.cached_weight + output * capacity_.output_weight;
  if (provisioned_.refill(capacity_.gsus * capacity_.gsu_tokens_per_second, now) < estimate)
    return admit_pool(hold, now);
  provisioned_.level -= estimate;
  hold.taken = estimate;
  return std::nullopt;
}

// The instances there are at the start; nobody scales a replayed cloud.
std::optional<CapacityRefusal> CapacityModel::admit_instances(CapacityHold& hold, Instant now) {
  if (capacity_.instances == 0) return CapacityRefusal{Errc::model_not_ready, {}};
  auto need = whole_need(hold.need);
  bool busy = in_flight_ >= std::uint64_t(capacity_.instances) * capacity_.instance_calls;
  if (busy || limits_.wait_for(need, now) > Duration{}) return CapacityRefusal{};
  limits_.reserve(need, now);
  ++in_flight_;
  return std::nullopt;
}

void CapacityModel::settle_vertex(const CapacityHold& hold, const CapacityUse& used, Instant now) {
  if (used.output > 0) output_guess_ += 0.1 * (used.output - output_guess_);
  if (!hold.pooled) {
    provisioned_.refill(capacity_.gsus * capacity_.gsu_tokens_per_second, now);
    provisioned_.give(hold.taken - used.input - used.cached * capacity_.cached_weight -
                      used.output * capacity_.output_weight);
    return;
  }
  if (capacity_.pool_tokens_per_minute <= 0) return;
  pool_.refill(pool_rate(now), now);
  pool_.give(hold.taken - used.input - used.cached - used.output);
}

void CapacityModel::settle(const CapacityHold& hold, const CapacityUse& used, Instant now) {
  policy::QuotaNeed whole{used.input + used.cached, used.output};
  switch (capacity_.law) {
    case CapacityLaw::limits: limits_.settle(whole_need(hold.need), whole, now); return;
    case CapacityLaw::bedrock_on_demand: {
      policy::QuotaNeed uncached{used.input, used.output};
      limits_.settle(lump_need(hold.need), uncached, now);
      second_.settle(lump_need(hold.need), uncached, now);
      return;
    }
    case CapacityLaw::bedrock_provisioned:
      limits_.settle(input_need(hold.need), whole, now);
      second_.settle(input_need(hold.need), whole, now);
      return;
    case CapacityLaw::vertex_provisioned:
    case CapacityLaw::vertex_shared: settle_vertex(hold, used, now); return;
    case CapacityLaw::sagemaker_instances:
      if (in_flight_ > 0) --in_flight_;
      limits_.settle(whole_need(hold.need), whole, now);
      return;
  }
}

}  // namespace troupe::replay
