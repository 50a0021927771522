// Conservation at every step, class order, fair shares, ageing, limits (A10, C3).
#include "runtime/policy/fair_queue.hpp"
#include "runtime/base/rng.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace troupe::policy {
namespace {

using namespace std::chrono_literals;
const Instant noon{std::chrono::hours(12)};

Ticket ticket(std::uint64_t id, WorkClass work_class, std::string tenant, Duration deadline = 1h,
              double cost = 1) {
  return {id, work_class, std::move(tenant), cost, noon, noon + deadline};
}

TEST(FairQueue, CountsEveryTicketOnceAtEveryStep) {  // C3
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Rng rng(seed);
    FairQueue queue({.queued_max = 30, .running_max = 5});
    Instant now = noon;
    std::uint64_t id = 0;
    std::set<std::uint64_t> inside, served, ended;
    for (int step = 0; step < 5000; ++step) {
      now += Duration(static_cast<std::int64_t>(rng.below(1'000'000'000)));
      auto action = rng.below(10);
      if (action < 5) {
        auto life = Duration(static_cast<std::int64_t>(rng.below(20'000'000'000)));
        Ticket t{++id,
                 static_cast<WorkClass>(rng.below(3)),
                 std::to_string(rng.below(4)),
                 rng.uniform() * 9,
                 now,
                 now + life};
        if (queue.push(t, now)) inside.insert(id);
      } else if (action < 7) {
        auto t = queue.pop(now);
        ASSERT_TRUE(!t || t->deadline > now) << "nothing late is served";
        ASSERT_TRUE(!t || (inside.contains(t->id) && served.insert(t->id).second));
      } else if (action == 7) {
        for (const auto& t : queue.expire(now))
          ASSERT_TRUE(ended.insert(t.id).second && !served.contains(t.id));
      } else if (action == 8) {
        auto victim = rng.below(id + 1);
        bool left = queue.cancel(victim);
        ASSERT_TRUE(!left || (ended.insert(victim).second && !served.contains(victim)));
      } else {
        queue.done();
      }
      const auto& counts = queue.counts();
      ASSERT_EQ(counts.in, counts.served + counts.refused + counts.expired + queue.waiting());
      ASSERT_LE(queue.waiting(), 30u);
      ASSERT_LE(queue.running(), 5u);
      ASSERT_EQ(counts.served, served.size());
    }
    for (const auto& t : queue.expire(now + 1h)) ended.insert(t.id);
    EXPECT_EQ(queue.waiting(), 0u);
    EXPECT_EQ(inside.size(), served.size() + ended.size()) << "each ticket came out exactly once";
  }
}

TEST(FairQueue, ServesClassBeforeClass) {  // A10
  FairQueue queue({});
  queue.push(ticket(1, WorkClass::batch, "a"), noon);
  queue.push(ticket(2, WorkClass::soon, "a"), noon);
  queue.push(ticket(3, WorkClass::interactive, "a"), noon);
  for (std::uint64_t id : {3, 2, 1}) EXPECT_EQ(queue.pop(noon)->id, id);
}

TEST(FairQueue, RefusesBeyondItsLimits) {
  FairQueue queue({.queued_max = 2, .running_max = 1});
  EXPECT_FALSE(queue.push(ticket(1, WorkClass::batch, "a", 0s), noon)) << "its deadline has passed";
  EXPECT_TRUE(queue.push(ticket(2, WorkClass::batch, "a"), noon));
  EXPECT_FALSE(queue.push(ticket(2, WorkClass::batch, "a"), noon)) << "already waiting";
  EXPECT_TRUE(queue.push(ticket(3, WorkClass::batch, "a"), noon));
  EXPECT_FALSE(queue.push(ticket(4, WorkClass::batch, "a"), noon)) << "full";
  EXPECT_TRUE(queue.pop(noon));
  EXPECT_FALSE(queue.pop(noon)) << "one runs";
  queue.done();
  EXPECT_TRUE(queue.pop(noon));
  EXPECT_EQ(queue.counts().refused, 3u);
}

TEST(FairQueue, TenantsShareByCostWithinOneTicketEach) {  // SFQ's bound
  Rng rng(6);
  std::map<std::string, double> cost_max{{"small", 10}, {"big", 500}, {"huge", 4000}};
  FairQueue queue({.queued_max = 100'000, .running_max = 0, .ageing_share = 1});
  std::uint64_t id = 0;
  for (const auto& [tenant, most] : cost_max)
    for (int i = 0; i < 20'000; ++i)
      queue.push(ticket(++id, WorkClass::soon, tenant, 1h, 1 + rng.uniform() * (most - 1)), noon);
  std::map<std::string, double> served;
  for (int i = 0; i < 12'000; ++i) {
    auto t = queue.pop(noon);
    served[t->tenant] += t->cost;
    for (const auto& [a, most_a] : cost_max)
      for (const auto& [b, most_b] : cost_max)
        ASSERT_LE(served[a] - served[b], most_a + most_b + 1e-6) << a << " " << b;
  }
}

TEST(FairQueue, AFloodOfOneTenantDoesNotDelayAnother) {
  FairQueue queue({});
  std::uint64_t id = 0;
  for (int i = 0; i < 5000; ++i) queue.push(ticket(++id, WorkClass::soon, "flood"), noon);
  for (int i = 0; i < 100; ++i) queue.pop(noon), queue.done();
  queue.push(ticket(99'999, WorkClass::soon, "quiet"), noon);
  int turns = 0;
  do {
    ++turns;
    queue.done();
  } while (queue.pop(noon)->id != 99'999);
  EXPECT_LE(turns, 2);
}

TEST(FairQueue, ATenantDoesNotPayForTicketsThatExpired) {
  FairQueue queue({.running_max = 0, .ageing_share = 1});
  for (std::uint64_t id = 1; id <= 100; ++id)
    queue.push(ticket(id, WorkClass::soon, "unlucky", 1s, 100), noon);
  for (std::uint64_t id = 101; id <= 120; ++id) queue.push(ticket(id, WorkClass::soon, "other"), noon);
  EXPECT_EQ(queue.expire(noon + 2s).size(), 100u);
  queue.push(ticket(200, WorkClass::soon, "unlucky"), noon + 2s);
  EXPECT_TRUE(queue.pop(noon + 2s)->id == 200 || queue.pop(noon + 2s)->id == 200)
      << "served within two turns";
}

// Turns say who is next among tickets that have left the queue and found no room.
TEST(FairQueue, ATurnIsNoLaterForTicketsThatExpired) {
  FairQueue queue({.running_max = 0, .ageing_share = 1});
  for (std::uint64_t id = 1; id <= 100; ++id)
    queue.push(ticket(id, WorkClass::soon, "unlucky", 1s, 100), noon);
  queue.push(ticket(101, WorkClass::soon, "unlucky", 1h, 7), noon);
  EXPECT_EQ(queue.expire(noon + 2s).size(), 100u);
  queue.push(ticket(102, WorkClass::soon, "unlucky"), noon + 2s);
  EXPECT_EQ(queue.pop(noon + 2s)->turn, 0) << "the hundred before it cost nothing";
  EXPECT_EQ(queue.pop(noon + 2s)->turn, 7);
}

TEST(FairQueue, ATurnIsNoEarlierThanWhatWasServedOnArrival) {
  FairQueue queue({.running_max = 0, .ageing_share = 1});
  queue.push(ticket(1, WorkClass::soon, "t", 1h, 100), noon);
  queue.on_turn(WorkClass::soon, 40);
  queue.push(ticket(2, WorkClass::soon, "t", 1h, 1), noon);
  queue.cancel(1);
  EXPECT_EQ(queue.pop(noon)->turn, 40) << "who gives up moves nobody before those that were there";
}

TEST(FairQueue, WhatCameToNothingIsGivenBackWhenNothingOfItsTenantWaits) {
  for (bool given_back : {true, false}) {
    FairQueue queue({.running_max = 0, .ageing_share = 1});
    queue.push(ticket(1, WorkClass::soon, "unlucky", 1h, 100), noon);
    queue.push(ticket(2, WorkClass::soon, "unlucky", 1h, 1000), noon);
    queue.pop(noon);
    auto unserved = *queue.pop(noon);
    if (given_back) queue.give_back(unserved);
    for (std::uint64_t id = 3; id <= 8; ++id)
      queue.push(ticket(id, WorkClass::soon, id % 2 == 0 ? "unlucky" : "other", 1h, 100), noon);
    std::string order;
    while (auto next = queue.pop(noon)) order += next->tenant.front();
    EXPECT_EQ(order, given_back ? "ououou" : "ooouuu");
  }
}

TEST(FairQueue, WhatIsGivenBackLetsNobodyOvertakeWhoLeftTheQueueBefore) {
  FairQueue queue({.running_max = 0, .ageing_share = 1});
  for (std::uint64_t id = 1; id <= 3; ++id) queue.push(ticket(id, WorkClass::soon, "t", 1h, 1000), noon);
  auto unserved = *queue.pop(noon);
  auto looks = *queue.pop(noon);
  queue.give_back(unserved);
  queue.push(ticket(4, WorkClass::soon, "t", 1h, 1000), noon);
  EXPECT_GT(queue.pop(noon)->turn, looks.turn);
  EXPECT_GT(queue.pop(noon)->turn, looks.turn + 1000);
}

/// One tenant's waiting tickets in order of arrival: what each is to cost.
using Arrived = std::vector<std::pair<std::uint64_t, double>>;

// Beside the queue's few sums the plain definition: what waited before it or was served.
TEST(FairQueue, ATurnIsTheCostOfThoseBeforeThatLeftServedOrWait) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Rng rng(seed);
    FairQueue queue({.queued_max = 1000, .running_max = 0, .ageing_share = 1});
    Arrived waiting;
    double served = 0;
    std::uint64_t id = 0;
    for (int step = 0; step < 2000; ++step) {
      auto action = waiting.size() < 20 ? 0 : rng.below(4);
      if (action <= 1) {
        auto cost = static_cast<double>(1 + rng.below(1000));
        waiting.emplace_back(++id, cost);
        ASSERT_TRUE(queue.push(ticket(id, WorkClass::soon, "t", 1h, cost), noon));
      } else if (action == 2) {
        auto gone = waiting.begin() + static_cast<std::ptrdiff_t>(rng.below(waiting.size()));
        ASSERT_TRUE(queue.cancel(gone->first));
        waiting.erase(gone);
      } else {
        auto next = queue.pop(noon);
        ASSERT_TRUE(next);
        ASSERT_EQ(next->id, waiting.front().first);
        ASSERT_EQ(next->turn, served) << "seed " << seed << " step " << step;
        served += waiting.front().second;
        waiting.erase(waiting.begin());
      }
    }
  }
}

/// Interactive work takes every slot; one batch ticket is due in ten minutes. Is it served?
bool batch_survives(double ageing_share) {
  FairQueue queue({.running_max = 1, .ageing_share = ageing_share});
  std::uint64_t id = 1;
  queue.push(ticket(id, WorkClass::batch, "night", 10min), noon);
  for (Instant now = noon; now < noon + 11min; now += 1s) {
    for (int i = 0; i < 2; ++i) queue.push({++id, WorkClass::interactive, "day", 1, now, now + 10s}, now);
    auto served = queue.pop(now);
    if (served && served->id == 1) return true;
    queue.done();
    queue.expire(now);
  }
  return false;
}

TEST(FairQueue, AgeingKeepsBatchFromStarving) {  // A10
  EXPECT_TRUE(batch_survives(0.5));
  EXPECT_FALSE(batch_survives(1)) << "without ageing it starves";
}

TEST(FairQueue, AFloodOfAgedWorkTakesOnlyEveryOtherTurn) {  // A10: class 1 keeps moving
  FairQueue queue({.running_max = 0});
  std::uint64_t id = 0;
  for (int i = 0; i < 1000; ++i) queue.push(ticket(++id, WorkClass::batch, "night", 100s), noon);
  auto later = noon + 60s;
  for (int i = 0; i < 1000; ++i)
    queue.push({++id, WorkClass::interactive, "day", 1, later, later + 10s}, later);
  int interactive = 0;
  for (int i = 0; i < 100; ++i) interactive += queue.pop(later)->work_class == WorkClass::interactive;
  EXPECT_EQ(interactive, 50);
}

TEST(FairQueue, RemembersABoundedNumberOfTenants) {
  FairQueue queue({.queued_max = 10, .running_max = 0});
  for (std::uint64_t id = 1; id <= 20'000; ++id) {
    queue.push(ticket(id, WorkClass::soon, "tenant " + std::to_string(id), 1h, static_cast<double>(id % 97)),
               noon);
    if (id % 3 == 0) queue.cancel(id - 1);
    if (id % 2 == 0) queue.pop(noon);
    ASSERT_LE(queue.flows(), FairQueue::idle_flows_max + 10);
  }
}

TEST(FairQueue, OddCostsCountAsOne) {
  FairQueue queue({.running_max = 0});
  std::uint64_t id = 0;
  for (double odd : {0.0, -1.0, std::nan(""), HUGE_VAL})
    for (auto tenant : {"odd", "even"}) queue.push(ticket(++id, WorkClass::soon, tenant, 1h, odd), noon);
  std::string order;
  while (auto t = queue.pop(noon)) order += t->tenant.front();
  EXPECT_EQ(order, "oeoeoeoe");
}

TEST(AdmissionPolicy, DefaultIsSoundAndMistakesAreNamed) {
  EXPECT_FALSE(validate(AdmissionPolicy{}));
  EXPECT_TRUE(validate({.queued_max = 0}));
  EXPECT_TRUE(validate({.ageing_share = 0}));
  EXPECT_STREQ(to_string(WorkClass::batch), "batch");
}

}  // namespace
}  // namespace troupe::policy
