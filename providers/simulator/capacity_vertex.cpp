#include "providers/simulator/capacity_vertex.hpp"

#include "runtime/base/clock.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace troupe::providers::simulator {
namespace {

constexpr double kGuessShare = 0.1;  // of the guess, taken from each new answer

std::unexpected<Error> exhausted(std::string text) {
  auto error = make_error(Errc::rate_limited, "no capacity left");
  error.vendor_text = std::move(text);
  return std::unexpected(std::move(error));
}

}  // namespace

double FlowBucket::level(double per_second, Instant now) {
  level_ = std::min(capacity_, level_ + per_second * std::max(0.0, seconds(now - at_)));
  at_ = std::max(at_, now);
  return level_;
}

void FlowBucket::give(double amount) { level_ = std::min(capacity_, level_ + amount); }

VertexCapacity::VertexCapacity(const config::SimulatedCapacity& capacity, Instant now)
    : capacity_(capacity),
      started_(now),
      provisioned_(capacity.gsus * capacity.gsu_tokens_per_second * seconds(capacity.window), now),
      pool_(capacity.pool_tokens_per_minute, now) {}

double VertexCapacity::pool_rate(Instant now) const {
  auto phase = 2 * std::numbers::pi * seconds(now - started_) / seconds(capacity_.others_period);
  auto others = std::clamp(capacity_.others_mean + capacity_.others_swing * std::sin(phase), 0.0, 1.0);
  return capacity_.pool_tokens_per_minute / 60 * (1 - others);
}

Result<CapacityHold> VertexCapacity::admit_to_pool(const CapacityAsk& ask, Instant now) {
  CapacityHold hold{.ask = ask, .taken = ask.input + ask.cached, .spilled = true, .tier = "ON_DEMAND"};
  if (capacity_.pool_tokens_per_minute <= 0) return hold;
  if (pool_.level(pool_rate(now), now) < hold.taken)
    return exhausted("Resource exhausted. Please try again later.");
  pool_.take(hold.taken);
  return hold;
}

Result<CapacityHold> VertexCapacity::admit(const CapacityAsk& ask, Instant now) {
  if (!has_provisioned() || ask.type == RequestType::shared) return admit_to_pool(ask, now);
  auto output = std::min(ask.output_max, output_guess_);
  auto estimate = ask.input + ask.cached * capacity_.cached_weight + output * capacity_.output_weight;
  if (provisioned_.level(provisioned_rate(), now) >= estimate) {
    provisioned_.take(estimate);
    return CapacityHold{.ask = ask, .taken = estimate, .tier = "PROVISIONED_THROUGHPUT"};
  }
  if (ask.type == RequestType::dedicated)
    return exhausted("Too many requests. Exceeded the Provisioned Throughput.");
  return admit_to_pool(ask, now);
}

void VertexCapacity::settle(const CapacityHold& hold, const Usage& used, Instant now) {
  auto output = static_cast<double>(used.output);
  if (used.output > 0) output_guess_ += kGuessShare * (output - output_guess_);
  auto input = static_cast<double>(used.input + used.cache_write);
  auto cached = static_cast<double>(used.cache_read);
  if (!hold.spilled) {
    auto actual = input + cached * capacity_.cached_weight + output * capacity_.output_weight;
    provisioned_.level(provisioned_rate(), now);
    provisioned_.give(hold.taken - actual);
    return;
  }
  if (capacity_.pool_tokens_per_minute <= 0) return;
  pool_.level(pool_rate(now), now);
  pool_.give(hold.taken - input - cached - output);
}

}  // namespace troupe::providers::simulator
