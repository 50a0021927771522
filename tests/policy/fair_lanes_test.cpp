// Within a tenant a kind that may not go holds up no other, and each kind keeps its order (C3, C6).
#include "runtime/base/rng.hpp"
#include "runtime/policy/fair_queue.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

namespace troupe::policy {
namespace {

using namespace std::chrono_literals;
const Instant noon{std::chrono::hours(12)};

Ticket ticket_of(std::uint64_t id, std::uint64_t kind, std::string tenant = "t", Duration deadline = 1h) {
  return {id, WorkClass::batch, std::move(tenant), 1, noon, noon + deadline, kind};
}

TEST(FairLanes, AKindThatWaitsHoldsUpNoOtherOfItsTenant) {
  FairQueue queue({.running_max = 0});
  for (std::uint64_t id = 1; id <= 100; ++id) queue.push(ticket_of(id, id <= 98 ? 1 : 2), noon);
  auto not_one = [](const Ticket& ticket) { return ticket.kind == 1 ? Turn::kind_waits : Turn::go; };
  EXPECT_EQ(queue.pop_if(noon, not_one)->id, 99u);
  EXPECT_EQ(queue.pop_if(noon, not_one)->id, 100u);
  EXPECT_FALSE(queue.pop_if(noon, not_one));
  EXPECT_EQ(queue.pop(noon)->id, 1u) << "it kept its place";
}

TEST(FairLanes, ATenantThatWaitsWaitsWithAllItsKinds) {
  FairQueue queue({.running_max = 0});
  queue.push(ticket_of(1, 1), noon);
  queue.push(ticket_of(2, 2), noon);
  int asked = 0;
  auto none = [&](const Ticket&) { return ++asked, Turn::tenant_waits; };
  EXPECT_FALSE(queue.pop_if(noon, none));
  EXPECT_EQ(asked, 1);
}

TEST(FairLanes, AsksAboutKindsNotAboutTickets) {
  FairQueue queue({.queued_max = 100'000, .running_max = 0});
  for (std::uint64_t id = 1; id <= 50'000; ++id) queue.push(ticket_of(id, id % 40), noon);
  std::size_t asked = 0;
  auto nobody = [&](const Ticket&) { return ++asked, Turn::kind_waits; };
  EXPECT_FALSE(queue.pop_if(noon, nobody));
  EXPECT_EQ(asked, FairQueue::kinds_asked_max);
}

TEST(FairLanes, MoreKindsThanAreToldApartStandTogetherAndAllAreServed) {
  FairQueue queue({.running_max = 0});
  const std::uint64_t count = 3 * FairQueue::lanes_max;
  for (std::uint64_t id = 1; id <= count; ++id) queue.push(ticket_of(id, id), noon);
  std::set<std::uint64_t> served;
  while (auto ticket = queue.pop(noon)) served.insert(ticket->id);
  EXPECT_EQ(served.size(), count);
}

/// One tenant: the oldest whose kind may go, whatever was cancelled or expired meanwhile.
TEST(FairLanes, ServesTheOldestThatMayGoUnderRandomFacts) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Rng rng(seed);
    FairQueue queue({.running_max = 0, .ageing_share = 1});
    std::map<std::uint64_t, Ticket> waiting;
    Instant now = noon;
    for (std::uint64_t id = 1; id <= 4000; ++id) {
      now += 1ms;
      auto ticket = ticket_of(id, rng.below(7), "t", Duration(1 + rng.below(4'000'000'000)));
      ticket.deadline += now - noon;
      if (queue.push(ticket, now)) waiting[id] = ticket;
      std::erase_if(waiting, [&](const auto& each) { return each.second.deadline <= now; });
      if (auto victim = rng.below(id) + 1; rng.below(8) == 0 && queue.cancel(victim)) waiting.erase(victim);
      auto blocked = rng.below(128);
      auto may = [&](const Ticket& t) { return blocked >> t.kind & 1 ? Turn::kind_waits : Turn::go; };
      auto expected =
          std::ranges::find_if(waiting, [&](const auto& each) { return may(each.second) == Turn::go; });
      auto got = rng.below(3) == 0 ? queue.pop_if(now, may) : std::nullopt;
      if (!got) continue;
      ASSERT_NE(expected, waiting.end());
      ASSERT_EQ(got->id, expected->first);
      waiting.erase(expected);
    }
    queue.expire(now);
    EXPECT_EQ(queue.waiting(), waiting.size());
  }
}

}  // namespace
}  // namespace troupe::policy
