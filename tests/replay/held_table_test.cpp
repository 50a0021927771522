// What is held is found by its number until it is taken, whatever comes and goes beside it.
#include "replay/held_table.hpp"

#include "runtime/base/rng.hpp"

#include <gtest/gtest.h>

#include <map>

namespace troupe::replay {
namespace {

TEST(HeldTable, HoldsWhatAMapWould) {
  HeldTable<std::uint64_t> table;
  std::map<std::uint64_t, std::uint64_t> map;
  Rng rng(1);
  for (std::uint64_t step = 0; step < 20'000; ++step) {
    auto key = rng.below(500) + 1;
    if (rng.below(2) == 0 && map.emplace(key, step).second) table.put(key, step);
    const auto* found = table.find(key);
    ASSERT_EQ(found != nullptr, map.contains(key));
    if (found != nullptr) {
      ASSERT_EQ(*found, map.at(key));
    }
    key = rng.below(500) + 1;
    auto expected = map.contains(key) ? map.at(key) : 0;
    ASSERT_EQ(table.take(key), expected);
    map.erase(key);
  }
}

}  // namespace
}  // namespace troupe::replay
