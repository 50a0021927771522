// The endpoints of a migration: what a node has of each (guard and breaker), and the cloud behind it.
#pragma once

#include "replay/cloud_endpoint.hpp"
#include "replay/migration_chaos.hpp"
#include "runtime/policy/breaker.hpp"
#include "runtime/policy/dispatcher.hpp"
#include "runtime/policy/endpoint_guard.hpp"
#include "runtime/policy/peer_board.hpp"
#include "runtime/policy/silence_watch.hpp"

#include <functional>
#include <optional>
#include <vector>

namespace troupe::replay {

/// Both clocks begin here.
inline constexpr Instant migration_start{std::chrono::hours(1)};
policy::Moment migration_moment(Instant now);

/// How an attempt went, for guard and breaker.
struct FleetEnd {
  Fate fate;
  policy::QuotaNeed held;
  std::optional<Errc> error;
  std::uint32_t written = 0;
  Instant began;
  /// `silent`: no first token came within the breaker's patience, and it was told.
  bool trickle = false, silent = false;
  /// Ours, not a customer's.
  bool copy = false, probe = false;
};

/// Health is published at every end and every second. Not thread-safe.
class MigrationFleet {
 public:
  struct Hear {
    std::function<void(std::uint32_t, policy::HealthPtr)> health;
    std::function<void(std::uint32_t, const policy::BreakerEvent&)> moved;
  };
  MigrationFleet(const MigrationWorld& world, Hear hear);

  std::uint32_t size() const { return static_cast<std::uint32_t>(members_.size()); }
  const policy::EndpointFacts& facts(std::uint32_t index) const { return *members_[index].facts; }
  std::vector<policy::FactsPtr> all_facts() const;
  double usd_of(std::uint32_t index, std::uint64_t input, std::uint64_t output) const;
  bool is_new(std::uint32_t index) const { return facts(index).model == migration_new; }

  struct Admitted {
    std::optional<policy::QuotaNeed> held;
    std::optional<Duration> wait;
  };
  Admitted admit(std::uint32_t index, double input, double output_max, Instant now);
  /// What becomes of an attempt that was admitted; `end` must follow.
  Fate begin(std::uint32_t index, const CloudAsk& ask, Instant now);
  /// The same of one that the model refuses as malformed.
  Fate refuse(std::uint32_t index);
  void watch(std::uint32_t index, std::uint64_t attempt, Instant now);
  /// As policy::SilenceWatch::due; whoever is still silent must be told by `hear_silence`.
  std::optional<std::uint64_t> silence_due(std::uint32_t index, Instant now);
  void hear_silence(std::uint32_t index, const policy::Silence& silence);
  void end(std::uint32_t index, const FleetEnd& end, Instant now);
  void rate(std::uint32_t index, bool good, Instant now);
  void on_second(Instant now);
  void publish_all(Instant now);
  /// As policy::Breaker::take_probe.
  bool take_probe(std::uint32_t index, Instant now) { return members_[index].breaker.take_probe(now); }
  /// Closed, or on trial for a share that `draw` in [0, 1) is within; and not asked to wait.
  bool takes_copy(std::uint32_t index, double draw, Instant now) const;

 private:
  struct Member {
    policy::FactsPtr facts;
    policy::EndpointGuard guard;
    policy::Breaker breaker;
    CloudEndpoint cloud;
    LoadLaw load;
    policy::SilenceWatch silence = {};
    std::uint32_t in_flight = 0;
    std::uint64_t version = 0;
  };
  void seat_peers(const config::Config& config);
  void heard(std::uint32_t index, const std::optional<policy::BreakerEvent>& event, Instant now);
  void publish(std::uint32_t index, Instant now);

  std::vector<Member> members_;
  std::shared_ptr<policy::PeerBoard> peers_;
  Hear hear_;
};

}  // namespace troupe::replay
