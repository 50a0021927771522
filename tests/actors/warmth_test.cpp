// Connections that are kept warm follow the configuration both ways (D8, C13).
#include "actors/warmth.hpp"

#include "runtime/http/loop.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe::actors {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class WarmthTest : public ::testing::Test {
 protected:
  Warmth::Wish at(const std::string& host, std::size_t count) { return {&client_, {true, host, 443}, count}; }
  static std::vector<std::string> told(const std::vector<Warmth::Wish>& wishes) {
    std::vector<std::string> out;
    for (const auto& each : wishes) out.push_back(each.origin.host + " " + std::to_string(each.count));
    return out;
  }
  http::Loop loop_;
  http::Client client_{loop_, {}};
};

TEST_F(WarmthTest, EndpointsOfOnePlaceWantTheirConnectionsTogether) {
  Warmth warmth;
  warmth.want("a", at("east", 2));
  warmth.want("b", at("east", 3));
  warmth.want("c", at("west", 0));
  EXPECT_THAT(told(warmth.since({})), ElementsAre("east 5"));
}

TEST_F(WarmthTest, APlaceThatNobodyWantsAnyMoreIsToldSo) {  // or it would be kept open for ever
  Warmth before;
  before.want("a", at("east", 2));
  before.want("b", at("west", 1));
  auto after = before;
  after.leave("a");
  EXPECT_THAT(told(after.since(before)), ElementsAre("east 0"));
  after.want("b", at("north", 1));
  EXPECT_THAT(told(after.since(before)), ElementsAre("east 0", "north 1", "west 0")) << "it moved";
}

TEST_F(WarmthTest, OfWhatIsAsItWasNobodyIsToldAgain) {
  Warmth before;
  before.want("a", at("east", 2));
  EXPECT_THAT(told(Warmth(before).since(before)), IsEmpty());
}

}  // namespace
}  // namespace troupe::actors
