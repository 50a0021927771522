// Operators' orders over several nodes: at once, durable, everywhere, and safe when nodes cannot hear each
// other (B8, B9, C15).
#include "actors/controls.hpp"

#include "actors/controls_json.hpp"
#include "tests/support/actor_test.hpp"
#include "tests/support/memory_journal.hpp"

namespace troupe::actors::testing {
namespace {

using policy::Subject;

struct ControlNode {
  std::string id;
  journal::testing::MemoryJournal journal;
  std::shared_ptr<Published<policy::Controls>> board = std::make_shared<Published<policy::Controls>>();
  ControlsActor actor;
  bool cut = false;  // hears nobody, and nobody hears it
};

class ControlsTest : public ActorTest {
 protected:
  void SetUp() override { begin({"a", "b", "c"}); }

  void begin(const std::vector<std::string>& ids) {
    nodes_.clear();
    for (const auto& id : ids) nodes_[id].id = id;
    for (auto& [id, node] : nodes_) start(node);
    span(1s);
  }
  void start(ControlNode& node) {
    ControlsConfig config;
    config.node = node.id;
    for (const auto& [id, other] : nodes_)
      if (id != node.id) config.peers.push_back(id);
    config.restored = restore_controls(*node.journal.controls({})).controls;
    ControlsStage stage;
    stage.clock = &clock_;
    stage.journal = &node.journal;
    stage.board = node.board;
    stage.send = [this, from = node.id](const std::string& to, std::string body) {
      auto& there = nodes_.at(to);
      if (!nodes_.at(from).cut && !there.cut && there.actor)
        caf::anon_send(there.actor, ControlsHeard{from, std::move(body)});
    };
    node.actor = keep(spawn_controls(system_, nullptr, std::move(config), std::move(stage)));
  }
  void commit_all() {
    for (auto& [id, node] : nodes_)
      while (node.journal.pending() > 0) node.journal.commit_next();
    run();
  }
  void span(Duration time) {
    for (; time > Duration::zero(); time -= 50ms) {
      clock_.pass(50ms);
      for (auto& [id, node] : nodes_) caf::anon_send(node.actor, Tick{});
      run();
      commit_all();
    }
  }
  static policy::Stop stop(std::string name, Subject subject = Subject::model) {
    return {.subject = subject, .name = std::move(name), .order = {"ann", "bill", {}}};
  }
  void order(const std::string& node, policy::Change change, bool start = false) {
    tell(nodes_.at(node).actor,
         GiveOrder{std::move(change), start, [this](auto told) { told_.push_back(told); }});
  }
  bool stopped(const std::string& node, const std::string& model = "large") {
    return nodes_.at(node).board->load()->stopped(Subject::model, model, clock_.wall()) != nullptr;
  }
  bool fresh(const std::string& node) { return clock_.now() < nodes_.at(node).board->load()->fresh_until; }

  std::map<std::string, ControlNode> nodes_;
  std::vector<Result<policy::ControlsPtr>> told_;
};

TEST_F(ControlsTest, AStopHoldsOnEveryNodeBeforeAnyTimePasses) {
  order("a", stop("large"));
  for (const auto& [id, node] : nodes_) EXPECT_TRUE(stopped(id)) << id;
  EXPECT_TRUE(told_.empty());  // but it is not confirmed before it is durable
  commit_all();
  ASSERT_EQ(told_.size(), 1u);
  EXPECT_TRUE(told_[0]);
}

TEST_F(ControlsTest, AStopSurvivesARestartOfTheNodeThatGaveItAndOfThoseThatHeardIt) {
  order("a", stop("large"));
  commit_all();
  for (const char* id : {"a", "b"}) {
    auto& node = nodes_.at(id);
    kill(node.actor);
    node.cut = true;  // nobody reminds it
    node.board->store(std::make_shared<const policy::Controls>());
    EXPECT_FALSE(stopped(id));  // what a node that forgets would do
    start(node);
    EXPECT_TRUE(stopped(id)) << id;  // known before its first turn
  }
}

TEST_F(ControlsTest, AStopHoldsEvenIfTheDiskFailsAndTheAnswerSaysSo) {
  order("a", stop("large"));
  nodes_.at("a").journal.fail_next();
  run();
  EXPECT_TRUE(stopped("a"));
  ASSERT_EQ(told_.size(), 1u);
  EXPECT_EQ(told_[0].error().code, Errc::storage);
  EXPECT_TRUE(told_[0].error().what.starts_with("in force, but"));
}

TEST_F(ControlsTest, AFlagHoldsOnlyOnceItIsDurable) {
  policy::Flag flag{.name = "f", .percent = 100};
  order("a", flag);
  EXPECT_FALSE(nodes_.at("b").board->load()->flag_on("f", {"acme"}, clock_.wall()));
  nodes_.at("a").journal.fail_next();
  run();
  EXPECT_FALSE(nodes_.at("a").board->load()->flag_on("f", {"acme"}, clock_.wall()));
  order("a", flag);
  commit_all();
  for (const auto& [id, node] : nodes_)
    EXPECT_TRUE(node.board->load()->flag_on("f", {"acme"}, clock_.wall()));
}

TEST_F(ControlsTest, AStartUndoesItEverywhereAndIsRefusedWhenNothingIsStopped) {
  order("a", stop("large"));
  commit_all();
  order("b", stop("large"), true);
  commit_all();
  for (const auto& [id, node] : nodes_) EXPECT_FALSE(stopped(id)) << id;
  order("b", stop("large"), true);
  EXPECT_EQ(told_.back().error().code, Errc::not_found);
}

TEST_F(ControlsTest, ANodeThatWasCutOffLearnsAllWithinOneRoundOfGossip) {
  nodes_.at("c").cut = true;
  order("a", stop("large"));
  commit_all();
  order("b", policy::Flag{.name = "f", .percent = 100});
  commit_all();
  EXPECT_FALSE(stopped("c"));
  nodes_.at("c").cut = false;
  span(600ms);
  EXPECT_TRUE(stopped("c"));
  EXPECT_TRUE(nodes_.at("c").board->load()->flag_on("f", {"acme"}, clock_.wall()));
  // And keeps it: what was heard is written down.
  EXPECT_EQ(nodes_.at("c").journal.controls({})->size(), 2u);
}

TEST_F(ControlsTest, TheLastGoodOrdersStayInForceOnANodeThatHearsNobody) {  // B9
  order("a", stop("large"));
  commit_all();
  nodes_.at("c").cut = true;
  span(60s);
  EXPECT_TRUE(stopped("c"));
}

TEST_F(ControlsTest, OnlyAMajorityStaysFreshAndTheRestIsStaleWithinTheLease) {  // B8
  for (const auto& [id, node] : nodes_) EXPECT_TRUE(fresh(id)) << id;
  nodes_.at("c").cut = true;
  span(4s);
  EXPECT_TRUE(fresh("c"));
  span(1s);
  EXPECT_FALSE(fresh("c"));
  EXPECT_TRUE(fresh("a"));
  EXPECT_TRUE(fresh("b"));
  nodes_.at("c").cut = false;
  span(1100ms);
  EXPECT_TRUE(fresh("c"));
}

TEST_F(ControlsTest, ALoneNodeIsAlwaysFresh) {
  begin({"a"});
  span(60s);
  EXPECT_TRUE(fresh("a"));
}

TEST_F(ControlsTest, WhatIsMalformedOrFromAStrangerIsIgnored) {
  auto& node = nodes_.at("a");
  auto before = policy::digest_of(*node.board->load());
  for (const char* body :
       {"", "[]", "{", R"({"changes":[1,{"kind":"stop"},{"kind":"stop","subject":"model","name":""}]})",
        R"({"changes":{"kind":"stop"}})", R"({"sent":"x","echo":-5,"digest":{}})"})
    tell(node.actor, ControlsHeard{"b", body});
  policy::Change change = stop("large");
  tell(node.actor, ControlsHeard{"stranger", dump_json(Json{{"changes", Json::array({to_json(change)})}})});
  EXPECT_EQ(policy::digest_of(*node.board->load()), before);
}

TEST(ControlsJson, KeepsEveryOrderWhole) {
  policy::Stop stop{
      .subject = Subject::sign_off, .name = "legal:provider:aws", .until = {5}, .order = {"a", "b", {6}}};
  stop.stamp = {7, "n"};
  stop.undone = {3, "n"};
  stop.undone_by = {"c", "d", {8}};
  policy::Flag flag{"f", policy::UnitKind::user, 12.5, {"x"}, {"y", "z"}, {"a", "b", {1}}, {2, "n"}};
  policy::Share share{"r", 0.05, 1, policy::RolloutState::halted, {"a", "b", {1}}, {2, "n"}};
  for (const auto& change : {policy::Change(stop), policy::Change(flag), policy::Change(share)}) {
    auto text = dump_json(to_json(change));
    auto back = change_from(*parse_json(text));
    ASSERT_TRUE(back) << back.error().what;
    EXPECT_EQ(dump_json(to_json(*back)), text);
    auto restored = restore_controls({control_row(change), journal::ControlRow{.body = "nonsense"}});
    EXPECT_EQ(restored.unreadable, 1u);
    EXPECT_NE(policy::digest_of(restored.controls), 0u);
  }
}

}  // namespace
}  // namespace troupe::actors::testing
