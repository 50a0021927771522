// What is kept of an experiment's exposures.
#include "actors/exposure_log.hpp"

#include "tests/support/memory_journal.hpp"

#include <gtest/gtest.h>

namespace troupe::actors {
namespace {

TEST(ExposureLog, KeepsAUnitOnceWithItsArmAndNothingOfWhoItIs) {
  policy::Experiment x;
  x.name = "x";
  x.slice.percent = 100;
  x.arms = {{"new", "", 0.5}, {"old", "", 0.5}};
  policy::ExperimentRules rules({x});
  journal::testing::MemoryJournal journal;
  ExposureLog log(&journal, "n1");
  for (int i = 0; i < 300; ++i) {
    auto tenant = "T" + std::to_string(i % 100);
    policy::Assignment found;
    ASSERT_EQ(policy::assign(rules, {.unit = {.tenant = tenant}}, {1}, {&found, 1}), 1u);
    log.shown(found, "d" + std::to_string(i), {i});
  }
  log.shown({}, "d", {});
  EXPECT_EQ(journal.pending(), 100u);
  while (journal.pending() > 0) journal.commit_next();
  std::uint64_t units = 0;
  auto counts = *journal.exposures();
  EXPECT_EQ(counts.size(), 2u);
  for (const auto& each : counts) units += each.units;
  EXPECT_EQ(units, 100u);
}

}  // namespace
}  // namespace troupe::actors
