// Features that share a node: who swells harms nobody else, and under overload the urgent come first.
#include "tests/replay/support/worlds.hpp"

#include <gtest/gtest.h>

namespace troupe::replay {
namespace {

// Two endpoints that bear 20 calls of 1,100 tokens a second together; 95 % of that is shared out.
config::Config shared_world() {
  auto config = three_endpoints();
  config.endpoints.list.pop_back();
  config.simulator.endpoints.pop_back();
  for (std::size_t i = 0; i < 2; ++i) {
    config.endpoints.list[i].limits = {.input_tokens_per_minute = 600'000,
                                       .output_tokens_per_minute = 60'000};
    auto& model = config.simulator.endpoints[i];
    model.capacity.law = config::CapacityLaw::bedrock_provisioned;
    model.capacity.unit_input_tokens_per_minute = 600'000;
    model.capacity.unit_output_tokens_per_minute = 60'000;
  }
  config.node.tokens_per_minute = 1'254'000;
  config.features["chat"].share.guaranteed_tokens_per_minute = 600'000;
  config.features["search"] = config.features["chat"];
  config.features["search"].share.guaranteed_tokens_per_minute = 300'000;
  auto& recap = config.features["recap"] = config.features["chat"];
  recap.work_class = policy::WorkClass::batch;
  recap.deadline = std::chrono::hours(2);
  recap.admission.queued_max = 50'000;
  recap.share.guaranteed_tokens_per_minute = 100'000;
  return config;
}

// Ten calls a second; the named feature swells to so many times for two of ten minutes.
PolicyResult swollen(const std::string& policy, std::vector<MixPart> mix, Surge surge) {
  WorldRun run{.policy = policy, .count = 6000};
  run.load.mix = std::move(mix);
  if (surge.factor > 1) run.load.surges = {std::move(surge)};
  return replay_world(shared_world(), run);
}

Surge of(const std::string& feature, double factor) {
  return {feature, factor, std::chrono::seconds(120), std::chrono::seconds(240)};
}

double ttft_p99(const PolicyResult& result, std::size_t feature) {
  return quantiles_of(result.features[feature].ttft).p99;
}

const std::vector<MixPart> kChatAndRecap{{"chat", 0.7}, {"recap", 0.3}};
const std::vector<MixPart> kChatAndSearch{{"chat", 0.7}, {"search", 0.3}};

TEST(Shares, ABatchFeatureAtTenTimesItsLoadHarmsNoChat) {  // C6
  auto calm = swollen("troupe", kChatAndRecap, {}), ours = swollen("troupe", kChatAndRecap, of("recap", 10)),
       without = swollen("troupe-no-shares", kChatAndRecap, of("recap", 10));
  EXPECT_EQ(ours.features[0].served, ours.features[0].offered);
  EXPECT_LT(ttft_p99(ours, 0), 1.5 * ttft_p99(calm, 0));
  EXPECT_GT(ttft_p99(without, 0), 1.7 * ttft_p99(calm, 0)) << "off";
  EXPECT_EQ(ours.features[1].served, ours.features[1].offered) << "by its deadline";
}

TEST(Shares, AnInteractiveFeatureAtTenTimesItsLoadHarmsNoOther) {  // C6
  auto calm = swollen("troupe", kChatAndSearch, {}),
       ours = swollen("troupe", kChatAndSearch, of("search", 10)),
       without = swollen("troupe-no-shares", kChatAndSearch, of("search", 10));
  EXPECT_EQ(ours.features[0].served, ours.features[0].offered);
  EXPECT_LT(ttft_p99(ours, 0), 1.5 * ttft_p99(calm, 0));
  EXPECT_GT(ttft_p99(without, 0), 1.7 * ttft_p99(calm, 0)) << "off";
}

// Chat uses all of its guarantee, at endpoints whose buckets hold 3.6 seconds' tokens. One that is left is
// returned to when a quarter of that is there again: five times what borrowers leave free for guarantees.
double chat_p99_beside_a_crowd(policy::CapacityKind kind) {
  auto config = shared_world();
  for (auto& endpoint : config.endpoints.list) {
    endpoint.kind = kind;
    endpoint.limits.burst_minutes = 0.06;
  }
  WorldRun run{.policy = "troupe", .count = 6000};
  run.load.mix = kChatAndSearch;
  run.load.surges = {of("search", 10), of("chat", 1.28)};
  return ttft_p99(replay_world(config, run), 0);
}

TEST(Shares, WhereCallsAreSpilledToOneRefusalKeepsNobodyFromTheRoomOfGuarantees) {  // C4, C6
  EXPECT_LT(chat_p99_beside_a_crowd(policy::CapacityKind::on_demand), 0.8);
  EXPECT_GT(chat_p99_beside_a_crowd(policy::CapacityKind::reserved), 1.6) << "left for a while: off";
}

TEST(Shares, WhatNobodyElseWantsIsBorrowed) {  // C6
  auto result = swollen("troupe", {{"recap", 1}}, {});
  EXPECT_EQ(result.served, 6000u);
  EXPECT_LT(quantiles_of(result.total).p99, 20) << "ten calls a second, six times its guarantee";
}

}  // namespace
}  // namespace troupe::replay
