// What tests order of the simulator over HTTP: the list of its calls, and faults from now on.
#include "tests/providers/simulator_support.hpp"

#include <gtest/gtest.h>

namespace troupe::providers::simulator {
namespace {

TEST(SimulatorControl, ListsCallsSoThatTheSameRequestIsKnownAgain) {
  auto to = cloud("one", "openai");
  to.faults = {{.kind = FaultKind::errors, .call_from = 2, .call_to = 2},
               {.kind = FaultKind::down, .call_from = 3, .call_to = 3}};
  auto simulator = simulator_of({.endpoints = {to}});
  auto other = question();
  other.output_tokens_max += 1;
  for (const auto& request : {question(), question(), other})
    simulator.ended(simulator.respond(wire(to, request), kStart, kWall).call, kStart);
  auto calls = simulator.call_log()["calls"];
  ASSERT_EQ(calls.size(), 3u);
  EXPECT_EQ(calls[0]["request"], calls[1]["request"]);
  EXPECT_NE(calls[0]["request"], calls[2]["request"]);
  EXPECT_EQ(calls[0]["status"], 200);
  EXPECT_EQ(calls[1]["status"], 500);
  EXPECT_EQ(calls[2]["status"], 0);
}

TEST(SimulatorControl, ListsNoMoreCallsThanItsMaximum) {
  auto to = cloud("one", "openai");
  to.faults = {{.kind = FaultKind::down}};
  auto simulator = simulator_of({.endpoints = {to}});
  auto request = wire(to, question());
  for (std::size_t i = 0; i < Simulator::calls_logged_max + 2; ++i) simulator.respond(request, kStart, kWall);
  auto log = simulator.call_log();
  EXPECT_EQ(log["calls"].size(), Simulator::calls_logged_max);
  EXPECT_EQ(log["dropped"], 2);
}

TEST(SimulatorControl, SetsFaultsFromNowOn) {
  auto to = cloud("one", "openai");
  auto simulator = simulator_of({.endpoints = {to}});
  http::Request order{.method = "POST", .target = "/control/faults"};
  order.body = R"({"endpoint":"one","faults":[{"kind":"errors","from_s":5,"to_s":10}]})";
  EXPECT_EQ(simulator.respond(order, kStart + std::chrono::seconds(100), kWall).head.status, 200);
  auto status_at = [&](int at) {
    return simulator.respond(wire(to, question()), kStart + std::chrono::seconds(at), kWall).head.status;
  };
  EXPECT_EQ(status_at(104), 200);
  EXPECT_EQ(status_at(105), 500);
  EXPECT_EQ(status_at(110), 200);
}

TEST(SimulatorControl, RefusesOrdersItDoesNotUnderstand) {
  auto to = cloud("one", "openai");
  auto simulator = simulator_of({.endpoints = {to}});
  for (const char* body :
       {"", "[]", R"({"endpoint":"one"})", R"({"endpoint":"one","faults":[{"kind":"sad"}]})",
        R"({"endpoint":"one","faults":[{"kind":"down","form_s":1}]})",
        R"({"endpoint":"one","faults":[{"kind":"down","share":-1}]})", R"({"endpoint":"one","faults":[7]})",
        R"({"endpoint":"one","faults":[{"kind":"slow","factor":1e99}]})"}) {
    http::Request order{.method = "POST", .target = "/control/faults", .body = body};
    EXPECT_EQ(simulator.respond(order, kStart, kWall).head.status, 400) << body;
  }
  http::Request nobody{
      .method = "POST", .target = "/control/faults", .body = R"({"endpoint":"two","faults":[]})"};
  EXPECT_EQ(simulator.respond(nobody, kStart, kWall).head.status, 404);
  http::Request unknown{.method = "GET", .target = "/control/other"};
  EXPECT_EQ(simulator.respond(unknown, kStart, kWall).head.status, 404);
}

}  // namespace
}  // namespace troupe::providers::simulator
