// Which options of a configuration changed, and which of them a running node can take over (C1).
#include "runtime/config/changes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

namespace troupe::config {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> changed(const std::function<void(Config&)>& change) {
  auto before = demo_config();
  auto after = before;
  change(after);
  auto options = changed_options(before, after);
  auto back = changed_options(after, before);
  EXPECT_EQ(options, back);
  return options;
}

TEST(ChangedOptions, AreNamedByTheirPaths) {
  EXPECT_THAT(changed([](Config&) {}), IsEmpty());
  EXPECT_THAT(changed([](Config& c) { c.features["recap"].route.pools = policy::Pools::on_demand_only; }),
              ElementsAre("features.recap.route.pools"));
  EXPECT_THAT(changed([](Config& c) { c.features["recap"].hierarchy.pop_back(); }),
              ElementsAre("features.recap.hierarchy[1]"));
  EXPECT_THAT(changed([](Config& c) {
                c.endpoints.list[2].model = "other";
                c.cluster.secret_key.reference = "file:key";
                c.http.timeouts.connect += Duration(1);
              }),
              ElementsAre("cluster.secret_key", "endpoints.list[2].model", "http.timeouts.connect"));
}

TEST(ChangedOptions, OfAFeatureMoreAreThoseOfTheWholeFeature) {
  auto options = changed([](Config& c) { c.features["new"]; });
  EXPECT_THAT(options, ::testing::Contains("features.new"));
  EXPECT_FALSE(may_reload("features.new"));
}

TEST(ChangedOptions, OnlyAFeaturesRoutingMayBeTakenOver) {
  for (const char* option : {"features.recap.route.pools", "features.recap.hierarchy[1]",
                             "features.a.share.tokens_per_minute_max", "features.a.class"})
    EXPECT_TRUE(may_reload(option)) << option;
  for (const char* option :
       {"features.recap.budget.usd_per_day", "features.recap.shadow.share", "features.recap.data_class",
        "endpoints.list[0].limits.in_flight_max", "node.id", "features.recap", "features.recap.deadline"})
    EXPECT_FALSE(may_reload(option)) << option;
}

}  // namespace
}  // namespace troupe::config
