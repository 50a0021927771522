// The simulated clouds without a socket: routing, limits, credentials, faults in the dialects' own shapes.
#include "tests/providers/simulator_support.hpp"

#include "providers/auth/sigv4.hpp"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <vector>

namespace troupe::providers::simulator {
namespace {

class SimulatedDialects : public ::testing::TestWithParam<const char*> {
 protected:
  config::SimulatedEndpoint endpoint() const { return cloud("one", GetParam()); }
  Heard call(Simulator& simulator, const config::SimulatedEndpoint& to, Duration at = {}) const {
    auto response = simulator.respond(wire(to, question()), kStart + at, kWall);
    simulator.ended(response.call, kStart + at);
    return hear(GetParam(), response);
  }
  Heard call_with(Fault fault) const {
    auto to = endpoint();
    to.faults.push_back(fault);
    auto simulator = simulator_of({.endpoints = {to}});
    return call(simulator, to);
  }
};
INSTANTIATE_TEST_SUITE_P(Simulator, SimulatedDialects, ::testing::Values("openai", "bedrock"),
                         [](const auto& param) { return std::string(param.param); });

TEST_P(SimulatedDialects, AnswersAStreamThatTheClientReadsWhole) {  // D1
  auto to = endpoint();
  auto simulator = simulator_of({.endpoints = {to}});
  auto response = simulator.respond(wire(to, question()), kStart, kWall);
  EXPECT_GE(response.body.size(), 5u);
  auto heard = hear(GetParam(), response);
  ASSERT_TRUE(heard.completion);
  EXPECT_EQ(heard.completion->stop, StopReason::stop);
  EXPECT_NE(heard.completion->text().find("[m"), std::string::npos);
  EXPECT_GT(heard.completion->usage.input, 100);
  EXPECT_GT(heard.completion->usage.output, 10);
}

TEST_P(SimulatedDialects, AnswersAWholeResponseToo) {
  auto to = endpoint();
  auto simulator = simulator_of({.endpoints = {to}});
  auto response = simulator.respond(wire(to, question(false)), kStart, kWall);
  EXPECT_FALSE(response.streamed);
  auto decoded = find_dialect(GetParam())->decode({200, response.head.headers, response.body.at(0).bytes});
  ASSERT_TRUE(decoded) << decoded.error().what;
  EXPECT_NE(decoded->text().find("[m"), std::string::npos);
}

TEST_P(SimulatedDialects, SpreadsDeltasOverTimeAndNotAtScaleZero) {
  auto to = endpoint();
  for (double scale : {1.0, 0.0}) {
    auto simulator = simulator_of({.scale = scale, .endpoints = {to}});
    auto response = simulator.respond(wire(to, question()), kStart, kWall);
    auto spread = response.body.back().after_start - response.body.front().after_start;
    EXPECT_EQ(spread > Duration{}, scale > 0);
    for (std::size_t i = 1; i < response.body.size(); ++i) {
      EXPECT_LE(response.body[i - 1].after_start, response.body[i].after_start);
    }
  }
}

TEST_P(SimulatedDialects, ThrottlesWithAndWithoutAHint) {  // G3
  auto hinted = call_with({.kind = FaultKind::throttle, .retry_after = std::chrono::seconds(7)});
  EXPECT_EQ(hinted.status, 429);
  ASSERT_TRUE(hinted.error);
  EXPECT_EQ(hinted.error->code, Errc::rate_limited);
  ASSERT_TRUE(hinted.error->retry_after);
  EXPECT_EQ(*hinted.error->retry_after, std::chrono::seconds(7));
  auto plain = call_with({.kind = FaultKind::throttle});
  EXPECT_EQ(plain.status, 429);
  EXPECT_FALSE(plain.error->retry_after);
}

TEST_P(SimulatedDialects, FailsInTheDialectsOwnWords) {
  EXPECT_EQ(call_with({.kind = FaultKind::errors}).error->code, Errc::transient_server);
  EXPECT_EQ(call_with({.kind = FaultKind::unavailable}).error->code, Errc::overloaded);
  EXPECT_EQ(call_with({.kind = FaultKind::down}).ending, Ending::refuse);
}

TEST_P(SimulatedDialects, BreaksStreamsSoThatNoClientTakesThemForWhole) {
  for (auto kind : {FaultKind::cut, FaultKind::stall, FaultKind::malformed, FaultKind::truncated}) {
    auto heard = call_with({.kind = kind});
    EXPECT_EQ(heard.status, 200) << config::to_string(kind);
    EXPECT_FALSE(heard.completion) << config::to_string(kind);
    ASSERT_TRUE(heard.error) << config::to_string(kind);
    EXPECT_EQ(heard.error->code, Errc::stream_broken) << config::to_string(kind);
  }
  EXPECT_EQ(call_with({.kind = FaultKind::half_open}).ending, Ending::silence);
  EXPECT_EQ(call_with({.kind = FaultKind::cut}).ending, Ending::cut);
  EXPECT_EQ(call_with({.kind = FaultKind::stall}).ending, Ending::stall);
  EXPECT_EQ(call_with({.kind = FaultKind::truncated}).ending, Ending::complete);
}

TEST_P(SimulatedDialects, SaysAnErrorInsideTheStreamInItsOwnWords) {  // G1
  auto heard = call_with({.kind = FaultKind::in_stream_error});
  EXPECT_EQ(heard.status, 200);
  ASSERT_TRUE(heard.error);
  EXPECT_EQ(heard.error->code, Errc::overloaded);
  EXPECT_TRUE(heard.error->maybe_billed);
}

TEST_P(SimulatedDialects, IsCutAtAnyByte) {
  auto to = endpoint();
  auto simulator = simulator_of({.endpoints = {to}});
  std::size_t whole = 0;
  for (const auto& piece : simulator.respond(wire(to, question()), kStart, kWall).body)
    whole += piece.bytes.size();
  for (std::uint64_t at : {std::uint64_t{1}, std::uint64_t{2}, whole / 3, whole - 1}) {
    auto cut = endpoint();
    cut.faults = {{.kind = FaultKind::cut, .at_byte = at}};
    auto broken = simulator_of({.endpoints = {cut}});
    auto response = broken.respond(wire(cut, question()), kStart, kWall);
    std::size_t sent = 0;
    for (const auto& piece : response.body) sent += piece.bytes.size();
    EXPECT_EQ(sent, at);
    EXPECT_EQ(response.ending, Ending::cut);
  }
}

TEST_P(SimulatedDialects, AnswersToolsReasoningAndResults) {  // G5
  auto to = endpoint();
  auto simulator = simulator_of({.endpoints = {to}});
  auto request = question();
  request.tools = {{"search", "finds", {R"({"type":"object","properties":{"query":{"type":"string"}}})"}},
                   {"fetch", "gets", {R"({"type":"object","properties":{"url":{"type":"string"}}})"}}};
  std::get<TextPart>(request.messages[0].parts[0]).text += "use search and fetch";
  auto heard = hear(GetParam(), simulator.respond(wire(to, request), kStart, kWall));
  ASSERT_TRUE(heard.completion);
  EXPECT_EQ(heard.completion->stop, StopReason::tool_calls);
  ASSERT_EQ(heard.completion->parts.size(), 2u);
  const auto& use = std::get<ToolUsePart>(heard.completion->parts[0]);
  EXPECT_EQ(use.name, "search");
  EXPECT_FALSE(get_string(*parse_json(use.input.text), "query").empty());
  EXPECT_NE(use.id, std::get<ToolUsePart>(heard.completion->parts[1]).id);
  request.messages.push_back({Role::assistant, heard.completion->parts});
  Message results{Role::user, {}};
  for (const auto& part : heard.completion->parts)
    results.parts.emplace_back(ToolResultPart{std::get<ToolUsePart>(part).id, "found it", false});
  request.messages.push_back(std::move(results));
  auto closing = hear(GetParam(), simulator.respond(wire(to, request), kStart, kWall));
  ASSERT_TRUE(closing.completion);
  EXPECT_EQ(closing.completion->stop, StopReason::stop);
}

TEST_P(SimulatedDialects, IsSlowOrLateWhenTold) {
  auto last_byte = [&](std::vector<Fault> faults) {
    auto to = endpoint();
    to.faults = std::move(faults);
    auto simulator = simulator_of({.endpoints = {to}});
    return simulator.respond(wire(to, question()), kStart, kWall).body.back().after_start;
  };
  auto usual = last_byte({});
  EXPECT_NEAR(seconds(last_byte({{.kind = FaultKind::slow, .factor = 3}})), 3 * seconds(usual), 0.001);
  auto slow_head = last_byte({{.kind = FaultKind::slow_head, .delay = std::chrono::seconds(2)}});
  EXPECT_NEAR(seconds(slow_head), seconds(usual) + 2, 0.001);
  auto late = last_byte({{.kind = FaultKind::late_first_token, .delay = std::chrono::seconds(5)}});
  EXPECT_NEAR(seconds(late), seconds(usual) + 5, 0.001);
}

TEST_P(SimulatedDialects, StrikesByCallNumberAndByTime) {
  auto to = endpoint();
  to.faults = {
      {.kind = FaultKind::errors, .call_from = 2, .call_to = 3},
      {.kind = FaultKind::unavailable, .from = std::chrono::seconds(10), .to = std::chrono::seconds(20)}};
  auto simulator = simulator_of({.endpoints = {to}});
  std::vector<int> statuses;
  for (int at : {0, 1, 2, 3, 10, 19, 20}) {
    statuses.push_back(call(simulator, to, std::chrono::seconds(at)).status);
  }
  EXPECT_EQ(statuses, (std::vector{200, 500, 500, 200, 503, 503, 200}));
}

TEST_P(SimulatedDialects, StrikesTheGivenShareTheSameWayEachRun) {
  auto to = endpoint();
  to.faults = {{.kind = FaultKind::errors, .share = 0.3}};
  auto run = [&](std::uint64_t seed) {
    auto simulator = simulator_of({.seed = seed, .endpoints = {to}});
    std::vector<int> statuses;
    for (int i = 0; i < 300; ++i) statuses.push_back(call(simulator, to).status);
    return statuses;
  };
  auto first = run(5);
  EXPECT_EQ(first, run(5));
  EXPECT_NE(first, run(6));
  EXPECT_NEAR(static_cast<double>(std::ranges::count(first, 500)), 90, 30);
}

TEST_P(SimulatedDialects, KeepsItsTokensPerMinute) {
  auto to = endpoint();
  to.limits.input_tokens_per_minute = 1000;
  auto simulator = simulator_of({.endpoints = {to}});
  int served = 0;
  Heard last;
  for (int i = 0; i < 20 && last.status != 429; ++i) {
    last = call(simulator, to);
    served += last.status == 200 ? 1 : 0;
  }
  EXPECT_EQ(last.error->code, Errc::rate_limited);
  ASSERT_TRUE(last.error->retry_after);
  EXPECT_GE(served, 2);
  EXPECT_EQ(call(simulator, to, *last.error->retry_after).status, 200);
  // Without the limit the same calls pass.
  auto unlimited = endpoint();
  auto free = simulator_of({.endpoints = {unlimited}});
  for (int i = 0; i < 20; ++i) EXPECT_EQ(call(free, unlimited).status, 200);
}

TEST_P(SimulatedDialects, KeepsItsConcurrency) {
  auto to = endpoint();
  to.limits.in_flight_max = 2;
  auto simulator = simulator_of({.endpoints = {to}});
  auto first = simulator.respond(wire(to, question()), kStart, kWall);
  auto second = simulator.respond(wire(to, question()), kStart, kWall);
  EXPECT_EQ(simulator.respond(wire(to, question()), kStart, kWall).head.status, 429);
  simulator.ended(first.call, kStart);
  EXPECT_EQ(simulator.respond(wire(to, question()), kStart, kWall).head.status, 200);
  simulator.ended(second.call, kStart);
  simulator.ended(second.call, kStart);
  simulator.ended(0, kStart);
  EXPECT_EQ(simulator.stats(kStart)["in_flight"], 1);
}

TEST_P(SimulatedDialects, IsUsableOnlyOnceStarted) {  // A4
  auto to = endpoint();
  to.ready_after = std::chrono::seconds(30);
  auto simulator = simulator_of({.endpoints = {to}});
  EXPECT_NE(call(simulator, to).status, 200);
  EXPECT_EQ(call(simulator, to, std::chrono::seconds(29)).error->retryable, true);
  EXPECT_EQ(call(simulator, to, std::chrono::seconds(30)).status, 200);
  auto at_once_ready = endpoint();
  auto ready = simulator_of({.endpoints = {at_once_ready}});
  EXPECT_EQ(call(ready, at_once_ready).status, 200);
}

TEST_P(SimulatedDialects, RefusesUnknownModelsLongPromptsAndGarbage) {
  auto to = endpoint();
  to.models = {"m-1"};
  to.context_tokens_max = 10;
  auto simulator = simulator_of({.endpoints = {to}});
  EXPECT_EQ(call(simulator, to).error->code, Errc::context_length_exceeded);
  auto request = wire(to, question());
  request.body = "{\"messages\":";
  EXPECT_EQ(hear(GetParam(), simulator.respond(request, kStart, kWall)).error->code, Errc::bad_request);
  to.models = {"other"};
  auto other = simulator_of({.endpoints = {to}});
  EXPECT_EQ(call(other, to).error->code, Errc::not_found);
}

TEST_P(SimulatedDialects, ChecksCredentialsWhenToldTo) {
  auto to = endpoint();
  to.credentials = config::simulated_credentials();
  auto simulator = simulator_of({.endpoints = {to}});
  EXPECT_EQ(call(simulator, to).error->code, Errc::auth);
  auto request = wire(to, question());
  http::set_header(request.headers, "authorization", "Bearer wrong");
  EXPECT_EQ(hear(GetParam(), simulator.respond(request, kStart, kWall)).error->code, Errc::auth);
  http::set_header(request.headers, "authorization", "Bearer " + to.credentials.api_key);
  EXPECT_EQ(simulator.respond(request, kStart, kWall).head.status, 200);
}

TEST(Simulator, ChecksBedrockSignaturesAndTheirRegion) {
  auto to = cloud("signed", "bedrock");
  to.region = "us-west-2";
  to.credentials = config::simulated_credentials();
  auto simulator = simulator_of({.endpoints = {to}});
  AwsCredentials keys{.access_key_id = to.credentials.access_key_id,
                      .secret_access_key = to.credentials.secret_access_key};
  auto status_of = [&](const AwsCredentials& with, const SigningScope& scope) {
    auto request = wire(to, question());
    EXPECT_TRUE(sign(request, with, scope, kWall));
    return simulator.respond(request, kStart, kWall).head.status;
  };
  EXPECT_EQ(status_of(keys, {"us-west-2", "bedrock"}), 200);
  EXPECT_EQ(status_of(keys, {"us-east-1", "bedrock"}), 403);
  keys.secret_access_key += "x";
  EXPECT_EQ(status_of(keys, {"us-west-2", "bedrock"}), 403);
}

TEST(Simulator, FindsEndpointsByPathThenByHost) {
  auto east = cloud("east", "openai");
  auto west = cloud("west", "openai");
  west.host = "west.example";
  auto simulator = simulator_of({.endpoints = {east, west}});
  auto calls = [&](const char* name) { return simulator.find(name)->stats().calls; };
  auto request = wire(east, question());
  simulator.respond(request, kStart, kWall);
  EXPECT_EQ(calls("east"), 1u);
  request.target = "/v1/chat/completions";
  http::set_header(request.headers, "Host", "WEST.example");
  EXPECT_EQ(simulator.respond(request, kStart, kWall).head.status, 200);
  EXPECT_EQ(calls("west"), 1u);
  http::set_header(request.headers, "Host", "north.example");
  EXPECT_EQ(simulator.respond(request, kStart, kWall).head.status, 404);
}

TEST(Simulator, RefusesNamesThatCannotBeRouted) {
  for (const char* name : {"", "control", "a/b", "a b"}) {
    EXPECT_FALSE(Simulator::make({.endpoints = {cloud(name, "openai")}}, kStart)) << name;
  }
  EXPECT_FALSE(Simulator::make({.endpoints = {cloud("a", "openai"), cloud("a", "bedrock")}}, kStart));
  EXPECT_FALSE(Simulator::make({.endpoints = {cloud("a", "latin")}}, kStart));
}

TEST(Simulator, CountsCallsByOutcomeAndWhatItWouldBill) {
  auto to = cloud("one", "openai");
  to.price = {.input = 1e6, .output = 0};
  to.faults = {{.kind = FaultKind::errors, .call_from = 2, .call_to = 2}};
  auto simulator = simulator_of({.endpoints = {to}});
  for (int i = 0; i < 3; ++i)
    simulator.ended(simulator.respond(wire(to, question()), kStart, kWall).call, kStart);
  auto stats = simulator.stats(kStart)["endpoints"]["one"];
  EXPECT_EQ(stats["calls"], 3);
  EXPECT_EQ(stats["by_outcome"]["ok"], 2);
  EXPECT_EQ(stats["by_outcome"]["errors"], 1);
  EXPECT_EQ(stats["in_flight"], 0);
  EXPECT_DOUBLE_EQ(stats["usd"].get<double>(), stats["input_tokens"].get<double>());
}

TEST(Simulator, HoldsNoMoreCallsThanItsMaximum) {
  auto to = cloud("one", "openai");
  auto simulator = simulator_of({.in_flight_max = 1, .endpoints = {to}});
  EXPECT_EQ(simulator.respond(wire(to, question()), kStart, kWall).head.status, 200);
  EXPECT_EQ(simulator.respond(wire(to, question()), kStart, kWall).head.status, 503);
}

}  // namespace
}  // namespace troupe::providers::simulator
