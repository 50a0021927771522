// What a reload gives to queues that are made anew (C1, C6).
#include "actors/wiring.hpp"

#include <gtest/gtest.h>

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
