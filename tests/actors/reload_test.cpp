// What a reload gives to queues that are made anew (C1, C6).
#include "actors/wiring.hpp"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace troupe::actors {
namespace {

config::Config three_features(double tokens_per_minute) {
  auto config = config::demo_config();
  config.features.clear();
  for (const char* name : {"a", "a.b", "c"}) config.features[name].hierarchy = {"large"};
  config.node.tokens_per_minute = tokens_per_minute;
  return config;
}

TEST(BreakerTarget, IsAnotherWhenSomethingElseStandsBehindTheEndpoint) {  // F13
  auto config = config::demo_config();
  auto endpoint = config.endpoints.list.front();
  auto usual = breaker_target(config, endpoint);
  EXPECT_NE(usual, 0u);
  auto limited = endpoint;
  limited.limits.requests_per_minute = 7;
  limited.breaker.samples_min = 20;
  EXPECT_EQ(breaker_target(config, limited), usual) << "how it is used is not what it is";
  std::set<std::uint64_t> targets{usual};
  auto differs = [&](auto change) {
    auto other = endpoint;
    auto in = config;
    change(other, in.providers.at(endpoint.provider));
    EXPECT_TRUE(targets.insert(breaker_target(in, other)).second);
  };
  differs([](auto& each, auto&) { each.model += "2"; });
  differs([](auto& each, auto&) { each.remote_model += "2"; });
  differs([](auto& each, auto&) { each.region += "2"; });
  differs([](auto&, auto& provider) { provider.base_url = "https://elsewhere.example"; });
  differs([](auto&, auto& provider) { provider.project = "other"; });
}

TEST(SharedQuota, IsOneTreeForAllFeatures) {  // C6
  auto config = three_features(6000);
  auto quota = shared_quota(config);
  auto features = feature_configs(config, quota);
  ASSERT_EQ(features.size(), 3u);
  for (const auto& each : features) EXPECT_EQ(each.quota_tree, quota);
  EXPECT_EQ(shared_quota(three_features(0)), nullptr);
}

}  // namespace
}  // namespace troupe::actors
