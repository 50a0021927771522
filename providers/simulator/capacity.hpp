// How a simulated cloud hands out its capacity: who is admitted, who is told to wait, and who spills where.
#pragma once

#include "runtime/config/simulator_config.hpp"

#include <troupe/completion.hpp>
#include <troupe/error.hpp>
#include <troupe/time.hpp>

#include <memory>
#include <string>

namespace troupe::providers::simulator {

/// Which capacity the caller allows (Vertex's X-Vertex-AI-LLM-Request-Type; WIRE 4.4).
enum class RequestType { any, dedicated, shared };

/// What a call asks for when it arrives. Tokens.
struct CapacityAsk {
  double input = 0, cached = 0, output_max = 0;
  RequestType type = RequestType::any;
};

/// What an admitted call holds until it ends.
struct CapacityHold {
  CapacityAsk ask;
  /// Quota tokens taken at arrival, where the law estimates them.
  double taken = 0;
  bool spilled = false;
  /// What the answer says served it ("PROVISIONED_THROUGHPUT"); empty where the wire does not say.
  std::string tier;
};

/// One endpoint's law. Pure; not thread-safe.
class Capacity {
 public:
  virtual ~Capacity() = default;
  /// An error is what this cloud answers when it is full, in its own words (vendor_text).
  virtual Result<CapacityHold> admit(const CapacityAsk& ask, Instant now) = 0;
  /// The call ended, having used this; all zeros when it was abandoned.
  virtual void settle(const CapacityHold& hold, const Usage& used, Instant now) = 0;
  /// Asks for another number of instances; how many there will be. unsupported where nothing scales.
  virtual Result<std::uint32_t> scale(std::uint32_t instances, Instant now);
};

/// `limits` hold besides every law.
std::unique_ptr<Capacity> make_capacity(const config::SimulatedCapacity& capacity,
                                        const policy::QuotaPolicy& limits, Instant now);

}  // namespace troupe::providers::simulator
