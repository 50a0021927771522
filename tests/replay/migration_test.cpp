// Moving customers from one model to another while things go wrong: nobody's call fails; without shadow and
// ramp calls do (B5-B9).
#include "replay/migration.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace troupe::replay {
namespace {

constexpr std::uint64_t kSeeds = 200;

MigrationOptions options_for(std::uint64_t seed) {
  MigrationOptions options;
  options.seed = seed;
  // What goes wrong has begun, and incidents are over, by then.
  options.length = options.chaos_until + std::chrono::minutes(2);
  options.after = std::chrono::minutes(3);
  return options;
}

TEST(Migration, FailsNoCustomersCallOver200SeedsOfChaos) {
  int completed = 0, stopped = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    auto result = migrate(options_for(seed));
    ASSERT_EQ(result.failed, 0u) << "see it again: migration_bench run " << seed;
    EXPECT_EQ(result.calls, result.served);
    ASSERT_TRUE(has_ended(result.state)) << "seed " << seed;
    result.state == ShiftState::completed ? ++completed : ++stopped;
  }
  // Both happen often: neither a shift that never moves nor gates that never close would do.
  EXPECT_GT(completed, 40);
  EXPECT_GT(stopped, 40);
}

// Which of a shift's parts it takes for that: each is switched off alone, in the same worlds.
TEST(Migration, FailsCallsWithoutAShadowWithoutARampAndWithACandidateThatIsABackup) {
  auto fails = [](auto switch_off) {
    for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
      auto options = options_for(seed);
      switch_off(options.shift);
      options.stop_at_failed = true;
      if (migrate(options).failed > 0) return true;
    }
    return false;
  };
  EXPECT_TRUE(fails([](ShiftPolicy& shift) { shift.shadow = false; }));
  EXPECT_TRUE(fails([](ShiftPolicy& shift) { shift.ramp = false; }));
  EXPECT_TRUE(fails([](ShiftPolicy& shift) { shift.hold_back = false; }));
}

TEST(Migration, FailsCallsWhenItIsDoneAtOnceAndUnseen) {
  std::uint64_t failed = 0, seeds = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    auto options = options_for(seed);
    options.shift.shadow = options.shift.ramp = false;
    options.length = std::chrono::minutes(10);
    options.after = {};
    options.stop_at_failed = true;
    auto result = migrate(options);
    failed += result.failed;
    seeds += result.failed > 0 ? 1 : 0;
  }
  EXPECT_GT(failed, 0u);
  EXPECT_GT(seeds, 10u);
}

// The ramp bounds what it costs; that nobody pays takes looking before anyone is moved.
TEST(Migration, WithoutAShadowCustomersAreTheFirstToSeeWhatTheNewModelRefuses) {  // B5
  std::uint64_t failed = 0, with_shadow = 0;
  int worlds = 0;
  for (std::uint64_t seed = 1; worlds < 5; ++seed) {
    auto options = options_for(seed);
    if (migration_world(seed, options.chaos_until).refused_share == 0) continue;
    ++worlds;
    with_shadow += migrate(options).failed;
    options.shift.shadow = false;
    failed += migrate(options).failed;
  }
  EXPECT_EQ(with_shadow, 0u);
  EXPECT_GT(failed, 20u);
}

TEST(Migration, CompletesWhereNothingIsWrong) {
  int sound = 0;
  for (std::uint64_t seed = 1; sound < 5; ++seed) {
    auto options = options_for(seed);
    if (!migration_world(seed, options.chaos_until).chaos.empty()) continue;
    auto result = migrate(options);
    ++sound;
    EXPECT_EQ(result.state, ShiftState::completed) << result.why;
    EXPECT_EQ(result.failed, 0u);
    EXPECT_EQ(result.slow, 0u);
  }
}

TEST(Migration, IsOneHistoryForOneSeed) {
  auto once = migrate(options_for(3)), again = migrate(options_for(3)), other = migrate(options_for(4));
  EXPECT_EQ(once.digest, again.digest);
  EXPECT_EQ(once.calls, again.calls);
  EXPECT_NE(once.digest, other.digest);
}

TEST(MigrationChaos, EndsItsIncidentsInTimeAndLetsNoTwoMeet) {
  constexpr auto until = std::chrono::minutes(30);
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    auto world = migration_world(seed, until);
    std::vector<std::pair<Duration, Duration>> incidents;
    for (const auto& cloud : world.clouds)
      for (const auto& fault : cloud.model.faults) {
        EXPECT_LT(fault.from, until);
        bool lasts = fault.to == Duration{};
        EXPECT_TRUE(!lasts || cloud.model.name.starts_with("new")) << cloud.model.name;
        if (!lasts) incidents.emplace_back(fault.from, fault.to);
      }
    std::ranges::sort(incidents);
    for (std::size_t i = 0; i < incidents.size(); ++i) {
      EXPECT_LE(incidents[i].second, until);
      EXPECT_TRUE(i == 0 || incidents[i].first > incidents[i - 1].second);
    }
  }
}

TEST(LoadLaw, FailsMoreTheMoreThereAre) {
  LoadLaw law{2, 6};
  EXPECT_EQ(law.failing(2), 0);
  EXPECT_EQ(law.failing(4), 0.5);
  EXPECT_EQ(law.failing(6), 1);
  EXPECT_EQ(law.failing(60), 1);
  EXPECT_EQ(LoadLaw{}.failing(1000), 0);
}

// ---- the shift's order, without clouds ----

constexpr Instant kNoon{std::chrono::hours(12)};

struct ShiftWorld {
  explicit ShiftWorld(ShiftPolicy policy = {}) : shift(policy, "chat", "old", "new", kNoon) {}
  void pass(Duration time) {
    for (auto until = now + time; now < until;) {
      now += std::chrono::seconds(1);
      shift.on_tick(now, WallTime{1'700'000'000'000});
    }
  }
  void pairs(int n, double ratio, double broken = 0) {
    for (int i = 0; i < n; ++i) {
      policy::ParityPair pair;
      pair.old = {{}, 0.4 + 0.002 * (i % 100), 2 + 0.01 * (i % 100), 150, 1};
      pair.fresh = pair.old;
      pair.fresh.ttft *= ratio;
      if (i < broken * n) pair.fresh.error = Errc::transient_server;
      shift.on_pair(pair);
    }
  }
  void calls(bool new_side, int n, bool strayed = false) {
    for (int i = 0; i < n; ++i) {
      policy::CallFigures figures;
      figures.ttft = 0.4 + 0.002 * (i % 100);
      figures.total = 2 + 0.01 * (i % 100);
      figures.usd = 0.005;
      figures.quality = 1;
      shift.on_outcome(new_side, figures, strayed);
    }
  }
  Shift shift;
  Instant now = kNoon;
};

TEST(Shift, MovesNobodyWhoseCopiesAreSlowerOrBreak) {
  for (auto [ratio, broken] : {std::pair(2.0, 0.0), std::pair(1.0, 0.1)}) {
    ShiftWorld world;
    world.pass(std::chrono::minutes(2));
    ASSERT_EQ(world.shift.state(), ShiftState::shadowing);
    world.pairs(400, ratio, broken);
    world.pass(std::chrono::seconds(2));
    EXPECT_EQ(world.shift.state(), ShiftState::kept_back) << world.shift.why();
    EXPECT_EQ(world.shift.share(), 0);
  }
}

TEST(Shift, MovesThemAllTheSameWithoutAShadow) {
  ShiftPolicy policy;
  policy.shadow = policy.ramp = false;
  ShiftWorld world(policy);
  world.pairs(400, 2);
  world.pass(std::chrono::minutes(2));
  EXPECT_EQ(world.shift.state(), ShiftState::completed);
  EXPECT_NE(world.shift.controls()->stopped(policy::Subject::model, "old", WallTime{1}), nullptr);
}

TEST(Shift, GoesThroughEveryStageAndGivesUpTheOldModelLast) {
  ShiftWorld world;
  world.pass(std::chrono::minutes(2));
  world.pairs(400, 1);
  std::vector<double> shares;
  for (int minute = 0; minute < 60 && world.shift.state() != ShiftState::completed; ++minute) {
    world.pass(std::chrono::minutes(1));
    world.calls(true, 30);
    if (world.shift.share() < 1) world.calls(false, 300);
    if (shares.empty() || shares.back() != world.shift.share()) shares.push_back(world.shift.share());
    bool gone = world.shift.controls()->stopped(policy::Subject::model, "old", WallTime{1}) != nullptr;
    EXPECT_EQ(gone, world.shift.state() == ShiftState::completed);
  }
  EXPECT_EQ(world.shift.state(), ShiftState::completed) << world.shift.why();
  EXPECT_EQ(shares, (std::vector{0.01, 0.05, 0.1, 1.0}));
}

TEST(Shift, DoesNotTakeAFallbackToTheOldModelForTheNewOnesWork) {
  for (bool strays_fail : {true, false}) {
    ShiftPolicy policy;
    policy.strays_fail = strays_fail;
    ShiftWorld world(policy);
    world.pass(std::chrono::minutes(2));
    world.pairs(400, 1);
    for (int minute = 0; minute < 60; ++minute) {
      world.pass(std::chrono::minutes(1));
      world.calls(true, 30, true);
      if (world.shift.share() < 1) world.calls(false, 300);
    }
    auto expected = strays_fail ? ShiftState::rolled_back : ShiftState::completed;
    EXPECT_EQ(world.shift.state(), expected) << world.shift.why();
  }
}

}  // namespace
}  // namespace troupe::replay
