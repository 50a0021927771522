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

TEST(SimulatorControl, StrikesAWholeProviderOrRegionAndClearsItAll) {
  auto east = cloud("east", "bedrock"), west = cloud("west", "bedrock"), other = cloud("other", "openai");
  west.region = "us-west-2";
  auto simulator = simulator_of({.endpoints = {east, west, other}});
  auto order = [&](const char* body) {
    http::Request request{.method = "POST", .target = "/control/faults", .body = body};
    return simulator.respond(request, kStart, kWall).head.status;
  };
  auto statuses = [&] {
    std::vector<int> out;
    for (const auto& each : {east, west, other})
      out.push_back(simulator.respond(wire(each, question()), kStart, kWall).head.status);
    return out;
  };
  EXPECT_EQ(order(R"({"provider":"bedrock","faults":[{"kind":"errors"}]})"), 200);
  EXPECT_EQ(statuses(), (std::vector{500, 500, 200}));
  simulator.respond({.method = "DELETE", .target = "/control/faults"}, kStart, kWall);
  EXPECT_EQ(statuses(), (std::vector{200, 200, 200}));
  EXPECT_EQ(order(R"({"provider":"bedrock","region":"us-west-2","faults":[{"kind":"errors"}]})"), 200);
  EXPECT_EQ(statuses(), (std::vector{200, 500, 200}));
  EXPECT_EQ(order(R"({"provider":"nobody","faults":[]})"), 404);
}

TEST(SimulatorControl, SharedFaultsOfTheConfigurationStrikeTheirRegionAndModel) {
  auto east = cloud("east", "openai"), west = cloud("west", "openai");
  west.region = "us-west-2";
  config::SimulatorConfig config{.endpoints = {east, west}};
  config.faults = {{.region = "us-west-2", .fault = {.kind = FaultKind::errors}},
                   {.fault = {.kind = FaultKind::unavailable, .model = "m-2"}}};
  auto simulator = simulator_of(config);
  EXPECT_EQ(simulator.respond(wire(east, question()), kStart, kWall).head.status, 200);
  EXPECT_EQ(simulator.respond(wire(west, question()), kStart, kWall).head.status, 500);
  auto other_model = wire(east, question());
  other_model.body.replace(other_model.body.find("m-1"), 3, "m-2");
  EXPECT_EQ(simulator.respond(other_model, kStart, kWall).head.status, 503);
}

TEST(SimulatorControl, ShowsWhatWasReceivedWithoutCredentials) {
  auto to = cloud("one", "openai");
  auto simulator = simulator_of({.endpoints = {to}});
  auto request = wire(to, question());
  http::set_header(request.headers, "authorization", "Bearer canary");
  for (std::size_t i = 0; i < Simulator::requests_kept + 3; ++i) simulator.respond(request, kStart, kWall);
  auto told = simulator.received();
  ASSERT_EQ(told["requests"].size(), Simulator::requests_kept);
  EXPECT_EQ(told["requests"][0]["body"], request.body);
  EXPECT_EQ(told["requests"][0]["target"], "/one/chat/completions");
  EXPECT_EQ(dump_json(told).find("canary"), std::string::npos);
}

TEST(SimulatorControl, ScalesInstances) {
  auto to = cloud("fleet", "openai");
  to.capacity = {.law = config::CapacityLaw::sagemaker_instances, .instances = 0, .instances_max = 2};
  auto simulator = simulator_of({.endpoints = {to}});
  EXPECT_NE(simulator.respond(wire(to, question()), kStart, kWall).head.status, 200);
  http::Request order{.method = "POST", .target = "/control/scale"};
  order.body = R"({"endpoint":"fleet","instances":5})";
  auto told = parse_json(simulator.respond(order, kStart, kWall).body.at(0).bytes);
  EXPECT_EQ((*told)["instances"], 2);
  EXPECT_EQ((*told)["reason"], "InsufficientInstanceCapacity");
  auto later = kStart + to.capacity.start_up;
  EXPECT_EQ(simulator.respond(wire(to, question()), later, kWall).head.status, 200);
  order.body = R"({"endpoint":"fleet"})";
  EXPECT_EQ(simulator.respond(order, kStart, kWall).head.status, 400);
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
