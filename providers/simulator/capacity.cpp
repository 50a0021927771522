// The laws of Bedrock and SageMaker, and plain limits. Vertex's are in capacity_vertex.cpp.
#include "providers/simulator/capacity.hpp"

#include "providers/simulator/capacity_vertex.hpp"
#include "runtime/policy/quota.hpp"

#include <algorithm>
#include <vector>

namespace troupe::providers::simulator {
namespace {

std::unexpected<Error> full(Errc code, std::string text) {
  auto error = make_error(code, "no capacity left");
  error.vendor_text = std::move(text);
  return std::unexpected(std::move(error));
}

policy::QuotaNeed used_need(const Usage& used) {
  auto input = used.input + used.cache_write + used.cache_read;
  return {.input_tokens = static_cast<double>(input), .output_tokens = static_cast<double>(used.output)};
}

class LimitsOnly final : public Capacity {
 public:
  LimitsOnly(const policy::QuotaPolicy& limits, Instant now) : quota_(limits, now) {}

  Result<CapacityHold> admit(const CapacityAsk& ask, Instant now) override {
    // Admission counts the most the call may generate; the call's end settles what it did generate.
    policy::QuotaNeed need{.input_tokens = ask.input + ask.cached, .output_tokens = ask.output_max};
    if (auto wait = quota_.wait_for(need, now); wait > Duration{}) {
      auto error = make_error(Errc::rate_limited, "over the limit");
      // Nobody knows when a place in flight comes free.
      if (wait < policy::Quota::wait_max) error.retry_after = wait;
      return std::unexpected(std::move(error));
    }
    quota_.reserve(need, now);
    return CapacityHold{.ask = ask};
  }

  void settle(const CapacityHold& hold, const Usage& used, Instant now) override {
    policy::QuotaNeed taken{hold.ask.input + hold.ask.cached, hold.ask.output_max};
    quota_.settle(taken, used_need(used), now);
  }

 private:
  policy::Quota quota_;
};

// Reserves input + cache + max_tokens, unweighted; settles input + cache writes + output times the burndown,
// cache reads given back (WIRE 1.9). Bedrock gives no retry hint.
class BedrockOnDemand final : public Capacity {
 public:
  BedrockOnDemand(const config::SimulatedCapacity& capacity, policy::QuotaPolicy limits, Instant now)
      : minute_(one_bucket(limits), now), day_(day_policy(limits, capacity.tokens_per_day), now) {}

  Result<CapacityHold> admit(const CapacityAsk& ask, Instant now) override {
    auto need = need_of(ask);
    if (day_.wait_for(need, now) > Duration{})
      return full(Errc::quota_exhausted, "Too many tokens per day, please wait before trying again.");
    if (minute_.wait_for(need, now) > Duration{})
      return full(Errc::rate_limited, "Too many tokens, please wait before trying again.");
    minute_.reserve(need, now);
    day_.reserve(need, now);
    return CapacityHold{.ask = ask};
  }

  void settle(const CapacityHold& hold, const Usage& used, Instant now) override {
    policy::QuotaNeed actual{.input_tokens = static_cast<double>(used.input + used.cache_write),
                             .output_tokens = static_cast<double>(used.output)};
    minute_.settle(need_of(hold.ask), actual, now);
    day_.settle(need_of(hold.ask), actual, now);
  }

 private:
  static policy::QuotaNeed need_of(const CapacityAsk& ask) {
    return {.input_tokens = ask.input + ask.cached + ask.output_max};
  }
  static policy::QuotaPolicy one_bucket(policy::QuotaPolicy limits) {
    limits.output_from_input = true;
    limits.output_tokens_per_minute = 0;
    return limits;
  }
  static policy::QuotaPolicy day_policy(const policy::QuotaPolicy& limits, double tokens_per_day) {
    constexpr double minutes_per_day = 24 * 60;
    return {.input_tokens_per_minute = tokens_per_day / minutes_per_day,
            .output_burndown = limits.output_burndown,
            .output_from_input = true,
            .burst_minutes = minutes_per_day};
  }

  policy::Quota minute_, day_;
};

// Input and output apart. What a unit does over its limit is undocumented (WIRE 1.9); ours refuses when the
// input does not fit or the output of earlier calls has used its allowance up, and never spills.
class BedrockProvisioned final : public Capacity {
 public:
  BedrockProvisioned(const config::SimulatedCapacity& capacity, const policy::QuotaPolicy& limits,
                     Instant now)
      : units_(policy_of(capacity), now), limits_(limits, now) {}

  Result<CapacityHold> admit(const CapacityAsk& ask, Instant now) override {
    policy::QuotaNeed need{.input_tokens = ask.input + ask.cached};
    bool spent = units_.output_headroom(now) <= 0;
    if (spent || units_.wait_for(need, now) > Duration{} || limits_.wait_for(need, now) > Duration{})
      return full(Errc::rate_limited, "Too many requests, please wait before trying again.");
    units_.reserve(need, now);
    limits_.reserve(need, now);
    return CapacityHold{.ask = ask};
  }

  void settle(const CapacityHold& hold, const Usage& used, Instant now) override {
    policy::QuotaNeed taken{.input_tokens = hold.ask.input + hold.ask.cached};
    units_.settle(taken, used_need(used), now);
    limits_.settle(taken, used_need(used), now);
  }

 private:
  static policy::QuotaPolicy policy_of(const config::SimulatedCapacity& capacity) {
    return {.input_tokens_per_minute = capacity.units * capacity.unit_input_tokens_per_minute,
            .output_tokens_per_minute = capacity.units * capacity.unit_output_tokens_per_minute};
  }

  policy::Quota units_, limits_;
};

// Instances that serve so many calls at once. One asked for is there after the start-up; the cloud has only
// so many.
class SagemakerInstances final : public Capacity {
 public:
  SagemakerInstances(const config::SimulatedCapacity& capacity, const policy::QuotaPolicy& limits,
                     Instant now)
      : capacity_(capacity), limits_(limits, now), up_at_(capacity.instances, now) {}

  Result<CapacityHold> admit(const CapacityAsk& ask, Instant now) override {
    auto up = std::ranges::count_if(up_at_, [&](Instant at) { return at <= now; });
    if (up == 0) return full(Errc::model_not_ready, "Model is not ready for inference. Wait and try again.");
    policy::QuotaNeed need{ask.input + ask.cached, ask.output_max};
    bool busy = in_flight_ >= static_cast<std::uint64_t>(up) * capacity_.instance_calls;
    if (busy || limits_.wait_for(need, now) > Duration{}) return full(Errc::rate_limited, "");
    limits_.reserve(need, now);
    ++in_flight_;
    return CapacityHold{.ask = ask};
  }

  void settle(const CapacityHold& hold, const Usage& used, Instant now) override {
    if (in_flight_ > 0) --in_flight_;
    limits_.settle({hold.ask.input + hold.ask.cached, hold.ask.output_max}, used_need(used), now);
  }

  // Insufficient capacity: the endpoint gets what there is and keeps it (WIRE 3 names no wire for that; the
  // control plane says so).
  Result<std::uint32_t> scale(std::uint32_t instances, Instant now) override {
    auto granted = std::min(instances, capacity_.instances_max);
    std::ranges::sort(up_at_);
    up_at_.resize(granted, now + capacity_.start_up);
    return granted;
  }

 private:
  config::SimulatedCapacity capacity_;
  policy::Quota limits_;
  /// Per instance, since when it serves.
  std::vector<Instant> up_at_;
  std::uint64_t in_flight_ = 0;
};

}  // namespace

Result<std::uint32_t> Capacity::scale(std::uint32_t, Instant) {
  return fail(Errc::unsupported, "only endpoints whose capacity law is sagemaker_instances can be scaled");
}

std::unique_ptr<Capacity> make_capacity(const config::SimulatedCapacity& capacity,
                                        const policy::QuotaPolicy& limits, Instant now) {
  switch (capacity.law) {
    case config::CapacityLaw::limits: break;
    case config::CapacityLaw::bedrock_on_demand:
      return std::make_unique<BedrockOnDemand>(capacity, limits, now);
    case config::CapacityLaw::bedrock_provisioned:
      return std::make_unique<BedrockProvisioned>(capacity, limits, now);
    case config::CapacityLaw::vertex_provisioned:
    case config::CapacityLaw::vertex_shared: return std::make_unique<VertexCapacity>(capacity, now);
    case config::CapacityLaw::sagemaker_instances:
      return std::make_unique<SagemakerInstances>(capacity, limits, now);
  }
  return std::make_unique<LimitsOnly>(limits, now);
}

}  // namespace troupe::providers::simulator
