// Two and more nodes over a bad network, a thousand seeds: once, in order, bounded.
#include "runtime/transport/memory.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace troupe::transport {
namespace {

using namespace std::chrono_literals;
using protocol::Lane;

struct Recorder : GatewayListener {
  std::map<std::pair<std::string, Lane>, std::vector<std::string>> got;
  std::vector<std::string> events;
  std::function<void(const Inbound&)> also;

  void on_peer_up(const std::string& peer, std::uint64_t) override { events.push_back("up " + peer); }
  void on_peer_down(const std::string& peer, const std::string& why) override {
    events.push_back("down " + peer + ": " + why);
  }
  void on_message(Inbound message) override {
    got[{message.peer, message.lane}].push_back(message.body);
    if (also) also(message);
  }
};

GatewayConfig config_of(const std::string& id, std::vector<std::string> peers) {
  GatewayConfig config;
  config.id = id;
  for (auto& peer : peers) config.peers.push_back({.id = peer});
  config.credit_window = 32;
  config.waiting_max = 64;
  return config;
}

Outbound message(Lane lane, std::string body, std::int64_t deadline_ms = 0) {
  return {.lane = lane, .kind = 1, .deadline_ms = deadline_ms, .body = std::move(body)};
}

WireFaults bad_wire() { return {.delay_min = 100us, .delay_max = 30ms, .drop = 0.15, .duplicate = 0.15}; }

/// Two nodes that talk both ways on all lanes while the wire misbehaves.
struct Storm {
  ManualClock clock;
  Rng rng;
  MemoryWorld world;
  Recorder a, b;
  Gateway *from_a, *from_b;
  std::map<std::pair<std::string, Lane>, std::vector<std::string>> accepted;  // by receiver
  std::size_t most_waiting = 0, most_flying = 0;

  explicit Storm(std::uint64_t seed, Mechanisms mechanisms = {})
      : rng(seed),
        world(seed, bad_wire(), clock),
        from_a(&world.add(config_of("a", {"b"}), a, mechanisms)),
        from_b(&world.add(config_of("b", {"a"}), b, mechanisms)) {}

  void say(Gateway& gateway, const std::string& from, const std::string& to) {
    auto lane = static_cast<Lane>(rng.below(3));
    auto& list = accepted[{from, lane}];
    auto body = fmt::format("{}>{} {}", from, to, list.size());
    if (gateway.send(to, message(lane, body))) list.push_back(body);
  }

  void watch(const std::string& id, const std::string& peer) {
    auto* link = world.mesh(id)->find(peer);
    for (auto lane : {Lane::control, Lane::data, Lane::bulk}) {
      most_waiting = std::max(most_waiting, link->sending(lane).waiting());
      most_flying = std::max(most_flying, link->sending(lane).in_flight());
    }
  }

  void run(int messages) {
    for (int i = 0; i < messages; ++i) {
      say(*from_a, "a", "b");
      say(*from_b, "b", "a");
      if (rng.below(40) == 0) rng.below(2) ? world.cut("a", "b") : world.cut("b", "a");
      if (rng.below(20) == 0) world.heal("a", "b"), world.heal("b", "a");
      if (rng.below(3) == 0) world.pass(Duration(static_cast<std::int64_t>(rng.below(80'000'000))));
      watch("a", "b");
      watch("b", "a");
    }
    world.heal("a", "b");
    world.heal("b", "a");
    world.pass(60s);
  }

  std::map<std::pair<std::string, Lane>, std::vector<std::string>> delivered() const {
    auto out = a.got;
    out.insert(b.got.begin(), b.got.end());
    return out;
  }
  bool exact() const {
    auto wanted = accepted;
    std::erase_if(wanted, [](const auto& entry) { return entry.second.empty(); });
    return delivered() == wanted;
  }
};

// O3: duplicate, reorder and drop fuzz; exact counts.
TEST(Simulation, EveryAcceptedMessageArrivesOnceAndInOrderOverAThousandSeeds) {
  for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
    Storm storm(seed);
    storm.run(120);
    ASSERT_TRUE(storm.exact()) << "seed " << seed;
    ASSERT_LE(storm.most_waiting, 64u) << "seed " << seed;
    ASSERT_LE(storm.most_flying, 32u) << "seed " << seed;
  }
}

TEST(Simulation, WithoutResendMessagesAreLost) {
  int inexact = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Storm storm(seed, {.resend = false});
    storm.run(120);
    inexact += !storm.exact();
  }
  EXPECT_GE(inexact, 18);
}

TEST(Simulation, WithoutDedupMessagesArriveTwice) {
  int inexact = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Storm storm(seed, {.dedup = false});
    storm.run(120);
    inexact += !storm.exact();
  }
  EXPECT_GE(inexact, 18);
}

TEST(Simulation, TheSameSeedGivesTheSameHistory) {  // O7
  auto history = [](std::uint64_t seed) {
    Storm storm(seed);
    storm.run(100);
    return storm.world.history();
  };
  for (std::uint64_t seed = 1; seed <= 10; ++seed) EXPECT_EQ(history(seed), history(seed));
  EXPECT_NE(history(1), history(2));
}

TEST(Simulation, ControlNeverWaitsBehindDataOrBulk) {
  ManualClock clock;
  MemoryWorld world(1, {}, clock);
  Recorder a, b;
  auto config = config_of("a", {"b"});
  config.waiting_max = 10'000;
  config.flight_bytes_max = 64 << 10;
  auto& gateway = world.add(config, a);
  world.add(config_of("b", {"a"}), b);
  world.pass(100ms);
  std::size_t data_before = 0;
  b.also = [&](const Inbound& inbound) {
    if (inbound.lane == Lane::control)
      data_before = b.got[{"a", Lane::data}].size() + b.got[{"a", Lane::bulk}].size();
  };
  for (int i = 0; i < 2000; ++i) {
    ASSERT_TRUE(gateway.send("b", message(Lane::data, std::string(1000, 'd'))));
    ASSERT_TRUE(gateway.send("b", message(Lane::bulk, std::string(1000, 'b'))));
  }
  world.pass(1ms);
  ASSERT_TRUE(gateway.send("b", message(Lane::control, "cancel")));
  world.pass(10s);
  ASSERT_EQ((b.got[{"a", Lane::control}].size()), 1u);
  // Only what was already on its way, at most a credit window per lane and one more granted meanwhile.
  EXPECT_LE(data_before, 4u * 32u);
  EXPECT_EQ((b.got[{"a", Lane::data}].size()), 2000u);
  EXPECT_EQ((b.got[{"a", Lane::bulk}].size()), 2000u);
}

TEST(Simulation, TheWaitingQueueRefusesAtItsLimitAndNotBefore) {  // O8
  ManualClock clock;
  MemoryWorld world(1, {}, clock);
  Recorder a;
  auto& gateway = world.add(config_of("a", {"b"}), a);
  for (int i = 0; i < 64; ++i) ASSERT_TRUE(gateway.send("b", message(Lane::data, "x"))) << i;
  auto refused = gateway.send("b", message(Lane::data, "x"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::refused);
  EXPECT_TRUE(gateway.send("b", message(Lane::control, "x"))) << "lanes have a queue each";
}

TEST(Simulation, WaitingBytesAreBoundedToo) {  // O8
  ManualClock clock;
  MemoryWorld world(1, {}, clock);
  Recorder a;
  auto config = config_of("a", {"b"});
  config.waiting_bytes_max = 10 * (1000 + 128);
  auto& gateway = world.add(config, a);
  int accepted = 0;
  while (gateway.send("b", message(Lane::data, std::string(1000, 'x')))) ++accepted;
  EXPECT_EQ(accepted, 10);
}

TEST(Simulation, ABodyAtTheLimitPassesAndOneOverItIsRefused) {
  ManualClock clock;
  MemoryWorld world(1, {}, clock);
  Recorder a, b;
  auto config = config_of("a", {"b"});
  config.frame_bytes_max = 1000;
  auto& gateway = world.add(config, a);
  world.add(config_of("b", {"a"}), b);
  EXPECT_TRUE(gateway.send("b", message(Lane::data, std::string(1000, 'x'))));
  auto over = gateway.send("b", message(Lane::data, std::string(1001, 'x')));
  ASSERT_FALSE(over);
  EXPECT_EQ(over.error().code, Errc::invalid_input);
  EXPECT_EQ(gateway.send("nobody", message(Lane::data, "x")).error().code, Errc::not_found);
  world.pass(1s);
  EXPECT_EQ((b.got[{"a", Lane::data}].size()), 1u);
}

TEST(Simulation, ExpiredMessagesAreDroppedOnEitherSideAndTheRestGoesOn) {  // O8
  ManualClock clock;
  MemoryWorld world(1, {.delay_min = 50ms, .delay_max = 50ms}, clock);
  Recorder a, b;
  auto& gateway = world.add(config_of("a", {"b"}), a);
  world.add(config_of("b", {"a"}), b);
  auto now = clock.wall().ms;
  ASSERT_TRUE(gateway.send("b", message(Lane::data, "dies waiting", now - 1)));
  ASSERT_TRUE(gateway.send("b", message(Lane::data, "lives", now + 60'000)));
  world.pass(1s);
  ASSERT_TRUE(gateway.send("b", message(Lane::data, "dies on the way", clock.wall().ms + 20)));
  ASSERT_TRUE(gateway.send("b", message(Lane::data, "lives too")));
  world.pass(1s);
  EXPECT_EQ((b.got[{"a", Lane::data}]), (std::vector<std::string>{"lives", "lives too"}));
  EXPECT_EQ(world.mesh("a")->stats().dropped_expired, 1u);
  EXPECT_EQ(world.mesh("b")->stats().dropped_expired, 1u);
}

TEST(Simulation, ASilentPeerGoesDownAndComesBackWithNothingLost) {
  ManualClock clock;
  MemoryWorld world(1, {}, clock);
  Recorder a, b;
  auto& gateway = world.add(config_of("a", {"b"}), a);
  world.add(config_of("b", {"a"}), b);
  world.pass(1s);
  // One direction only: each side must still notice.
  world.cut("a", "b");
  ASSERT_TRUE(gateway.send("b", message(Lane::data, "held")));
  world.pass(5s);
  EXPECT_EQ(a.events, (std::vector<std::string>{"up b", "down b: not heard for 2000 ms"}));
  EXPECT_EQ(b.events, (std::vector<std::string>{"up a", "down a: not heard for 2000 ms"}));
  world.heal("a", "b");
  world.pass(2s);
  EXPECT_EQ(a.events.back(), "up b");
  EXPECT_EQ((b.got[{"a", Lane::data}]), std::vector<std::string>{"held"});
}

TEST(Simulation, ANewLifeIsNeverGivenTheOldOnesMessages) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    ManualClock clock;
    MemoryWorld world(seed, bad_wire(), clock);
    Recorder a, old_b, new_b;
    auto& gateway = world.add(config_of("a", {"b"}), a);
    world.add(config_of("b", {"a"}), old_b);
    world.pass(3s);
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(gateway.send("b", message(Lane::data, "for the old life")));
    world.pass(5ms);
    world.add(config_of("b", {"a"}), new_b);
    std::size_t ups = 0;
    for (int i = 0; i < 600 && ups < 2; ++i) {
      world.pass(10ms);
      ups = static_cast<std::size_t>(std::ranges::count(a.events, "up b"));
    }
    ASSERT_EQ(ups, 2u) << "seed " << seed;
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(gateway.send("b", message(Lane::data, fmt::format("{}", i))));
    world.pass(20s);
    auto& got = new_b.got[{"a", Lane::data}];
    ASSERT_EQ(got.size(), 20u) << "seed " << seed;
    for (int i = 0; i < 20; ++i) ASSERT_EQ(got[static_cast<std::size_t>(i)], fmt::format("{}", i));
  }
}

TEST(Simulation, ClientsAreAnsweredKeptApartAndForgotten) {
  ManualClock clock;
  MemoryWorld world(1, {}, clock);
  Recorder server, client;
  auto config = config_of("server", {});
  config.client_keys = {"cli"};
  auto& answering = world.add(config, server);
  server.also = [&](const Inbound& inbound) {
    std::ignore = answering.send(inbound.peer, message(Lane::data, "answer to " + inbound.body));
  };
  auto& asking = world.add(config_of("cli", {"server"}), client);
  ASSERT_TRUE(asking.send("server", message(Lane::data, "question")));
  world.pass(1s);
  EXPECT_EQ((client.got[{"server", Lane::data}]), std::vector<std::string>{"answer to question"});
  EXPECT_EQ(world.mesh("server")->names(), std::vector<std::string>{"client:cli#2"});
  world.add(config_of("cli", {"server"}), client);
  world.pass(1s);
  EXPECT_EQ(world.mesh("server")->names().size(), 2u) << "two programs with one key are two peers";
  world.kill("cli");
  world.pass(5s);
  EXPECT_TRUE(world.mesh("server")->names().empty());
}

TEST(Simulation, ClientsAreBounded) {
  ManualClock clock;
  MemoryWorld world(1, {}, clock);
  Recorder server, client;
  auto config = config_of("server", {});
  config.client_keys = {"cli"};
  config.clients_max = 3;
  world.add(config, server);
  for (int i = 0; i < 5; ++i) {
    world.add(config_of("cli", {"server"}), client);
    world.pass(100ms);
  }
  EXPECT_EQ(world.mesh("server")->names().size(), 3u);
  EXPECT_GT(world.mesh("server")->stats().malformed, 0u);
}

TEST(Simulation, ASlowListenerHoldsTheSenderBack) {  // O8
  ManualClock clock;
  MemoryWorld world(1, {}, clock);
  Recorder a, b;
  auto config = config_of("b", {"a"});
  config.credit_on_consume = true;
  auto& receiver = world.add(config, b);
  auto& sender = world.add(config_of("a", {"b"}), a);
  world.pass(100ms);
  int accepted = 0;
  for (int i = 0; i < 1000; ++i) {
    accepted += sender.send("b", message(Lane::data, fmt::format("{}", i))).has_value();
    world.pass(5ms);
  }
  EXPECT_EQ((b.got[{"a", Lane::data}].size()), 32u) << "one credit window and no more";
  EXPECT_EQ(accepted, 32 + 64);
  EXPECT_TRUE(sender.send("b", message(Lane::control, "still heard")));
  receiver.consumed("a", Lane::data, 10);
  world.pass(1s);
  EXPECT_EQ((b.got[{"a", Lane::data}].size()), 42u);
  EXPECT_EQ((b.got[{"a", Lane::control}].size()), 1u);
}

}  // namespace
}  // namespace troupe::transport
