// Gateways over real sockets: both directions, restarts of connections, bounds.
#include "runtime/transport/mesh.hpp"
#include "tests/transport/loopback.hpp"

#include <fmt/format.h>

namespace troupe::transport {
namespace {

using protocol::Lane;

std::vector<std::string> bodies(Heard& heard, Lane lane) {
  std::vector<std::string> out;
  for (auto& message : heard.messages()) {
    if (message.lane == lane) out.push_back(message.body);
  }
  return out;
}

void expect_numbered(const std::vector<std::string>& got, std::size_t count) {
  ASSERT_EQ(got.size(), count);
  for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(got[i], fmt::format("{}", i));
}

// Two commands of one key that a script starts at once were taken for one, and each lost the other's answer.
TEST(Incarnation, GrowsWithTimeAndTellsProcessesOfOneMillisecondApart) {
  WallTime now{1'795'449'486'123};
  EXPECT_NE(incarnation_at(now, 17, 0), incarnation_at(now, 18, 0));
  EXPECT_EQ(incarnation_at(now, 17, 0), incarnation_at(now, 17 + (1u << 20), 0)) << "twenty bits are drawn";
  auto first = incarnation_at(now, ~0u, 0);
  EXPECT_EQ(incarnation_at(now, ~0u, first), first + 1) << "a later start of the same process";
  EXPECT_GT(incarnation_at({now.ms + 1}, 0, 0), first) << "whatever was drawn";
  EXPECT_GT(incarnation_at(now, 0, 0), static_cast<std::uint64_t>(now.ms) * 4096 + 4095) << "of older builds";
  EXPECT_EQ(incarnation_at({now.ms - 1000}, 0, first), first + 1) << "a clock set back";
}

TEST(Gateway, TwoExchangeInBothDirectionsOnEveryLane) {  // O2
  Pair pair;
  pair.start();
  for (int i = 0; i < 500; ++i) {
    for (auto lane : {Lane::control, Lane::data, Lane::bulk}) {
      ASSERT_TRUE(pair.a->send("b", {.lane = lane, .body = fmt::format("{}", i)}));
      ASSERT_TRUE(pair.b->send("a", {.lane = lane, .body = fmt::format("{}", i)}));
    }
  }
  ASSERT_TRUE(pair.a_heard.wait_messages(1500));
  ASSERT_TRUE(pair.b_heard.wait_messages(1500));
  for (auto lane : {Lane::control, Lane::data, Lane::bulk}) {
    expect_numbered(bodies(pair.a_heard, lane), 500);
    expect_numbered(bodies(pair.b_heard, lane), 500);
  }
  EXPECT_EQ(pair.a_heard.ups("b"), std::vector{pair.b->incarnation()});
}

TEST(Gateway, EveryFieldOfAMessageArrives) {
  Pair pair;
  pair.start();
  auto far = std::int64_t{4'000'000'000'000};
  ASSERT_TRUE(pair.b->send("a", {Lane::bulk, 42, far, "trace-1", std::string("\0body", 5)}));
  ASSERT_TRUE(pair.a_heard.wait_messages(1));
  auto message = pair.a_heard.messages().at(0);
  EXPECT_EQ(message.peer, "b");
  EXPECT_EQ(message.lane, Lane::bulk);
  EXPECT_EQ(message.kind, 42u);
  EXPECT_EQ(message.deadline_ms, far);
  EXPECT_EQ(message.trace, "trace-1");
  EXPECT_EQ(message.body, std::string("\0body", 5));
}

TEST(Gateway, TwoThatListEachOtherUseAConnectionPerDirection) {
  auto a_keys = make_key_pair(), b_keys = make_key_pair();
  Heard a_heard, b_heard;
  // Ports must be known to each before both run: take a's, then start it again at the same place with b's
  // address.
  auto a_config = quick_config("a", a_keys);
  a_config.listen = start_gateway(a_config, a_heard)->address();
  auto b_config = quick_config("b", b_keys);
  b_config.peers.push_back({"a", a_config.listen, a_keys.public_key});
  auto b = start_gateway(b_config, b_heard);
  a_config.peers.push_back({"b", b->address(), b_keys.public_key});
  auto a = start_gateway(a_config, a_heard);
  ASSERT_TRUE(a_heard.wait_up("b"));
  ASSERT_TRUE(b_heard.wait_up("a"));
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(a->send("b", data(fmt::format("{}", i))));
    ASSERT_TRUE(b->send("a", data(fmt::format("{}", i))));
  }
  ASSERT_TRUE(a_heard.wait_messages(100));
  ASSERT_TRUE(b_heard.wait_messages(100));
  expect_numbered(bodies(a_heard, Lane::data), 100);
  expect_numbered(bodies(b_heard, Lane::data), 100);
}

TEST(Gateway, PostedWorkRunsOnItsThreadAndMaySend) {
  Pair pair;
  pair.start();
  EXPECT_FALSE(pair.b->here());
  pair.b->post([&] {
    EXPECT_TRUE(pair.b->here());
    EXPECT_TRUE(pair.b->send("a", data("from inside")));
  });
  ASSERT_TRUE(pair.a_heard.wait_messages(1));
  EXPECT_EQ(pair.a_heard.messages()[0].body, "from inside");
}

TEST(Gateway, AListenerMayAnswerAtOnce) {
  Pair pair;
  Gateway* a = nullptr;  // the listener's own, set on its thread
  pair.a_heard.also = [&](const Inbound& in) { EXPECT_TRUE(a->send(in.peer, data("re: " + in.body))); };
  pair.a = start_gateway(pair.a_config(), pair.a_heard);
  pair.a->post([&a, started = pair.a.get()] { a = started; });
  pair.b = start_gateway(pair.b_config(pair.a->address()), pair.b_heard);
  ASSERT_TRUE(pair.b->send("a", data("ping")));
  ASSERT_TRUE(pair.b_heard.wait_messages(1));
  EXPECT_EQ(pair.b_heard.messages()[0].body, "re: ping");
}

TEST(Gateway, ClientsConnectWithTheirKeyAndAreAnswered) {
  auto server_keys = make_key_pair(), client_keys = make_key_pair();
  Heard server_heard, first_heard, second_heard;
  auto config = quick_config("server", server_keys);
  config.client_keys = {client_keys.public_key};
  Gateway* answering = nullptr;  // the listener's own, set on its thread
  server_heard.also = [&](const Inbound& in) {
    std::ignore = answering->send(in.peer, data("re: " + in.body));
  };
  auto server = start_gateway(config, server_heard);
  server->post([&answering, started = server.get()] { answering = started; });
  auto client_config = quick_config("cli", client_keys);
  client_config.listen = "";
  client_config.peers.push_back({"server", server->address(), server_keys.public_key});
  auto first = start_gateway(client_config, first_heard);
  auto second = start_gateway(client_config, second_heard);
  EXPECT_EQ(first->address(), "");
  ASSERT_TRUE(first->send("server", data("one")));
  ASSERT_TRUE(second->send("server", data("two")));
  ASSERT_TRUE(first_heard.wait_messages(1));
  ASSERT_TRUE(second_heard.wait_messages(1));
  EXPECT_EQ(first_heard.messages()[0].body, "re: one");
  EXPECT_EQ(second_heard.messages()[0].body, "re: two");
  for (auto& message : server_heard.messages()) {
    EXPECT_TRUE(message.peer.starts_with("client:" + client_keys.public_key.substr(0, 12) + "#"))
        << message.peer;
  }
  auto name = server_heard.messages()[0].peer;
  first->stop();
  second->stop();
  ASSERT_TRUE(server_heard.wait_down(name));
  auto too_late = server->send(name, data("too late"));
  ASSERT_FALSE(too_late);
  EXPECT_EQ(too_late.error().code, Errc::not_found);
}

TEST(Gateway, WhatIsSentBeforeThePeerExistsArrivesWhenItComes) {
  Pair pair;
  pair.a = start_gateway(pair.a_config(), pair.a_heard);
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(pair.a->send("b", data(fmt::format("{}", i))));
  pair.b = start_gateway(pair.b_config(pair.a->address()), pair.b_heard);
  ASSERT_TRUE(pair.b_heard.wait_messages(50));
  expect_numbered(bodies(pair.b_heard, Lane::data), 50);
}

TEST(Gateway, SendsBeyondTheLimitsAreRefused) {  // O8
  Pair pair;
  auto config = pair.a_config();
  config.waiting_max = 10;
  config.frame_bytes_max = 1000;
  pair.a = start_gateway(config, pair.a_heard);
  EXPECT_EQ(pair.a->send("b", data(std::string(1001, 'x'))).error().code, Errc::invalid_input);
  EXPECT_EQ(pair.a->send("nobody", data("x")).error().code, Errc::not_found);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(pair.a->send("b", data(fmt::format("{}", i))));
  EXPECT_EQ(pair.a->send("b", data("x")).error().code, Errc::refused);
  pair.b = start_gateway(pair.b_config(pair.a->address()), pair.b_heard);
  ASSERT_TRUE(pair.b_heard.wait_messages(10));
  expect_numbered(bodies(pair.b_heard, Lane::data), 10);
}

TEST(Gateway, ASlowListenerBoundsWhatIsOnTheWay) {  // O8: credit, not memory, absorbs a slow peer
  Pair pair;
  pair.a = start_gateway(pair.a_config(), pair.a_heard);
  auto config = pair.b_config(pair.a->address());
  config.credit_window = 16;
  config.credit_on_consume = true;
  pair.b = start_gateway(config, pair.b_heard);
  ASSERT_TRUE(pair.a_heard.wait_up("b"));
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(pair.a->send("b", data(fmt::format("{}", i))));
  ASSERT_TRUE(pair.b_heard.wait_messages(16));
  ASSERT_TRUE(pair.a->send("b", {.lane = Lane::control, .body = "still heard"}));
  ASSERT_TRUE(pair.b_heard.wait_messages(17));
  EXPECT_EQ(bodies(pair.b_heard, Lane::data).size(), 16u);
  for (std::size_t arrived = 16; arrived < 100; arrived += 14) {
    pair.b->consumed("a", Lane::data, 14);
    ASSERT_TRUE(pair.b_heard.wait_messages(arrived + 14 + 1));
  }
  expect_numbered(bodies(pair.b_heard, Lane::data), 100);
}

TEST(Gateway, AMessageAtTheSizeLimitArrives) {
  Pair pair;
  pair.start();
  std::string large(16u << 20, 'x');
  ASSERT_TRUE(pair.b->send("a", data(large)));
  ASSERT_TRUE(pair.a_heard.wait_messages(1));
  EXPECT_TRUE(pair.a_heard.messages()[0].body == large);
}

TEST(Gateway, AStoppedOneRefusesAndForgets) {
  Pair pair;
  pair.start();
  ASSERT_TRUE(pair.a_heard.wait_up("b"));
  for (int i = 0; i < 1000; ++i) std::ignore = pair.b->send("a", data(std::string(10'000, 'x')));
  bool ran = false;
  pair.b->stop();
  pair.b->stop();
  pair.b->post([&] { ran = true; });
  EXPECT_FALSE(ran);
  EXPECT_EQ(pair.b->send("a", data("x")).error().code, Errc::unreachable);
  ASSERT_TRUE(pair.a_heard.wait_down("b"));
}

TEST(Gateway, StoppingWithNobodyThereDoesNotHang) {
  Heard heard;
  auto config = quick_config("a");
  config.peers.push_back({"ghost", "tcp://127.0.0.1:1", make_key_pair().public_key});
  auto gateway = start_gateway(config, heard);
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(gateway->send("ghost", data("x")));
  gateway.reset();
}

TEST(Gateway, BadConfigurationsAreNamed) {
  Heard heard;
  auto refused = [&](auto change) {
    auto config = quick_config("a");
    change(config);
    auto started = Gateway::start(config, heard);
    return started ? "" : std::string(to_string(started.error().code)) + ": " + started.error().what;
  };
  auto key = make_key_pair().public_key;
  EXPECT_EQ(refused([](auto&) {}), "");
  EXPECT_NE(refused([](auto& c) { c.listen = "tcp://256.0.0.1:0"; }).find("bad_config: cannot listen on"),
            -1ul);
  EXPECT_NE(refused([](auto& c) { c.keys.secret_key = "short"; }).find("bad_config: the node's secret key"),
            -1ul);
  EXPECT_NE(refused([](auto& c) { c.keys.public_key = make_key_pair().public_key; }).find("no pair"), -1ul);
  EXPECT_NE(refused([](auto& c) { c.id = "client:x"; }).find("bad_config"), -1ul);
  EXPECT_NE(refused([](auto& c) { c.peers = {{"b", "", "nonsense"}}; }).find("peer b"), -1ul);
  EXPECT_NE(refused([&](auto& c) { c.peers = {{"b", "nowhere", key}}; }).find("nowhere"), -1ul);
  EXPECT_NE(refused([&](auto& c) { c.peers = {{"b", "", key}, {"c", "", key}}; }).find("listed twice"), -1ul);
  EXPECT_NE(refused([&](auto& c) { c.peers = {{"a", "", key}}; }).find("taken"), -1ul);
}

TEST(Gateway, ATakenPortIsNamed) {
  Heard heard;
  auto first = start_gateway(quick_config("a"), heard);
  auto config = quick_config("b");
  config.listen = first->address();
  auto second = Gateway::start(config, heard);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::bad_config);
  EXPECT_NE(second.error().what.find(first->address()), std::string::npos);
}

TEST(Keys, APublicKeyFollowsFromItsSecret) {
  auto keys = make_key_pair();
  EXPECT_EQ(public_key_of(keys.secret_key).value(), keys.public_key);
  EXPECT_EQ(public_key_of("x").error().code, Errc::invalid_input);
  EXPECT_NE(make_key_pair().secret_key, keys.secret_key);
}

}  // namespace
}  // namespace troupe::transport
