// What a key that may only ask can do to a node, and what it cannot (B7).
#include "actors/rollout_json.hpp"
#include "actors/wire.hpp"
#include "tests/actors/node_world.hpp"
#include "tests/transport/loopback.hpp"

namespace troupe::actors::testing {
namespace {

/// A node with a rollout that waits for copies, and a program with a client key connected to it.
class NodeClientsTest : public NodeTest {
 protected:
  void SetUp() override {
    auto server = transport::make_key_pair();
    config_.id = "client-test";
    config_.keys = transport::make_key_pair();
    write("n.key", server.secret_key);
    node_ = start(two_clouds("n", R"(  recap:
    hierarchy: [small, large, next]
    shadow: {model: next, share: 1, tokens_per_hour: 1000000, usd_per_hour: 1}
)") + fmt::format(R"(
rollouts: {{r: {{feature: recap, model: next, after_copies: 100000}}}}
cluster: {{listen: "tcp://127.0.0.1:0", secret_key: "file:{}/n.key", client_keys: ["{}"]}}
)",
                  folder_.string(), config_.keys.public_key));
    ASSERT_TRUE(node_);
    config_.peers = {{"server", node_->address(), server.public_key, true}};
    auto client = transport::Gateway::start(config_, heard_);
    ASSERT_TRUE(client) << client.error().what;
    client_ = std::move(*client);
    ASSERT_TRUE(heard_.wait_up("server"));
  }
  void TearDown() override {
    if (client_) client_->stop();
    if (node_) node_->stop();
  }
  void say(WireKind kind, std::string body) {
    transport::Outbound message;
    message.kind = static_cast<std::uint32_t>(kind);
    message.body = std::move(body);
    ASSERT_TRUE(client_->send("server", std::move(message)));
  }
  /// Behind whatever was said before it.
  Json ask_over_the_wire(const std::string& verb, const Json& input) {
    say(WireKind::ask, body_bytes(AskBody{++asked_, verb, dump_json(input)}));
    if (!heard_.wait_messages(asked_)) return "no answer";
    auto told = body_from<ToldBody>(heard_.messages().at(asked_ - 1).body);
    return told && told->json ? *parse_json(*told->json) : Json("refused");
  }
  double copies() {
    return get_double(ask_over_the_wire("control.rollout", {{"name", "r"}, {"action", "status"}}), "copies");
  }

  transport::GatewayConfig config_;
  transport::Heard heard_;
  std::unique_ptr<Node> node_;
  std::unique_ptr<transport::Gateway> client_;
  std::size_t asked_ = 0;
};

TEST_F(NodeClientsTest, AClientsKeyAsksAndIsNotTakenForANodeThatHasCounted) {  // B7: evidence is nodes' alone
  EXPECT_EQ(copies(), 0);
  policy::SideEvidence side;
  for (int i = 0; i < 5000; ++i) side.add({.ttft = 1, .total = 2, .usd = 0.1});
  Json body{{"rollout", "r"}, {"epoch", 0}, {"old", to_json(side)}, {"fresh", to_json(side)}};
  say(WireKind::rollout, dump_json(body));
  EXPECT_EQ(copies(), 0);
}

}  // namespace
}  // namespace troupe::actors::testing
