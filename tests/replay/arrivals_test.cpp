// Load made of a trace: scale, mix, surges, and that one seed is one load.
#include "replay/arrivals.hpp"

#include <gtest/gtest.h>

namespace troupe::replay {
namespace {

using std::chrono::seconds;

// One request a second, numbered by its input tokens.
class EverySecond final : public TraceSource {
 public:
  explicit EverySecond(std::uint32_t count) : count_(count) {}
  Result<bool> next(TraceRow& row) override {
    if (given_ == count_) return false;
    row.at = seconds(given_);
    row.input_tokens = ++given_;
    row.output_tokens = 10;
    row.blocks = {0, given_};
    return true;
  }

 private:
  std::uint32_t count_, given_ = 0;
};

std::vector<Arrival> all_of(std::uint32_t count, const LoadOptions& options) {
  Arrivals arrivals(std::make_unique<EverySecond>(count), options);
  std::vector<Arrival> out;
  Arrival arrival;
  while (*arrivals.next(arrival)) out.push_back(arrival);
  return out;
}

LoadOptions load(double scale) { return {.scale = scale, .mix = {{"chat", 1}}}; }

TEST(Arrivals, AreTheTraceAtScaleOne) {
  auto all = all_of(100, load(1));
  ASSERT_EQ(all.size(), 100u);
  for (std::uint32_t i = 0; i < 100; ++i) {
    EXPECT_EQ(all[i].at, Duration(seconds(i)));
    EXPECT_EQ(all[i].input_tokens, i + 1);
    EXPECT_EQ(all[i].number, i + 1u);
  }
}

TEST(Arrivals, AreSuperposedInOrderOfTime) {
  auto all = all_of(1000, load(3));
  ASSERT_EQ(all.size(), 3000u);
  for (std::size_t i = 1; i < all.size(); ++i) EXPECT_LE(all[i - 1].at, all[i].at);
  EXPECT_LE(all.back().at, Duration(seconds(999 + 60)));
  // Other copies are other people's prompts.
  std::set<std::uint64_t> second_blocks;
  for (const auto& arrival : all) second_blocks.insert(arrival.blocks[1]);
  EXPECT_EQ(second_blocks.size(), 3000u);
}

TEST(Arrivals, KeepTheFractionOfAScale) {
  EXPECT_NEAR(static_cast<double>(all_of(10'000, load(0.3)).size()), 3000, 5 * 46);
  EXPECT_NEAR(static_cast<double>(all_of(10'000, load(2.5)).size()), 25'000, 5 * 50);
}

TEST(Arrivals, AreDealtOutByShares) {
  LoadOptions options{.mix = {{"chat", 3}, {"recap", 1}}};
  std::size_t recap = 0;
  for (const auto& arrival : all_of(10'000, options)) recap += arrival.feature;
  EXPECT_NEAR(static_cast<double>(recap), 2500, 5 * 43);
}

TEST(Arrivals, SwellWhereAndWhenTheSurgeIs) {
  LoadOptions options{.mix = {{"chat", 1}, {"recap", 1}}};
  options.surges = {{"recap", 10, seconds(1000), seconds(2000)}};
  auto all = all_of(3000, options);
  std::array<double, 2> before{}, during{};
  for (const auto& arrival : all) {
    if (arrival.at < seconds(1000)) ++before[arrival.feature];
    if (arrival.at >= seconds(1100) && arrival.at < seconds(2000)) ++during[arrival.feature];
  }
  EXPECT_NEAR(during[0] / 900, before[0] / 1000, 0.15);
  EXPECT_NEAR(during[1] / 900, 10 * before[1] / 1000, 0.8);
}

TEST(Arrivals, AreTheSameForTheSameSeedAndOthersForAnother) {
  auto options = load(2.5);
  options.mix = {{"chat", 1}, {"recap", 2}};
  auto one = all_of(500, options), two = all_of(500, options);
  options.seed = 2;
  auto other = all_of(500, options);
  ASSERT_EQ(one.size(), two.size());
  for (std::size_t i = 0; i < one.size(); ++i) {
    EXPECT_EQ(one[i].at, two[i].at);
    EXPECT_EQ(one[i].feature, two[i].feature);
    EXPECT_EQ(one[i].tenant, two[i].tenant);
  }
  EXPECT_TRUE(other.size() != one.size() || other[700].at != one[700].at);
}

TEST(LoadOptions, AreRefusedWhenUnsound) {
  EXPECT_FALSE(validate(load(1)));
  EXPECT_TRUE(validate(load(0)));
  EXPECT_TRUE(validate(load(1e9)));
  EXPECT_TRUE(validate(LoadOptions{}));
  auto options = load(1);
  options.mix[0].share = -1;
  EXPECT_TRUE(validate(options));
  options = load(1);
  options.surges = {{"", 2, seconds(5), seconds(5)}};
  EXPECT_TRUE(validate(options));
  options = load(1);
  options.tenants = 0;
  EXPECT_TRUE(validate(options));
}

}  // namespace
}  // namespace troupe::replay
