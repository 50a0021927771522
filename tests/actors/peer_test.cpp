// Two nodes and what one does for the other, over a network in memory.
#include "actors/peer.hpp"

#include "actors/wire.hpp"
#include "runtime/transport/memory.hpp"
#include "tests/support/actor_test.hpp"

namespace troupe::actors::testing {
namespace {

class CountingSink final : public StreamSink {
 public:
  void on_taken_back() override {}
  void on_events(std::span<const StreamEvent> events) override {
    for (const auto& event : events)
      if (const auto* text = std::get_if<TextDelta>(&event)) heard += text->text;
  }
  std::string heard;
};

// One node: a gateway, a Peer actor for the other, and a scripted endpoint that lives here.
struct Side final : transport::GatewayListener {
  std::string id, other, owns, theirs;
  transport::Gateway* gateway = nullptr;
  PeerActor peer;
  EndpointActor abroad;
  std::shared_ptr<EndpointScript> script = std::make_shared<EndpointScript>();
  std::shared_ptr<Published<EndpointMap>> serves = std::make_shared<Published<EndpointMap>>();
  std::vector<HealthChanged> health;
  std::vector<AttemptEnded> ends;
  AttemptClient client;

  void on_peer_up(const std::string& name, std::uint64_t incarnation) override {
    caf::anon_send(peer, LinkChanged{name, true, incarnation, {}});
  }
  void on_peer_down(const std::string& name, const std::string& reason) override {
    caf::anon_send(peer, LinkChanged{name, false, 0, reason});
  }
  void on_message(transport::Inbound message) override {
    caf::anon_send(peer, FromPeer{std::make_shared<const transport::Inbound>(std::move(message))});
  }
};

class PeerTest : public ActorTest {
 protected:
  PeerTest() : world_(1, {}, clock_) {
    a_.id = b_.other = "A", b_.id = a_.other = "B";
    a_.owns = b_.theirs = "on-a", b_.owns = a_.theirs = "on-b";
  }
  void SetUp() override {
    for (auto* side : {&a_, &b_}) begin(*side);
    span(3s);
  }

  /// A life of a node: a new gateway, a new actor, the same names.
  void begin(Side& side) {
    transport::GatewayConfig config;
    config.id = side.id;
    config.peers = {{side.other, "memory", "key"}};
    side.gateway = &world_.add(config, side);
    auto served = std::make_shared<EndpointMap>();
    (*served)[side.owns] = scripted_endpoint(side.script);
    side.serves->store(served);
    side.client = probe(side.ends);
    spawn(side);
  }
  void spawn(Side& side) {
    PeerActorConfig config;
    config.id = side.other;
    config.serves = side.serves;
    config.owns = std::make_shared<Published<std::set<std::string>>>(
        std::make_shared<const std::set<std::string>>(std::set<std::string>{side.theirs}));
    config.subscribers = {HealthSubscriber(probe(side.health))};
    config.serving_max = 3;
    side.peer = keep(spawn_peer(system_, nullptr, std::move(config), clock_, *side.gateway));
    side.abroad = keep(spawn_remote_endpoint(system_, nullptr, side.theirs, side.peer, clock_));
    run();
  }
  void span(Duration time) {
    for (; time > Duration::zero(); time -= 10ms) {
      world_.pass(10ms);
      run();
    }
  }
  void order(Side& side, std::uint64_t id, SinkPtr sink = nullptr) {
    RunAttempt order;
    order.id = id;
    order.request = std::make_shared<const CompletionRequest>(question("hello"));
    order.deadline = clock_.now() + 20s;
    order.boundary = "eu";
    order.sink = std::move(sink);
    order.reply_to = side.client;
    tell(side.abroad, std::move(order));
    span(50ms);
  }
  void finish(Side& side, std::size_t index, std::shared_ptr<AttemptResult> result) {
    const auto& order = side.script->orders.at(index);
    tell(order.reply_to, AttemptEnded{order.id, std::move(result)});
    span(50ms);
  }
  void publish_health(Side& side, policy::BreakerState state = policy::BreakerState::closed) {
    auto view = std::make_shared<policy::HealthView>();
    view->endpoint = side.owns;
    view->version = ++version_;
    view->state = state;
    tell(side.peer, HealthChanged{view});
    span(50ms);
  }
  void cut() { world_.cut("A", "B"), world_.cut("B", "A"); }
  void heal() { world_.heal("A", "B"), world_.heal("B", "A"); }
  template <class Body>
  void inject(Side& from, WireKind kind, const Body& body) {
    inject_bytes(from, kind, body_bytes(body));
  }
  void inject_bytes(Side& from, WireKind kind, std::string bytes) {
    transport::Outbound message;
    message.kind = static_cast<std::uint32_t>(kind);
    message.body = std::move(bytes);
    ASSERT_TRUE(from.gateway->send(from.other, std::move(message)));
    span(50ms);
  }

  Side a_, b_;
  transport::MemoryWorld world_;
  std::uint64_t version_ = 0;
};

TEST_F(PeerTest, RunsAnAttemptOnTheNodeThatOwnsTheEndpoint) {
  b_.script->reply = [](const RunAttempt& order) { return answered("on-b", order); };
  order(a_, 5);
  ASSERT_EQ(b_.script->orders.size(), 1u);
  EXPECT_EQ(*b_.script->orders[0].request, question("hello"));
  EXPECT_EQ(b_.script->orders[0].boundary, "eu") << "the owner's endpoint must know it, to look again (D11)";
  ASSERT_EQ(a_.ends.size(), 1u);
  EXPECT_EQ(a_.ends[0].id, 5u);
  EXPECT_EQ(a_.ends[0].result->completion.text(), "from on-b");
}

TEST_F(PeerTest, HandsDownTheTimeThatIsLeft) {
  auto deadline = clock_.now() + 20s;
  order(a_, 5);
  auto there = b_.script->orders.at(0).deadline;
  EXPECT_LE(there, deadline + 10ms);  // E10
  EXPECT_GT(there, deadline - 1s);
}

TEST_F(PeerTest, StreamsEventsWhileTheAttemptRuns) {
  auto sink = std::make_shared<CountingSink>();
  order(a_, 5, sink);
  auto there = b_.script->orders.at(0).sink;
  ASSERT_TRUE(there);
  there->on_events(std::vector<StreamEvent>{TextDelta{"Hel"}, TextDelta{"lo"}});
  span(50ms);
  EXPECT_EQ(sink->heard, "Hello");
  EXPECT_TRUE(a_.ends.empty());
}

TEST_F(PeerTest, CarriesAnErrorWithAllItSays) {
  order(a_, 5);
  auto result = failed("on-b", b_.script->orders.at(0), Errc::rate_limited);
  result->not_sent = true;
  result->error->retry_after = 3s;
  finish(b_, 0, result);
  ASSERT_EQ(a_.ends.size(), 1u);
  EXPECT_EQ(a_.ends[0].result->error->code, Errc::rate_limited);
  EXPECT_EQ(a_.ends[0].result->error->retry_after, Duration(3s));
  EXPECT_TRUE(a_.ends[0].result->not_sent);
}

TEST_F(PeerTest, EndsWhatIsAbroadWhenTheLinkGoesDown) {
  publish_health(b_);
  ASSERT_TRUE(a_.health.back().view->reachable);
  order(a_, 5);
  cut();
  span(5s);
  ASSERT_EQ(a_.ends.size(), 1u);
  EXPECT_EQ(a_.ends[0].result->error->code, Errc::unreachable);
  EXPECT_TRUE(a_.ends[0].result->error->maybe_billed);
  EXPECT_FALSE(a_.health.back().view->reachable);  // F14
  EXPECT_EQ(b_.script->cancels.size(), 1u);        // what runs for the lost peer is stopped
  order(a_, 6);
  EXPECT_TRUE(a_.ends.at(1).result->not_sent);  // nothing crossed
  EXPECT_FALSE(a_.ends.at(1).result->error->maybe_billed);
}

TEST_F(PeerTest, IsReachableAgainWhenTheLinkIsBack) {
  publish_health(b_);
  cut();
  span(5s);
  ASSERT_FALSE(a_.health.back().view->reachable);
  heal();
  span(5s);
  EXPECT_TRUE(a_.health.back().view->reachable);
  b_.script->reply = [](const RunAttempt& order) { return answered("on-b", order); };
  order(a_, 6);
  EXPECT_FALSE(a_.ends.back().result->error);
}

TEST_F(PeerTest, CarriesACancelToTheEndpoint) {
  order(a_, 5);
  tell(a_.abroad, CancelAttempt{5, a_.client});
  span(50ms);
  ASSERT_EQ(b_.script->cancels.size(), 1u);
  EXPECT_EQ(b_.script->cancels[0].id, b_.script->orders[0].id);
}

TEST_F(PeerTest, AStandInThatIsRetiredLeavesWhenItsLastAttemptMustHaveEnded) {  // C13
  order(a_, 5);
  auto gone = [&] {
    return caf::actor_cast<caf::abstract_actor*>(a_.abroad)->getf(caf::abstract_actor::is_terminated_flag);
  };
  tell(a_.abroad, Retire{});
  pass(24s, a_.abroad);
  EXPECT_FALSE(gone()) << "its attempt had 20 s, and what ends late is heard for 5 more";
  pass(2s, a_.abroad);
  EXPECT_TRUE(gone());
}

TEST_F(PeerTest, IgnoresAnswersNobodyWaitsFor) {
  order(a_, 5);
  AttemptEndedBody stray;
  stray.id = 12345;
  inject(b_, WireKind::attempt_ended, stray);
  EXPECT_TRUE(a_.ends.empty());
  finish(b_, 0, answered("on-b", b_.script->orders[0]));
  finish(b_, 0, answered("on-b", b_.script->orders[0]));  // twice
  EXPECT_EQ(a_.ends.size(), 1u);
}

TEST_F(PeerTest, IgnoresWhatItCannotRead) {
  for (auto kind : {WireKind::run_attempt, WireKind::cancel_attempt, WireKind::attempt_events,
                    WireKind::attempt_ended, WireKind::health, static_cast<WireKind>(99)})
    for (const char* bytes : {"", "\x91", "\xc1\xc1", "garbage"}) inject_bytes(b_, kind, bytes);
  EXPECT_TRUE(a_.script->orders.empty());
  EXPECT_TRUE(a_.ends.empty());
  a_.script->reply = [](const RunAttempt& order) { return answered("on-a", order); };
  order(b_, 1);
  EXPECT_EQ(b_.ends.size(), 1u);  // still at work
}

TEST_F(PeerTest, HearsOfAnEndpointFromItsOwnerOnly) {
  policy::HealthView lie;
  for (const char* id : {"on-a", "elsewhere"}) {
    lie.endpoint = id;
    inject(b_, WireKind::health, lie);
  }
  EXPECT_TRUE(a_.health.empty());  // F14
}

TEST_F(PeerTest, RefusesWhatDoesNotLiveHereAndWhatIsTooMuch) {
  a_.abroad = keep(spawn_remote_endpoint(system_, nullptr, "nowhere", a_.peer, clock_));
  order(a_, 1);
  ASSERT_EQ(a_.ends.size(), 1u);
  EXPECT_EQ(a_.ends[0].result->error->code, Errc::not_found);
  EXPECT_TRUE(a_.ends[0].result->not_sent);
  a_.abroad = keep(spawn_remote_endpoint(system_, nullptr, "on-b", a_.peer, clock_));
  for (std::uint64_t id = 2; id < 6; ++id) order(a_, id);
  EXPECT_EQ(b_.script->orders.size(), 3u);  // serving_max
  ASSERT_EQ(a_.ends.size(), 2u);
  EXPECT_EQ(a_.ends[1].result->error->code, Errc::rate_limited);
}

TEST_F(PeerTest, NeverMixesTheAnswersOfTwoLives) {
  auto first_sink = std::make_shared<CountingSink>(), second_sink = std::make_shared<CountingSink>();
  order(a_, 1, first_sink);
  auto old_sink = b_.script->orders.at(0).sink;
  world_.kill("A");
  a_.ends.clear();
  kill(a_.peer);
  begin(a_);  // the same ids again
  span(5s);
  order(a_, 1, second_sink);
  ASSERT_EQ(b_.script->orders.size(), 2u);
  old_sink->on_events(std::vector<StreamEvent>{TextDelta{"old"}});
  finish(b_, 0, answered("old", b_.script->orders[0]));
  EXPECT_TRUE(a_.ends.empty());
  EXPECT_EQ(second_sink->heard, "");
  finish(b_, 1, answered("new", b_.script->orders[1]));
  ASSERT_EQ(a_.ends.size(), 1u);
  EXPECT_EQ(a_.ends[0].result->completion.text(), "from new");
}

TEST_F(PeerTest, TakesUpItsPlaceBehindALinkThatStands) {
  order(a_, 1);
  kill(a_.peer);
  clock_.pass(100ms);
  a_.health.clear();
  spawn(a_);  // nobody says that the link is up
  publish_health(b_);
  ASSERT_EQ(a_.health.size(), 1u);
  order(a_, 1);
  ASSERT_EQ(b_.script->orders.size(), 2u);
  a_.ends.clear();
  finish(b_, 0, answered("old", b_.script->orders[0]));
  EXPECT_TRUE(a_.ends.empty());
  finish(b_, 1, answered("new", b_.script->orders[1]));
  ASSERT_EQ(a_.ends.size(), 1u);
  EXPECT_EQ(a_.ends[0].result->completion.text(), "from new");
}

}  // namespace
}  // namespace troupe::actors::testing
