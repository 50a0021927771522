// The simulated clouds without a socket: routing, limits, credentials, faults in the dialects' own shapes.
#include "tests/providers/simulator_support.hpp"

#include "providers/auth/sigv4.hpp"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <vector>

namespace troupe::providers::simulator {
namespace {

class SimulatedDialects : public ::testing::TestWithParam<std::string_view> {
 protected:
  config::SimulatedEndpoint endpoint() const { return cloud("one", dialect()); }
  Heard call(Simulator& simulator, const config::SimulatedEndpoint& to, Duration at = {}) const {
    auto response = simulator.respond(wire(to, question()), kStart + at, kWall);
    simulator.ended(response.call, kStart + at);
    return hear(dialect(), response);
  }
  std::string dialect() const { return std::string(GetParam()); }
  bool is_tgi() const { return dialect() == "sagemaker_tgi"; }
  Heard call_with(Fault fault) const {
    auto to = endpoint();
    to.faults.push_back(fault);
    auto simulator = simulator_of({.endpoints = {to}});
    return call(simulator, to);
  }
};
INSTANTIATE_TEST_SUITE_P(Simulator, SimulatedDialects, ::testing::ValuesIn(dialect_names()),
                         [](const auto& param) { return std::string(param.param); });

TEST_P(SimulatedDialects, AnswersAStreamThatTheClientReadsWhole) {  // D1
  auto to = endpoint();
  auto simulator = simulator_of({.endpoints = {to}});
  auto response = simulator.respond(wire(to, question()), kStart, kWall);
  EXPECT_GE(response.body.size(), 5u);
  auto heard = hear(dialect(), response);
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
  auto decoded = find_dialect(dialect())->decode({200, response.head.headers, response.body.at(0).bytes});
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
  ASSERT_TRUE(hinted.error);
  EXPECT_EQ(hinted.error->code, Errc::rate_limited);
  ASSERT_TRUE(hinted.error->retry_after);
  EXPECT_EQ(*hinted.error->retry_after, std::chrono::seconds(7));
  auto plain = call_with({.kind = FaultKind::throttle});
  EXPECT_EQ(plain.error->code, Errc::rate_limited);
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
  // SageMaker's stream has two exceptions, and neither says "overloaded".
  bool sagemaker = dialect().starts_with("sagemaker");
  if (!sagemaker) EXPECT_EQ(heard.error->code, Errc::overloaded);
  EXPECT_TRUE(heard.error->failover);
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
  if (is_tgi()) GTEST_SKIP() << "TGI's generate call has no tools";
  auto to = endpoint();
  auto simulator = simulator_of({.endpoints = {to}});
  auto request = question();
  request.tools = {{"search", "finds", {R"({"type":"object","properties":{"query":{"type":"string"}}})"}},
                   {"fetch", "gets", {R"({"type":"object","properties":{"url":{"type":"string"}}})"}}};
  std::get<TextPart>(request.messages[0].parts[0]).text += "use search and fetch";
  auto heard = hear(dialect(), simulator.respond(wire(to, request), kStart, kWall));
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
  auto closing = hear(dialect(), simulator.respond(wire(to, request), kStart, kWall));
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
  std::vector<std::string> said;
  for (int at : {0, 1, 2, 3, 10, 19, 20}) {
    auto heard = call(simulator, to, std::chrono::seconds(at));
    said.emplace_back(heard.error ? to_string(heard.error->code) : "ok");
  }
  EXPECT_EQ(said, (std::vector<std::string>{"ok", "transient_server", "transient_server", "ok", "overloaded",
                                            "overloaded", "ok"}));
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
  EXPECT_NEAR(static_cast<double>(300 - std::ranges::count(first, 200)), 90, 30);
}

TEST_P(SimulatedDialects, KeepsItsTokensPerMinute) {
  auto to = endpoint();
  to.limits.input_tokens_per_minute = 1000;
  auto simulator = simulator_of({.endpoints = {to}});
  int served = 0;
  Heard last;
  for (int i = 0; i < 20 && !last.error; ++i) {
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
  EXPECT_NE(simulator.respond(wire(to, question()), kStart, kWall).head.status, 200);
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
  EXPECT_EQ(hear(dialect(), simulator.respond(request, kStart, kWall)).error->code, Errc::bad_request);
  to.models = {"other"};
  auto other = simulator_of({.endpoints = {to}});
  EXPECT_EQ(call(other, to).error->code, Errc::not_found);
}

TEST_P(SimulatedDialects, ChecksCredentialsWhenToldTo) {
  auto to = endpoint();
  to.credentials = config::simulated_credentials();
  auto simulator = simulator_of({.endpoints = {to}});
  EXPECT_EQ(call(simulator, to).error->code, Errc::auth);
  auto with_key = [&](const std::string& key) {
    auto request = wire(to, question());
    find_dialect(dialect())->put_api_key(request, key);
    return hear(dialect(), simulator.respond(request, kStart, kWall));
  };
  EXPECT_EQ(with_key("wrong").error->code, Errc::auth);
  // SageMaker has no API keys; everyone else takes one.
  EXPECT_EQ(with_key(to.credentials.api_key).status == 200, !dialect().starts_with("sagemaker"));
}

TEST(Simulator, OpensToWhatItsIssuersGaveOutUntilItExpires) {  // A2, D9
  auto gemini = cloud("gemini", "vertex_gemini");
  auto west = cloud("west", "bedrock");
  west.region = "us-west-2";
  gemini.credentials = west.credentials = config::simulated_credentials();
  config::SimulatorConfig config{.endpoints = {gemini, west}};
  config.issuers.token_lifetime = std::chrono::minutes(10);
  auto simulator = simulator_of(config);
  http::Request ask{.method = "GET",
                    .target = "/computeMetadata/v1/instance/service-accounts/default/token",
                    .headers = {{"metadata-flavor", "Google"}, {"host", "metadata.google.internal"}}};
  auto granted = parse_json(simulator.respond(ask, kStart, kWall).body.at(0).bytes);
  ASSERT_TRUE(granted);
  auto status_at = [&](WallTime wall) {
    auto request = wire(gemini, question());
    http::set_header(request.headers, "authorization", "Bearer " + get_string(*granted, "access_token"));
    return simulator.respond(request, kStart, wall).head.status;
  };
  EXPECT_EQ(status_at(kWall), 200);
  EXPECT_EQ(status_at({kWall.ms + 9 * 60'000}), 200);
  EXPECT_EQ(status_at({kWall.ms + 11 * 60'000}), 401);
  http::Request down{.method = "POST", .target = "/control/issuers", .body = R"({"down":true})"};
  EXPECT_EQ(simulator.respond(down, kStart, kWall).head.status, 200);
  EXPECT_EQ(simulator.respond(ask, kStart, kWall).head.status, 503);
  EXPECT_EQ(status_at(kWall), 200) << "what was issued stays good";
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
