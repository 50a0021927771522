// From an actor on one node to an actor on another, over the gateway with CURVE, beside bare ZeroMQ with
// CURVE in the same run: 1 KiB messages over TCP loopback. ./dev bench nodes
#include "actors/interfaces.hpp"
#include "actors/shell.hpp"
#include "bench/wire_sides.hpp"

#include <caf/actor_system_config.hpp>
#include <caf/exit_reason.hpp>

namespace troupe::transport {
namespace {

using actors::FromPeer;
using actors::Tick;
using BallastActor = caf::typed_actor<caf::reacts_to<FromPeer>, caf::reacts_to<Tick>>;

// An actor whose two reactions the measurement sets while nothing is under way.
struct BallastState {
  static constexpr const char* name = "ballast";
  struct Reactions {
    std::function<void(const Inbound&)> on_message = [](const Inbound&) {};
    std::function<void()> on_tick = [] {};
  };
  explicit BallastState(BallastActor::pointer) {}
  BallastActor::behavior_type start(std::shared_ptr<Reactions> reactions) {
    return {[reactions](const FromPeer& fact) { reactions->on_message(*fact.message); },
            [reactions](Tick) { reactions->on_tick(); }};
  }
};

/// Two nodes' gateways, each with one actor pinned to its thread.
class Nodes {
 public:
  Nodes() {
    config_.set("scheduler.policy", caf::atom("sharing"));
    system_.emplace(config_);
    GatewayConfig a, b;
    a.id = "a", b.id = "b";
    a.keys = make_key_pair(), b.keys = make_key_pair();
    a.listen = "tcp://127.0.0.1:*";
    a.peers = {{"b", "", b.keys.public_key}};
    a_.gateway = Gateway::start(a, a_.side).value();
    b.peers = {{"a", a_.gateway->address(), a.keys.public_key}};
    b_.gateway = Gateway::start(b, b_.side).value();
    a_.side.up.acquire();
    b_.side.up.acquire();
    for (auto* end : {&a_, &b_}) {
      end->unit.emplace(*system_, *end->gateway);
      end->actor = actors::spawn_shell<BallastActor, BallastState>(*system_, &*end->unit, end->reactions);
      std::binary_semaphore set{0};
      end->gateway->post([end, &set] {
        end->side.take = [end](Inbound in) {
          caf::anon_send(end->actor, FromPeer{std::make_shared<const Inbound>(std::move(in))});
        };
        set.release();
      });
      set.acquire();
    }
  }
  ~Nodes() {
    for (auto* end : {&a_, &b_}) caf::anon_send_exit(end->actor, caf::exit_reason::user_shutdown);
    system_->await_all_actors_done();
    for (auto* end : {&a_, &b_}) {
      end->gateway->stop();
      end->actor = nullptr;
      end->unit.reset();
    }
  }

  double one_way() {
    std::binary_semaphore done{0};
    int received = 0, sent = 0;
    a_.reactions->on_message = [&](const Inbound&) {
      if (++received == kOneWayMessages) done.release();
    };
    // A turn's worth at a time, so that the gateway's thread also gets to send.
    b_.reactions->on_tick = [&] {
      for (int i = 0; i < 256 && sent < kOneWayMessages; ++i) {
        if (!b_.gateway->send("a", {.body = std::string(kBodyBytes, 'x')})) break;
        ++sent;
      }
      if (sent < kOneWayMessages) caf::anon_send(b_.actor, Tick{});
    };
    auto start = BenchClock::now();
    caf::anon_send(b_.actor, Tick{});
    done.acquire();
    return kOneWayMessages / seconds_since(start);
  }

  RoundTrips round_trips(int count, int in_flight) {
    std::binary_semaphore done{0};
    std::vector<BenchClock::time_point> sent;
    std::vector<double> took;
    a_.reactions->on_message = [this](const Inbound& in) {
      std::ignore = a_.gateway->send("b", {.body = in.body});
    };
    b_.reactions->on_message = [&](const Inbound& in) {
      took.push_back(seconds_since(sent[took.size()]) * 1e6);
      if (static_cast<int>(took.size()) == count) return done.release();
      if (static_cast<int>(sent.size()) == count) return;
      sent.push_back(BenchClock::now());
      std::ignore = b_.gateway->send("a", {.body = in.body});
    };
    b_.reactions->on_tick = [&] {
      for (int i = 0; i < in_flight; ++i) {
        sent.push_back(BenchClock::now());
        std::ignore = b_.gateway->send("a", {.body = std::string(kBodyBytes, 'x')});
      }
    };
    auto start = BenchClock::now();
    caf::anon_send(b_.actor, Tick{});
    done.acquire();
    return {count / seconds_since(start), median(took)};
  }

 private:
  struct End {
    Side side;
    std::unique_ptr<Gateway> gateway;
    std::optional<actors::Unit> unit;
    std::shared_ptr<BallastState::Reactions> reactions = std::make_shared<BallastState::Reactions>();
    BallastActor actor;
  };
  caf::actor_system_config config_;
  std::optional<caf::actor_system> system_;
  End a_, b_;
};

template <class Wire>
void measure(const std::string& name, Wire& wire, Figures& figures) {
  figures.add("nodes." + name + ".one_way", "msg/s", wire.one_way());
  figures.add("nodes." + name + ".rtt_1.p50", "us", wire.round_trips(kRoundTrips, 1).p50_us);
  figures.add("nodes." + name + ".rtt_64.rate", "rt/s", wire.round_trips(kRoundTripsInFlight, 64).per_second);
}

void measure_in_turns(const std::string& filter) {
  Figures figures(filter);
  for (int i = 0; i < kRepetitions; ++i) {
    {
      Bare bare;
      measure("bare_zeromq", bare, figures);
    }
    Nodes nodes;
    measure("actor_to_actor", nodes, figures);
  }
  figures.add("nodes.ratio", "x",
              figures.of("nodes.actor_to_actor.one_way") / figures.of("nodes.bare_zeromq.one_way"));
  figures.add("nodes.ratio.rtt_64", "x",
              figures.of("nodes.actor_to_actor.rtt_64.rate") / figures.of("nodes.bare_zeromq.rtt_64.rate"));
  figures.print();
}

}  // namespace
}  // namespace troupe::transport

int main(int argc, char** argv) {
  std::string filter = argc > 1 ? argv[1] : "";
  if (filter.empty() || filter.starts_with("nodes")) troupe::transport::measure_in_turns(filter);
}
