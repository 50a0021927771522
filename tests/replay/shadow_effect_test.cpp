// What a shadow does to those who wait for the model beside it: nothing that can be measured, and nothing at
// all while its target has not been shown to work (B5).
#include "replay/migration.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <map>

namespace troupe::replay {
namespace {

using namespace std::chrono_literals;

struct Primaries {
  std::map<std::uint64_t, policy::ParitySide> ends;
  MigrationResult result;
};

struct ServeOptions {
  bool shadowed = true, hold_back = true;
  std::function<void(MigrationWorld&)> alter;
};

// Forty minutes of one seed's customers, with the same luck each time; nobody is ever moved.
Primaries serve(std::uint64_t seed, const ServeOptions& how) {
  Primaries out;
  MigrationOptions options;
  options.seed = seed;
  options.alter = how.alter;
  options.ends_at = 40min;
  options.shift.begin = how.shadowed ? 1min : 1000h;
  options.shift.hold_back = how.hold_back;
  options.shift.pairs_min = 1'000'000'000;
  options.shift.shadow_time_max = 1000h;
  options.on_call_ended = [&out](std::uint64_t call, const policy::ParitySide& side) {
    out.ends.emplace(call, side);
  };
  out.result = migrate(options);
  return out;
}

std::vector<policy::ParityPair> paired(const Primaries& without, const Primaries& with) {
  std::vector<policy::ParityPair> pairs;
  for (const auto& [call, side] : without.ends) pairs.push_back({side, with.ends.at(call)});
  return pairs;
}

// Latencies within 1 % and errors within 0.1 %, each shown at 5 % by two one-sided tests.
policy::ParityPolicy narrow_margins() {
  policy::ParityPolicy policy;
  policy.latency_margin = 0.01;
  policy.error_margin = 0.001;
  return policy;
}

// The same defect at every place of the new model, from the first minute to the last.
std::function<void(MigrationWorld&)> all_new(config::FaultKind kind, double share = 1) {
  return [kind, share](MigrationWorld& world) {
    for (auto& cloud : world.clouds) {
      if (!cloud.model.name.starts_with("new")) continue;
      config::Fault fault;
      fault.kind = kind;
      fault.share = share;
      fault.factor = 12;
      fault.delay = 20s;
      cloud.model.faults = {fault};
    }
  };
}

constexpr std::uint64_t kEqualSeeds = 12, kDeadSeeds = 2;

// Over all seeds together, or the latencies' intervals would be wider than the margin however equal they are.
TEST(ShadowEffect, PrimariesAreShownToBeAsQuickBesideAShadow) {  // B5
  std::vector<policy::ParityPair> pairs;
  std::uint64_t copies = 0, last_resorts = 0;
  for (std::uint64_t seed = 1; seed <= kEqualSeeds; ++seed) {
    auto without = serve(seed, {.shadowed = false}), with = serve(seed, {});
    EXPECT_EQ(without.result.copies, 0u);
    EXPECT_EQ(without.result.shadow_usd, 0);
    ASSERT_EQ(without.result.calls, with.result.calls) << "the same customers";
    std::ranges::copy(paired(without, with), std::back_inserter(pairs));
    copies += with.result.copies;
    last_resorts += with.result.uncalled_for;
    // What may differ are calls that would have found nobody, and found a proven candidate.
    EXPECT_EQ(without.result.digest == with.result.digest, with.result.uncalled_for == 0) << "seed " << seed;
    EXPECT_LE(with.result.failed, without.result.failed) << "seed " << seed;
  }
  auto report = policy::compare(pairs, narrow_margins());
  for (const auto& line : report.lines)
    EXPECT_EQ(line.verdict, policy::Parity::equal)
        << line.what << fmt::format(" [{:+.3g}, {:+.3g}]", line.low, line.high);
  EXPECT_EQ(report.verdict, policy::Parity::equal);
  EXPECT_GT(copies, 10'000u);
  EXPECT_LT(static_cast<double>(last_resorts), 0.002 * static_cast<double>(pairs.size()));
  fmt::print("[ figures  ] {} calls beside {} copies, {} of them last resorts\n", pairs.size(), copies,
             last_resorts);
  for (const auto& line : report.lines)
    fmt::print("[ figures  ] {}: [{:+.3g}, {:+.3g}] within {:.3g}\n", line.what, line.low, line.high,
               line.margin);
}

TEST(ShadowEffect, TheTestWouldSeePrimariesThatAreTwoPercentSlower) {  // its ablation: it can say no
  std::vector<policy::ParityPair> pairs;
  for (std::uint64_t seed = 1; seed <= kEqualSeeds; ++seed)
    for (const auto& [call, side] : serve(seed, {.shadowed = false}).ends) pairs.push_back({side, side});
  EXPECT_EQ(policy::compare(pairs, narrow_margins()).verdict, policy::Parity::equal);
  for (auto& pair : pairs) pair.fresh.ttft *= 1.02, pair.fresh.total *= 1.02;
  EXPECT_NE(policy::compare(pairs, narrow_margins()).verdict, policy::Parity::equal);
}

struct TargetCase {
  const char* name;
  config::FaultKind kind;
  double share;
};
constexpr TargetCase kTargets[] = {{"dead", config::FaultKind::down, 1},
                                   {"silent", config::FaultKind::half_open, 1},
                                   {"slow", config::FaultKind::slow, 1},
                                   {"late", config::FaultKind::late_first_token, 0.5},
                                   {"breaking off", config::FaultKind::cut, 0.5},
                                   {"failing", config::FaultKind::errors, 0.2},
                                   {"throttled", config::FaultKind::throttle, 0.9},
                                   {"garbage", config::FaultKind::poor_quality, 1}};

// The old model has its incidents all the while: that is when a backup is looked for.
TEST(ShadowEffect, ASickTargetHasNoneAtAll) {  // B5: bit for bit
  for (const auto& target : kTargets)
    for (std::uint64_t seed = 1; seed <= kDeadSeeds; ++seed) {
      auto alter = all_new(target.kind, target.share);
      auto without = serve(seed, {.shadowed = false, .alter = alter}), with = serve(seed, {.alter = alter});
      EXPECT_EQ(without.result.digest, with.result.digest) << target.name << ", seed " << seed;
      EXPECT_EQ(without.result.usd, with.result.usd) << "copies are booked apart, to the last digit";
      EXPECT_EQ(with.result.uncalled_for, 0u);
      EXPECT_GT(with.result.copies, 0u);
    }
}

TEST(ShadowEffect, WereItABackupLikeAnyOtherCustomersWouldPayForIt) {  // the rule off
  int differ = 0;
  std::uint64_t uncalled_for = 0;
  for (std::uint64_t seed = 1; seed <= kDeadSeeds; ++seed) {
    auto alter = all_new(config::FaultKind::errors, 0.2);
    auto without = serve(seed, {.shadowed = false, .hold_back = false, .alter = alter});
    auto with = serve(seed, {.hold_back = false, .alter = alter});
    differ += without.result.digest != with.result.digest;
    uncalled_for += with.result.uncalled_for;
  }
  EXPECT_EQ(differ, static_cast<int>(kDeadSeeds));
  EXPECT_GT(uncalled_for, 50u);
}

}  // namespace
}  // namespace troupe::replay
