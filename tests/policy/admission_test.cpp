// Three classes on a full node, tenants passed over, honest refusals, and the parts the queue is made of
// (A10, C3, C6).
#include "runtime/base/clock.hpp"
#include "runtime/base/rng.hpp"
#include "runtime/policy/fair_queue.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace troupe::policy {
namespace {

using namespace std::chrono_literals;
const Instant noon{std::chrono::hours(12)};

Ticket ticket(std::uint64_t id, std::string tenant, Duration deadline = 1h) {
  return {id, WorkClass::soon, std::move(tenant), 1, noon, noon + deadline};
}

struct Day {
  double interactive_p99 = 0;  ///< seconds, waiting and service
  double soon_max = 0;
  std::uint64_t late_batch = 0, late_soon = 0;
};

/// Ten at a time, a second each. Twenty minutes at 120 % of that, half of it batch work due in three hours;
/// then the other two classes alone take 98 % for four hours.
Day day(double ageing_share, bool others) {
  FairQueue queue({.queued_max = 100'000, .running_max = 10, .ageing_share = ageing_share});
  Rng rng(51);
  std::vector<double> interactive;
  std::vector<Instant> ends;
  std::uint64_t id = 0;
  Day out;
  auto arrive = [&](WorkClass work_class, double per_second, Duration life, Instant now) {
    if (rng.uniform() < per_second * 0.02) queue.push({++id, work_class, "t", 1, now, now + life}, now);
  };
  for (Instant now = noon; now < noon + 260min; now += 20ms) {
    bool peak = now < noon + 20min;
    arrive(WorkClass::interactive, 3, 30s, now);
    if (others) arrive(WorkClass::soon, peak ? 3 : 6.8, 10min, now);
    if (others && peak) arrive(WorkClass::batch, 6, 3h, now);
    for (auto over = std::erase_if(ends, [&](Instant at) { return at <= now; }); over > 0; --over)
      queue.done();
    for (const auto& late : queue.expire(now)) {
      out.late_batch += late.work_class == WorkClass::batch;
      out.late_soon += late.work_class == WorkClass::soon;
    }
    while (auto served = queue.pop(now)) {
      ends.push_back(now + 1s);
      double took = seconds(now - served->queued_at) + 1;
      if (served->work_class == WorkClass::interactive) interactive.push_back(took);
      if (served->work_class == WorkClass::soon) out.soon_max = std::max(out.soon_max, took);
    }
  }
  std::ranges::sort(interactive);
  out.interactive_p99 = interactive[interactive.size() * 99 / 100];
  return out;
}

TEST(FairQueue, ThreeClassesAt120PercentAllMeetWhatTheyWerePromised) {  // A10
  auto mixed = day(0.5, true), alone = day(0.5, false), unaged = day(1, true);
  std::printf(
      "[ figures  ] class 1 p99 %.2f s (%.2f s alone), class 2 at most %.0f s, class 3 late: %llu, without "
      "ageing %llu\n",
      mixed.interactive_p99, alone.interactive_p99, mixed.soon_max,
      static_cast<unsigned long long>(mixed.late_batch), static_cast<unsigned long long>(unaged.late_batch));
  EXPECT_LT(mixed.interactive_p99, 1.5 * alone.interactive_p99);
  EXPECT_LT(mixed.soon_max, 600);
  EXPECT_EQ(mixed.late_soon, 0u);
  EXPECT_EQ(mixed.late_batch, 0u);
  EXPECT_GT(unaged.late_batch, 100u) << "without ageing class 3 starves";
}

TEST(FairQueue, PassesOverTenantsThatMayNotGoNow) {  // C6
  FairQueue queue({.running_max = 0});
  std::uint64_t id = 0;
  for (int i = 0; i < 3; ++i)
    for (auto tenant : {"spent", "free"}) queue.push(ticket(++id, tenant), noon);
  auto may = [](const Ticket& each) { return each.tenant != "spent"; };
  for (int i = 0; i < 3; ++i) EXPECT_EQ(queue.pop_if(noon, may)->tenant, "free");
  EXPECT_FALSE(queue.pop_if(noon, may));
  EXPECT_EQ(queue.waiting(), 3u);
  EXPECT_EQ(queue.pop(noon)->id, 1u) << "it kept its place";
  EXPECT_EQ(queue.counts().served, 4u);
}

TEST(FairQueue, AsksAboutABoundedNumberOfTenants) {
  FairQueue queue({.running_max = 0});
  for (std::uint64_t id = 1; id <= 1000; ++id) queue.push(ticket(id, "tenant " + std::to_string(id)), noon);
  std::size_t asked = 0;
  EXPECT_FALSE(queue.pop_if(noon, [&](const Ticket&) { return ++asked == 0; }));
  EXPECT_LE(asked, FairQueue::passed_over_max + 1);
  std::set<std::uint64_t> seen;
  while (auto next = queue.pop(noon)) seen.insert(next->id);
  EXPECT_EQ(seen.size(), 1000u);
}

TEST(FairQueue, ARefusalSaysWhenToComeBack) {
  FairQueue queue({.queued_max = 50, .running_max = 0});
  std::uint64_t id = 0;
  EXPECT_FALSE(queue.retry_after()) << "nothing was served yet";
  Instant now = noon;
  for (int i = 0; i < 200; ++i, now += 100ms) {
    queue.push({++id, WorkClass::soon, "t", 1, now, now + 1h}, now);
    queue.pop(now);
  }
  while (queue.push({++id, WorkClass::soon, "t", 1, now, now + 1h}, now)) {
  }
  ASSERT_TRUE(queue.retry_after());
  EXPECT_NEAR(seconds(*queue.retry_after()), 5.1, 0.6) << "51 at ten a second";
  for (int i = 0; i < 50; ++i) queue.pop(now);
  EXPECT_EQ(*queue.retry_after(), 1s) << "never less than a second";
  queue.push({++id, WorkClass::soon, "t", 1, now + 1min, now + 1h}, now + 1min);
  EXPECT_FALSE(queue.retry_after()) << "a minute ago is not lately";
}

TEST(FairQueue, AgainstASimpleQueueThatDoesTheSame) {
  // One class, no ageing: the tenant with the least start tag, then the least id, from a plain list.
  struct Simple {
    double next_start = 0;
    std::vector<std::pair<std::uint64_t, double>> waiting;
  };
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Rng rng(seed);
    FairQueue queue({.running_max = 0, .ageing_share = 1});
    std::map<std::string, Simple> tenants;
    double vtime = 0;
    std::uint64_t id = 0;
    for (int step = 0; step < 4000; ++step) {
      if (rng.below(100) < 52) {
        auto name = std::to_string(rng.below(12));
        double cost = 1 + 99 * rng.uniform();
        queue.push({++id, WorkClass::batch, name, cost, noon, noon + 1h}, noon);
        auto& tenant = tenants[name];
        if (tenant.waiting.empty()) tenant.next_start = std::max(tenant.next_start, vtime);
        tenant.waiting.emplace_back(id, cost);
        continue;
      }
      Simple* best = nullptr;
      auto key = [](const Simple& tenant) {
        return std::pair(tenant.next_start, tenant.waiting.front().first);
      };
      for (auto& [name, tenant] : tenants)
        if (!tenant.waiting.empty() && (!best || key(tenant) < key(*best))) best = &tenant;
      auto served = queue.pop(noon);
      ASSERT_EQ(served.has_value(), best != nullptr);
      if (!best) continue;
      ASSERT_EQ(served->id, best->waiting.front().first) << "seed " << seed << " step " << step;
      vtime = std::max(vtime, best->next_start);
      best->next_start += best->waiting.front().second;
      best->waiting.erase(best->waiting.begin());
    }
  }
}

TEST(SlotIndex, FindsWhatIsThereAndNothingElse) {
  Rng rng(61);
  SlotIndex index;
  std::unordered_map<std::uint32_t, std::uint64_t> there;  // slot -> hash
  for (int step = 0; step < 50'000; ++step) {
    auto slot = static_cast<std::uint32_t>(rng.below(300));
    auto known = there.find(slot);
    if (known == there.end()) {
      // Many of the same hash, and runs that wrap around the end.
      auto hash = rng.below(3) == 0 ? rng.below(5) : rng.next();
      index.insert(hash, slot);
      there[slot] = hash;
    } else {
      index.erase(known->second, slot);
      there.erase(known);
    }
    auto probe = static_cast<std::uint32_t>(rng.below(300));
    auto expected = there.find(probe);
    auto hash = expected == there.end() ? rng.below(5) : expected->second;
    auto found = index.find(hash, [&](std::uint32_t at) { return at == probe; });
    ASSERT_EQ(found, expected == there.end() ? SlotIndex::none : probe);
  }
}

}  // namespace
}  // namespace troupe::policy
