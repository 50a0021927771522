// Which queues a reload replaces: those whose rules changed, and all when they share in another way (C1, C6).
#include "actors/reload.hpp"

#include "actors/wiring.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace troupe::actors {
namespace {

using Names = std::set<std::string>;

config::Config three_features(double tokens_per_minute) {
  auto config = config::demo_config();
  config.features.clear();
  for (const char* name : {"a", "a.b", "c"}) config.features[name].hierarchy = {"large"};
  config.node.tokens_per_minute = tokens_per_minute;
  return config;
}

TEST(ReloadScope, IsTheFeaturesWhoseOptionsChanged) {  // C1
  auto config = three_features(1000);
  std::vector<std::string> changed{"features.c.route.pools", "features.c.hierarchy[0]"};
  auto scope = reload_scope(changed, config);
  EXPECT_EQ(scope.features, Names{"c"});
  EXPECT_FALSE(scope.shares) << "what was used of the shares goes on counting";
}

TEST(ReloadScope, IsAllFeaturesWhenTheirSharesChange) {  // C6: they take from one tree
  auto config = three_features(1000);
  std::vector<std::string> changed{"features.c.share.guaranteed_tokens_per_minute"};
  auto scope = reload_scope(changed, config);
  EXPECT_TRUE(scope.shares);
  EXPECT_EQ(scope.features, (Names{"a", "a.b", "c"}));
  EXPECT_FALSE(reload_scope(changed, three_features(0)).shares) << "nothing is shared without a limit";
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
