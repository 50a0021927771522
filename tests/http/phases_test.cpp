// The deadlines of an exchange's phases, without any clock.
#include "runtime/http/phases.hpp"

#include <gtest/gtest.h>

namespace troupe::http {
namespace {

using namespace std::chrono_literals;
constexpr Instant start{};

TEST(PhaseDeadlines, TheEarliestExpires) {
  PhaseDeadlines deadlines;
  EXPECT_FALSE(deadlines.next());
  deadlines.set(Phase::total, start, 10s);
  deadlines.set(Phase::idle, start, 2s);
  deadlines.set(Phase::header, start, 0s);  // no limit
  EXPECT_EQ(deadlines.next(), start + 2s);
  EXPECT_FALSE(deadlines.expired(start + 1s));
  EXPECT_EQ(deadlines.expired(start + 2s), Phase::idle);
  deadlines.clear(Phase::idle);
  EXPECT_EQ(deadlines.expired(start + 11s), Phase::total);
}

TEST(PhaseDeadlines, HeldOnesStandStillAndTotalDoesNot) {
  PhaseDeadlines deadlines;
  deadlines.set(Phase::idle, start, 2s);
  deadlines.set(Phase::total, start, 100s);
  deadlines.hold(start + 1s);
  deadlines.hold(start + 30s);  // holding twice is holding once
  EXPECT_EQ(deadlines.next(), start + 100s);
  EXPECT_FALSE(deadlines.expired(start + 50s));
  deadlines.release(start + 50s);
  // One second was left when the hold began.
  EXPECT_EQ(deadlines.next(), start + 51s);
  deadlines.release(start + 60s);
  EXPECT_EQ(deadlines.next(), start + 51s);
}

TEST(PhaseDeadlines, OneSetWhileHeldBeginsWithTheRelease) {
  PhaseDeadlines deadlines;
  deadlines.hold(start);
  deadlines.set(Phase::first_byte, start + 5s, 2s);
  EXPECT_FALSE(deadlines.next());
  deadlines.release(start + 10s);
  EXPECT_EQ(deadlines.next(), start + 12s);
}

}  // namespace
}  // namespace troupe::http
