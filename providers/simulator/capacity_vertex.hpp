// Vertex's capacity: provisioned throughput that estimates, reconciles and spills, over a pool shared with
// strangers.
#pragma once

#include "providers/simulator/capacity.hpp"

namespace troupe::providers::simulator {

/// A bucket whose rate may change from ask to ask. Never negative capacity.
class FlowBucket {
 public:
  FlowBucket(double capacity, Instant now) : capacity_(capacity), level_(capacity), at_(now) {}
  /// Refills at `per_second` since the last call; the level then.
  double level(double per_second, Instant now);
  void take(double amount) { level_ -= amount; }
  void give(double amount);

 private:
  double capacity_, level_;
  Instant at_;
};

/// Both of Vertex's laws (WIRE 4.4). Provisioned: a call takes its weighted estimate out of GSUs x rate, with
/// a window of burst, and is reconciled when it ends; what does not fit goes to the pool, unless the caller
/// says `dedicated`; `shared` skips the provisioned part. The pool belongs to everyone: what others leave of
/// it varies in a wave.
class VertexCapacity final : public Capacity {
 public:
  VertexCapacity(const config::SimulatedCapacity& capacity, Instant now);
  Result<CapacityHold> admit(const CapacityAsk& ask, Instant now) override;
  void settle(const CapacityHold& hold, const Usage& used, Instant now) override;

 private:
  bool has_provisioned() const { return capacity_.law == config::CapacityLaw::vertex_provisioned; }
  double provisioned_rate() const { return capacity_.gsus * capacity_.gsu_tokens_per_second; }
  double pool_rate(Instant now) const;
  Result<CapacityHold> admit_to_pool(const CapacityAsk& ask, Instant now);

  config::SimulatedCapacity capacity_;
  Instant started_;
  FlowBucket provisioned_, pool_;
  /// Of recent answers; what the next one is guessed to generate.
  double output_guess_ = 256;
};

}  // namespace troupe::providers::simulator
