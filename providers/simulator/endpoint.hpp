// One simulated endpoint: its limits, its counters, and what it answers to a call.
#pragma once

#include "providers/simulator/access.hpp"
#include "providers/simulator/capacity.hpp"
#include "providers/simulator/prompt_cache.hpp"
#include "providers/simulator/response.hpp"
#include "runtime/config/simulator_config.hpp"

#include <troupe/error.hpp>
#include <troupe/time.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace troupe::providers::simulator {

/// What the cloud itself would say about its traffic.
struct EndpointStats {
  /// Calls received, whatever came of them.
  std::uint64_t calls = 0;
  /// "ok", "limit", "not_ready", "auth", "bad_request", "not_found", "context_length", or the name of the
  /// fault that struck. The values add up to `calls`.
  std::map<std::string, std::uint64_t> by_outcome;
  /// Of answered calls, broken ones included: what this cloud would bill.
  std::int64_t input_tokens = 0, output_tokens = 0;
  double usd = 0;
};

struct CallContext {
  Instant now;
  WallTime wall;
  /// Who knows the tokens that were issued; may be null.
  const TokenAuthority* authority = nullptr;
  /// The simulator's age.
  Duration since_start{};
  double scale = 1;
};

/// What a call in flight holds of its endpoint's allowance, and what it will turn out to have used.
struct HeldAllowance {
  CapacityHold hold;
  Usage used;
};

/// Pure: the same calls at the same instants give the same answers. Not thread-safe.
class Endpoint {
 public:
  /// `dialect` must be known to find_dialect_server.
  Endpoint(config::SimulatedEndpoint config, const DialectServer& dialect, std::uint64_t seed, Instant now);

  /// `held` is set when the call takes a place in flight, to be given back by `release` when it ends.
  SimulatedResponse respond(const http::Request& request, const CallContext& context,
                            std::optional<HeldAllowance>& held);
  void release(const HeldAllowance& held, Instant now);

  const std::string& name() const { return config_.name; }
  const std::string& host() const { return config_.host; }
  const EndpointStats& stats() const { return stats_; }
  const config::SimulatedEndpoint& config() const { return config_; }
  std::uint32_t in_flight() const { return in_flight_; }
  Result<std::uint32_t> scale(std::uint32_t instances, Instant now) {
    return capacity_->scale(instances, now);
  }
  void set_faults(std::vector<config::Fault> faults) { config_.faults = std::move(faults); }

 private:
  Result<void> check_call(const ServedCall& call, const CallContext& context) const;
  SimulatedResponse refuse(const Error& error, std::string outcome);
  SimulatedResponse refuse_struck(const config::Fault& fault);
  SimulatedResponse serve(const ServedCall& call, const CapacityAsk& ask, const Struck& struck,
                          const CallContext& context, Rng& rng, std::optional<HeldAllowance>& held);

  config::SimulatedEndpoint config_;
  const DialectServer& dialect_;
  std::uint64_t seed_;
  std::unique_ptr<Capacity> capacity_;
  PromptCache cache_;
  std::uint32_t in_flight_ = 0;
  EndpointStats stats_;
};

}  // namespace troupe::providers::simulator
