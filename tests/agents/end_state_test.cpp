// M19: what differs in a final state is named, milestones are told from the calls, and a small harbour whose
// tools change a database shows both.
#include "agents/evaluation/end_state.hpp"

#include "tests/support/stateful_world.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <limits>

namespace troupe::evaluation {
namespace {

using testing::Action;
using testing::ActionOutcome;

Json read(std::string_view text) {
  auto json = parse_json(text);
  if (!json) ADD_FAILURE() << json.error().what;
  return json ? *json : Json();
}
std::string told(std::string_view right, std::string_view found, const StateLimits& limits = {}) {
  auto verdict = compare_states(read(right), read(found), limits);
  std::string out = verdict.equal ? "equal" : "";
  for (const auto& each : verdict.differences)
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", to_string(each.kind), each.pointer);
  return out + (verdict.cut ? " and more" : "");
}

TEST(EndState, TheOrderOfMembersDoesNotMatterThatOfElementsDoes) {
  EXPECT_EQ(told(R"({"a":1,"b":{"c":2,"d":3}})", R"({"b":{"d":3,"c":2},"a":1})"), "equal");
  EXPECT_EQ(told("[1,2]", "[2,1]"), "changed /0, changed /1");
}

TEST(EndState, NamesThePlacesAndWhatBefellThem) {
  EXPECT_EQ(told(R"({"a":{"x":1,"gone":0},"l":[1,2]})", R"({"a":{"x":2,"new":0},"l":[1,2,3]})"),
            "missing /a/gone, extra /a/new, changed /a/x, extra /l/2");
  EXPECT_EQ(told("1", "2"), "changed ");
  EXPECT_EQ(told(R"({"a":[]})", R"({"a":{}})"), "changed /a");
  EXPECT_EQ(told(R"({"a":null})", "{}"), "missing /a");
  EXPECT_EQ(told(R"({"a/b":{"~c":1}})", R"({"a/b":{"~c":true}})"), "changed /a~1b/~0c");
}

TEST(EndState, ANumberIsItsValueAndWholeOnesAreExact) {
  EXPECT_EQ(told("[1,-1,0,18446744073709551615]", "[1.0,-1.0,-0.0,18446744073709551615]"), "equal");
  EXPECT_EQ(told("9007199254740993", "9007199254740992"), "changed ");
  EXPECT_EQ(told("9007199254740993", "9007199254740992.0"), "changed ");
  EXPECT_EQ(told("18446744073709551615", "18446744073709551616.0"), "changed ");
  EXPECT_EQ(told("[-1,1]", "[18446744073709551615,1.5]"), "changed /0, changed /1");
  EXPECT_EQ(told(R"(["1",1])", "[1,true]"), "changed /0, changed /1");
  Json nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_FALSE(compare_states(nan, nan).equal);
}

TEST(EndState, ListsNoMoreThanItsBoundAndSaysSo) {
  EXPECT_EQ(told("[1,2,3]", "[0,0,0]", {.differences_max = 3}), "changed /0, changed /1, changed /2");
  EXPECT_EQ(told("[1,2,3]", "[0,0,0]", {.differences_max = 2}), "changed /0, changed /1 and more");
  EXPECT_EQ(told("1", "2", {.differences_max = 0}), " and more");
}

TEST(EndState, WhatLiesTooDeepIsNeverCalledEqual) {
  EXPECT_EQ(told("[[[]]]", "[[[]]]", {.depth_max = 2}), "equal");
  EXPECT_EQ(told("[[[1]]]", "[[[1]]]", {.depth_max = 2}), "changed /0/0");
  EXPECT_EQ(told("[[[1]]]", "[[[1]]]", {.depth_max = 3}), "equal");
}

Checkpoint named(const std::string& tool) {
  return call_checkpoint(tool, {tool, {}}, std::vector<std::string>{});
}
std::vector<ToolUse> uses(const std::string& letters) {
  std::vector<ToolUse> out;
  for (char letter : letters) out.push_back({std::string(1, letter), Json::object()});
  return out;
}
std::vector<Checkpoint> points(const std::string& letters) {
  std::vector<Checkpoint> out;
  for (char letter : letters) out.push_back(named(std::string(1, letter)));
  return out;
}
// The index of the call by checkpoint; "-" for none.
std::string reached(const std::vector<Checkpoint>& wanted, const std::string& made, CheckpointOrder order) {
  auto verdict = judge_checkpoints(wanted, uses(made), order);
  if (!verdict) return verdict.error().what;
  std::string out;
  for (const auto& at : verdict->reached) out += at ? fmt::to_string(*at) : "-";
  return out;
}

TEST(Checkpoints, TellWhichCallReachedEach) {
  EXPECT_EQ(reached(points("abc"), "xcab", CheckpointOrder::any), "231");
  EXPECT_EQ(reached(points("abc"), "xcab", CheckpointOrder::as_listed), "23-");
  EXPECT_EQ(reached(points("abc"), "bxc", CheckpointOrder::as_listed), "-02");
  EXPECT_EQ(reached(points(""), "ab", CheckpointOrder::any), "");
  EXPECT_EQ(reached(points("ab"), "", CheckpointOrder::as_listed), "--");
}

TEST(Checkpoints, WhatIsWantedTwiceMustBeDoneTwice) {
  EXPECT_EQ(reached(points("aa"), "a", CheckpointOrder::any), "0-");
  EXPECT_EQ(reached(points("aa"), "axa", CheckpointOrder::any), "02");
  EXPECT_EQ(reached(points("aa"), "axa", CheckpointOrder::as_listed), "02");
}

// The broad one comes first and would take the only call the narrow one could have.
TEST(Checkpoints, ABroadOneLeavesTheNarrowOneItsCall) {
  std::vector<Checkpoint> wanted{{"any", [](const ToolUse&) { return true; }}, named("a")};
  EXPECT_EQ(reached(wanted, "ab", CheckpointOrder::any), "10");
}

TEST(Checkpoints, CompareTheArgumentsAskedFor) {
  ToolUse wanted{"pay", read(R"({"boat":"tern","fee":5})")};
  auto whole = call_checkpoint("", wanted);
  EXPECT_TRUE(whole.reached_by({"pay", read(R"({"fee":5.0,"boat":"tern"})")}));
  EXPECT_FALSE(whole.reached_by({"pay", read(R"({"fee":5,"boat":"tern","note":""})")}));
  EXPECT_FALSE(whole.reached_by({"fine", wanted.arguments}));
  auto part = call_checkpoint("", wanted, std::vector<std::string>{"boat", "note"});
  EXPECT_TRUE(part.reached_by({"pay", read(R"({"fee":6,"boat":"tern"})")}));
  EXPECT_FALSE(part.reached_by({"pay", read(R"({"fee":5,"boat":"tern","note":""})")}));
}

TEST(Checkpoints, AreBounded) {
  CheckpointLimits limits{.checkpoints_max = 2, .uses_max = 3};
  auto judge = [&](const char* wanted, const char* made) {
    return judge_checkpoints(points(wanted), uses(made), CheckpointOrder::any, limits).has_value();
  };
  EXPECT_TRUE(judge("aa", "aaa"));
  EXPECT_FALSE(judge("aaa", "aaa"));
  EXPECT_FALSE(judge("aa", "aaaa"));
}

// A harbour: boats lie at berths and owe fees.
ActionOutcome look_up(Json& state, const Json& args) {
  auto boat = state["boats"].find(get_string(args, "boat"));
  if (boat == state["boats"].end()) return std::unexpected("no such boat");
  return *boat;
}
ActionOutcome moor(Json& state, const Json& args) {
  auto boat = state["boats"].find(get_string(args, "boat"));
  if (boat == state["boats"].end()) return std::unexpected("no such boat");
  for (const auto& other : state["boats"])
    if (other["berth"] == args["berth"]) return std::unexpected("the berth is taken");
  (*boat)["berth"] = args["berth"];
  return *boat;
}
ActionOutcome charge(Json& state, const Json& args) {
  auto boat = state["boats"].find(get_string(args, "boat"));
  if (boat == state["boats"].end()) return std::unexpected("no such boat");
  (*boat)["owes"] = get_int(*boat, "owes") + get_int(args, "fee");
  return *boat;
}

struct Harbour {
  testing::WorldPtr world = std::make_shared<testing::StatefulWorld>();
  Toolbox tools;
  std::map<std::size_t, std::string> refused;

  explicit Harbour(const std::vector<ToolUse>& made) {
    world->state = read(R"({"boats":{"tern":{"berth":1,"owes":0},"gull":{"berth":2,"owes":7}}})");
    auto add = [&](const char* name, bool writes, Action action) {
      EXPECT_TRUE(tools.add(std::make_shared<testing::WorldTool>(world, name, writes, action)));
    };
    add("look_up", false, look_up);
    add("moor", true, moor);
    add("charge", true, charge);
    refused = testing::replay(tools, made);
  }
};

const std::vector<ToolUse>& gold() {
  static const std::vector<ToolUse> all{{"look_up", Json{{"boat", "tern"}}},
                                        {"moor", Json{{"boat", "tern"}, {"berth", 3}}},
                                        {"charge", Json{{"boat", "tern"}, {"fee", 5}}},
                                        {"look_up", Json{{"boat", "gull"}}},
                                        {"moor", Json{{"boat", "gull"}, {"berth", 1}}}};
  return all;
}
std::string harbour_after(const std::vector<ToolUse>& made) {
  auto right = Harbour(gold()).world->state;
  return told(dump_json(right), dump_json(Harbour(made).world->state));
}

TEST(EndState, ReadingMoreOrInAnotherOrderLeavesTheHarbourAsItShouldBe) {
  EXPECT_TRUE(Harbour(gold()).refused.empty());
  EXPECT_EQ(harbour_after(gold()), "equal");
  auto made = gold();
  std::swap(made[0], made[3]);
  made.push_back({"look_up", Json{{"boat", "kestrel"}}});
  EXPECT_EQ(harbour_after(made), "equal");
}

TEST(EndState, ADroppedOrAlteredWriteShowsWhere) {
  auto made = gold();
  made.erase(made.begin() + 2);
  EXPECT_EQ(harbour_after(made), "changed /boats/tern/owes");
  made = gold();
  made[2].arguments["boat"] = "gull";
  EXPECT_EQ(harbour_after(made), "changed /boats/gull/owes, changed /boats/tern/owes");
  made = gold();
  made.erase(made.begin() + 1);  // The tern's old berth is not free, so the gull is refused it.
  EXPECT_EQ(Harbour(made).refused, (std::map<std::size_t, std::string>{{3, "the berth is taken"}}));
  EXPECT_EQ(harbour_after(made), "changed /boats/gull/berth, changed /boats/tern/berth");
}

// The call of a step whose result was lost comes again under the key it had. Unkeyed it is charged twice.
TEST(EndState, AWriteThatComesAgainUnderItsKeyIsNotDoneTwice) {
  for (bool keyed : {true, false}) {
    Harbour harbour({});
    harbour.world->keyed = keyed;
    testing::replay(harbour.tools, gold());
    auto right = harbour.world->state;
    testing::replay(harbour.tools, {gold().begin(), gold().begin() + 3});
    EXPECT_EQ(compare_states(right, harbour.world->state).equal, keyed);
    EXPECT_EQ(harbour.world->repeats, keyed ? 2u : 0u);
  }
}

}  // namespace
}  // namespace troupe::evaluation
