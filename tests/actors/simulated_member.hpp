// One of two simulated nodes: what it hears of the other, and what may go wrong with both.
#pragma once

#include "actors/run_host.hpp"
#include "actors/supervisor.hpp"
#include "actors/wire.hpp"
#include "runtime/base/rng.hpp"
#include "runtime/transport/memory.hpp"
#include "tests/actors/simulated_clouds.hpp"
#include "tests/support/simulated_store.hpp"

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace troupe::actors::testing {

/// Chances; those without a unit are per turn of 20 ms.
struct PairFaults {
  double provider = 0.15;  ///< per attempt
  double process_dies = 0.0015, disk_breaks = 0.001, wire_parts = 0.002, process_stops = 0;
  double unheard = 0.3;  ///< per commit that waits when its process dies
  transport::WireFaults wire{std::chrono::milliseconds(1), std::chrono::milliseconds(60), 0.03, 0.03};
  transport::Mechanisms mechanisms;
};

/// A node: what outlives its processes, and its process of now.
struct PairMember final : transport::GatewayListener {
  PairMember(std::string name, journal::testing::SimulatedStore& node_store, const PairFaults& faults,
             Rng& rng, const ManualClock& node_clock, Purchases& bought)
      : id(std::move(name)),
        other(id == "a" ? "b" : "a"),
        store(node_store),
        clock(node_clock),
        purchases(bought),
        clouds(faults.provider, rng, node_clock, bought) {
    clouds.nobodys = [this](const std::string& step) {
      return (Purchases::take_one(arrived, step) ? *across : *this).store.seat_lost();
    };
  }

  void on_peer_up(const std::string& peer, std::uint64_t incarnation) override {
    heard([this, fact = LinkChanged{peer, true, incarnation, {}}] { tell_peer(fact); });
  }
  void on_peer_down(const std::string& peer, const std::string& reason) override {
    heard([this, fact = LinkChanged{peer, false, 0, reason}] {
      gave_up = clock.wall();
      purchases.disturbed(clock.now());
      tell_peer(fact);
    });
  }
  void on_message(transport::Inbound message) override {
    auto shared = std::make_shared<const transport::Inbound>(std::move(message));
    heard([this, shared] {
      note_stale(*shared);
      tell_peer(FromPeer{shared});
    });
  }
  // What an order says of its deadline and of the time that is left tells when it was sent.
  void note_stale(const transport::Inbound& message) {
    if (message.kind != static_cast<std::uint32_t>(WireKind::run_attempt)) return;
    auto body = body_from<RunAttemptBody>(message.body);
    if (!body || step_of(body->request).empty()) return;
    arrived.insert(step_of(body->request));
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(body->time_left).count();
    if (message.deadline_ms - left <= across->gave_up.ms) purchases.stale(step_of(body->request));
  }
  // A process that is stopped hears what came meanwhile when it goes on.
  void heard(std::function<void()> work) {
    if (stopped) return backlog.push_back(std::move(work));
    work();
  }
  template <class Message>
  void tell_peer(Message message) {
    if (!board) return;
    auto peers = board->peers.load();
    if (auto it = peers->find(other); it != peers->end()) caf::anon_send(it->second, std::move(message));
  }

  std::string id, other;
  journal::testing::SimulatedStore& store;
  const ManualClock& clock;
  Purchases& purchases;
  SimulatedClouds clouds;
  PairMember* across = nullptr;
  std::multiset<std::string> arrived;  ///< steps the other node asks for
  WallTime gave_up;                    ///< all it had asked of the other
  std::shared_ptr<CastBoard> board;
  SupervisorActor supervisor;
  std::unique_ptr<RunHost> host;
  std::vector<std::function<void()>> backlog;
  bool stopped = false;
  Instant stopped_until;
};

}  // namespace troupe::actors::testing
