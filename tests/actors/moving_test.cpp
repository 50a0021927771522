// Endpoints that move from one node to another: what was known of the old place is forgotten, what it has
// begun is seen through (C13, F14).
#include "actors/wire.hpp"
#include "runtime/transport/memory.hpp"
#include "tests/actors/cast_world.hpp"

namespace troupe::actors::testing {
namespace {

/// Nobody listens: what peers say, the test says.
struct DeafNode final : transport::GatewayListener {
  void on_peer_up(const std::string&, std::uint64_t) override {}
  void on_peer_down(const std::string&, const std::string&) override {}
  void on_message(transport::Inbound) override {}
};

/// A node without endpoints of its own, and two neighbours, the first of which has "c".
class MovingTest : public SupervisorTest {
 protected:
  MovingTest() : world_(1, {}, clock_) {
    transport::GatewayConfig config;
    config.id = "n1";
    config.peers = {{"p", "memory", "key"}, {"q", "memory", "key"}};
    gateway_ = &world_.add(config, deaf_);
    peers_ = {{"p", {facts("c")}}, {"q", {}}};
  }
  void SetUp() override {
    auto began = clock_.wall();
    open();
    first_attempt_ = (static_cast<std::uint64_t>(began.ms) << 20) + 1;
    change({.endpoints_gone = {"a", "b"}});
    for (const char* peer : {"p", "q"}) say(peer, LinkChanged{peer, true, 1, {}});
  }
  static policy::EndpointFacts facts(const std::string& id) {
    policy::EndpointFacts facts;
    facts.id = id;
    facts.model = "large";
    facts.provider = "cloud";
    return facts;
  }
  template <class Message>
  void say(const std::string& peer, Message message) {
    tell(board_->peers.load()->at(peer), std::move(message));
  }
  template <class Body>
  void hear(const std::string& peer, WireKind kind, const Body& body) {
    auto message = std::make_shared<transport::Inbound>();
    message->peer = peer;
    message->kind = static_cast<std::uint32_t>(kind);
    message->body = body_bytes(body);
    say(peer, FromPeer{message});
  }
  void health_from(const std::string& peer, policy::BreakerState state, std::uint64_t version) {
    policy::HealthView view;
    view.endpoint = "c";
    view.version = version;
    view.state = state;
    hear(peer, WireKind::health, view);
  }
  void move_to_q() { change({.peers = {{"p", {}}, {"q", {facts("c")}}}}); }
  /// The first attempt over this link has ended well there.
  void answer_from(const std::string& peer) {
    AttemptEndedBody body;
    body.id = first_attempt_;
    body.result.completion = text_answer("from " + peer);
    hear(peer, WireKind::attempt_ended, body);
  }
  bool sent_to(const std::string& peer) {
    const auto& link = *world_.mesh("n1")->find(peer);
    return link.sending(protocol::Lane::data).waiting() > 0;
  }

  DeafNode deaf_;
  transport::MemoryWorld world_;
  std::uint64_t first_attempt_ = 0;
};

TEST_F(MovingTest, WhatItsOldHomeSaidOfAnEndpointIsForgottenWhenItMoves) {
  health_from("p", policy::BreakerState::closed, 1'000'000);
  move_to_q();
  ask();
  EXPECT_FALSE(sent_to("q")) << "how it is there nobody has said";
  // Its clock is behind, so its count of what it says is as well.
  health_from("q", policy::BreakerState::closed, 5);
  ask();
  EXPECT_TRUE(sent_to("q"));
}

TEST_F(MovingTest, TheOldHomeHasNothingMoreToSayOfIt) {
  health_from("p", policy::BreakerState::closed, 1);
  move_to_q();
  health_from("q", policy::BreakerState::closed, 5);
  say("p", LinkChanged{"p", false, 1, "gone"});
  ask();
  EXPECT_TRUE(sent_to("q")) << "only what lives on p is out of reach";
}

TEST_F(MovingTest, AShadowForgetsItAsWell) {  // B5: it would send copies to a place nobody has spoken of
  ShadowActorConfig config;
  config.feature = "recap";
  config.model = "large";
  config.policy = {.share = 1, .tokens_per_hour = 1'000'000, .usd_per_hour = 1, .in_flight_max = 9};
  auto controls = std::make_shared<Published<policy::Controls>>();
  LedgerBooks books;
  auto shadow =
      keep(spawn_shadow(system_, nullptr, config, {&clock_, ledger_probe(books), controls, {}, {}}));
  auto old_place = std::make_shared<EndpointScript>(), new_place = std::make_shared<EndpointScript>();
  auto view = std::make_shared<policy::HealthView>();
  view->endpoint = "c";
  ShadowOffered offer;
  offer.request = std::make_shared<const CompletionRequest>(question("q"));
  offer.deadline = clock_.now() + 10s;
  for (const auto& place : {old_place, new_place}) {
    auto known = std::make_shared<const policy::EndpointFacts>(facts("c"));
    tell(shadow,
         RosterChanged{std::make_shared<const Roster>(Roster{{known, scripted_endpoint(place), "n"}})});
    ++offer.call.number;
    tell(shadow, offer);
    EXPECT_TRUE(place->orders.empty());
    tell(shadow, HealthChanged{view});
    ++offer.call.number;
    tell(shadow, offer);
    EXPECT_EQ(place->orders.size(), 1u);
  }
}

TEST_F(MovingTest, ACallOfAnHourAtAnEndpointThatMovedIsSeenThrough) {  // C13: nothing is cut
  health_from("p", policy::BreakerState::closed, 1);
  auto answers = ask(1h);
  ASSERT_TRUE(sent_to("p"));
  move_to_q();
  for (int minutes = 0; minutes < 55; ++minutes) {
    clock_.pass(1min);
    tell(supervisor_, Tick{});
  }
  ASSERT_TRUE(answers->empty()) << "the way back still stands";
  answer_from("p");
  ASSERT_EQ(answers->size(), 1u);
  EXPECT_TRUE((*answers)[0].completion);
}

}  // namespace
}  // namespace troupe::actors::testing
