// What capacity costs per call: an endpoint's guard, the queue with ten thousand waiting, the quota tree, and
// whether any of them allocates once it is warm. ./dev bench guard
#include "bench/figures.hpp"
#include "runtime/base/rng.hpp"
#include "runtime/policy/endpoint_guard.hpp"
#include "runtime/policy/fair_queue.hpp"
#include "runtime/policy/hedge_budget.hpp"
#include "runtime/policy/quota_tree.hpp"

#include <atomic>
#include <cstdlib>
#include <ctime>
#include <new>
#include <string>
#include <vector>

namespace {

std::atomic<std::uint64_t> allocations{0};

}  // namespace

void* operator new(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(size)) return memory;
  std::abort();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace troupe::policy {
namespace {

using namespace std::chrono_literals;
constexpr int kRepetitions = 7;
const Instant noon{std::chrono::hours(12)};
constexpr WallTime wall_noon{1'700'000'000'000};

/// Repetitions of `count` times `work(i)`, in microseconds of this process each; allocations per unit after
/// the first, which warms up.
template <class Work>
void measure(const std::string& name, std::uint64_t count, Work work) {
  std::vector<double> micros;
  for (std::uint64_t i = 0; i < count; ++i) work(i);
  auto before = allocations.load();
  for (int repetition = 0; repetition < kRepetitions; ++repetition) {
    auto from = std::clock();
    for (std::uint64_t i = 0; i < count; ++i) work(i);
    auto ticks = static_cast<double>(std::clock() - from);
    micros.push_back(ticks * 1e6 / CLOCKS_PER_SEC / static_cast<double>(count));
  }
  // The vector above allocates a few times itself.
  auto allocated = static_cast<double>(allocations.load() - before);
  bench::print_repeated(name, micros, "us");
  bench::print(name + ".allocations", allocated / static_cast<double>(count * kRepetitions), "per_op");
}

GuardPolicy busy_policy() {
  GuardPolicy policy;
  policy.quota = {
      .input_tokens_per_minute = 1e9, .output_tokens_per_minute = 1e9, .requests_per_minute = 1e9};
  policy.concurrency.enabled = true;
  return policy;
}

QuotaHints plenty() {
  QuotaHints hints;
  hints.requests = hints.tokens = hints.input_tokens = hints.output_tokens = {1e9, 9e8, 10s};
  return hints;
}

void guard_figures() {
  EndpointGuard guard(busy_policy(), noon);
  Instant now = noon;
  Rng rng(1);
  measure("guard.admit_ended", 200'000, [&](std::uint64_t i) {
    now += 1ms;
    if (i % 64 == 0) guard.on_hints(plenty(), now);
    QuotaNeed need{1000, 200, 4096};
    if (!guard.admit(need, now).admitted) std::abort();
    guard.ended(need, {.actual = {1000, 150}, .ttft = 400ms}, now, wall_noon);
  });
  measure("guard.estimate_admit_ended_learn", 200'000, [&](std::uint64_t) {
    now += 1ms;
    auto need = guard.need_of(7, 1000, 4096);
    if (!guard.admit(need, now).admitted) std::abort();
    double wrote = 50 + 500 * rng.uniform();
    guard.ended(need, {.actual = {1000, wrote}, .ttft = 400ms, .workload = 7}, now, wall_noon);
  });
  double sum = 0;
  measure("guard.load", 200'000, [&](std::uint64_t) { sum += guard.load(now).input_headroom; });
  if (sum < 0) std::abort();
}

// Pop one, push one: as many wait all the time.
void queue_figures() {
  constexpr std::size_t waiting = 10'000, tenants = 100;
  FairQueue queue({.queued_max = waiting + 1, .running_max = 0});
  std::vector<std::string> names;
  for (std::size_t i = 0; i < tenants; ++i) names.push_back("tenant-" + std::to_string(i));
  Rng rng(2);
  Instant now = noon;
  std::uint64_t id = 0;
  auto push = [&] {
    auto work_class = static_cast<WorkClass>(rng.below(3));
    Duration life = work_class == WorkClass::interactive ? 2min : work_class == WorkClass::soon ? 10min : 8h;
    queue.push({++id, work_class, names[rng.below(tenants)], 100 + 900 * rng.uniform(), now, now + life},
               now);
  };
  for (std::size_t i = 0; i < waiting; ++i) push();
  measure("guard.queue.push_pop.w10000_t100", 200'000, [&](std::uint64_t) {
    now += 10us;
    if (!queue.pop(now)) std::abort();
    queue.done();
    push();
  });
}

void tree_figures() {
  QuotaTreePolicy policy{.tokens_per_minute = 1e9};
  std::vector<std::string> features, tenants;
  for (int i = 0; i < 10; ++i) {
    features.push_back("feature-" + std::to_string(i));
    policy.features[features.back()].guaranteed_tokens_per_minute = 1e8;
  }
  for (int i = 0; i < 100; ++i) tenants.push_back("tenant-" + std::to_string(i));
  QuotaTree tree(policy, noon);
  Instant now = noon;
  measure("guard.tree.take_settle", 200'000, [&](std::uint64_t i) {
    now += 1ms;
    const auto &feature = features[i % 10], &tenant = tenants[i / 10 % 100];
    auto grant = tree.take(feature, tenant, 1000, now);
    tree.settle(feature, tenant, grant.source, 1000, 800, now);
  });
}

void hedge_figures() {
  HedgeBudget budget({.enabled = true});
  for (int i = 1; i <= 100; ++i) budget.on_ttft(WorkClass::interactive, i * 10ms);
  HedgeBudget::Wish wish{.waited = 2s, .deadline_left = 1min, .first_usd = 1, .second_usd = 1, .load = 0.1};
  int hedged = 0;
  measure("guard.hedge.take", 100'000, [&](std::uint64_t) {
    budget.on_request();
    hedged += budget.take(wish) == HedgeBudget::Verdict::go;
  });
  if (hedged == 0) std::abort();
}

}  // namespace
}  // namespace troupe::policy

int main(int argc, char** argv) {
  if (!troupe::bench::wanted(argc, argv, "guard")) return 0;
  troupe::policy::guard_figures();
  troupe::policy::queue_figures();
  troupe::policy::tree_figures();
  troupe::policy::hedge_figures();
}
