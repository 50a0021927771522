// What one outcome costs a breaker, and what its view and a tick cost: the part of routing a replay pays for
// each request. One endpoint whose window is full, log-normal latencies, drawn beforehand. ./dev bench
// breaker
#include "bench/figures.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/base/rng.hpp"
#include "runtime/policy/breaker.hpp"

#include <cmath>
#include <cstdlib>
#include <new>
#include <vector>

namespace {

std::size_t allocations = 0;

}  // namespace

void* operator new(std::size_t size) {
  ++allocations;
  if (void* place = std::malloc(size)) return place;
  throw std::bad_alloc();
}
void operator delete(void* place) noexcept { std::free(place); }
void operator delete(void* place, std::size_t) noexcept { std::free(place); }

namespace troupe::policy {
namespace {

constexpr int kRepetitions = 7;
constexpr std::size_t kOutcomes = 1'000'000, kDrawn = 1 << 16, kViews = 200'000;

std::vector<Outcome> drawn() {
  Rng rng(5);
  std::vector<Outcome> outcomes(kDrawn);
  for (auto& outcome : outcomes) {
    outcome.ttft = from_seconds(0.4 * std::exp(0.6 * rng.normal()));
    outcome.total = outcome.ttft + from_seconds(3 * std::exp(0.6 * rng.normal()));
    if (rng.uniform() < 0.005) {
      outcome.error = Errc::transient_server;
      outcome.counts = true;
    }
  }
  return outcomes;
}

struct Cost {
  double ns = 0, allocations = 0;
};

template <class Work>
Cost cost_each(std::size_t count, Work work) {
  auto before = allocations;
  auto begun = system_clock().now();
  work();
  auto n = static_cast<double>(count);
  return {seconds(system_clock().now() - begun) * 1e9 / n, static_cast<double>(allocations - before) / n};
}

void print_costs(const std::string& name, const std::vector<Cost>& costs) {
  std::vector<double> ns, allocated;
  for (const auto& cost : costs) {
    ns.push_back(cost.ns);
    allocated.push_back(cost.allocations);
  }
  bench::print_repeated(name, ns, "ns");
  bench::print(name + ".allocations", bench::median(allocated), "each");
}

/// `gap` between outcomes: few hold the window by age, many by count.
void measure_rate(const std::string& name, Duration gap) {
  auto outcomes = drawn();
  Breaker breaker{BreakerPolicy{}};
  Instant now{std::chrono::hours(1)};
  std::size_t at = 0, events = 0;
  auto feed = [&](std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      auto& outcome = outcomes[at++ % kDrawn];
      outcome.at = now += gap;
      events += breaker.on_outcome(outcome).has_value();
    }
  };
  feed(kOutcomes / 10);
  std::vector<Cost> outcome_costs, view_costs, tick_costs;
  HealthView view;
  double sum = 0;
  for (int i = 0; i < kRepetitions; ++i) {
    outcome_costs.push_back(cost_each(kOutcomes, [&] { feed(kOutcomes); }));
    view_costs.push_back(cost_each(kViews, [&] {
      for (std::size_t k = 0; k < kViews; ++k) {
        breaker.fill(view, now);
        sum += view.ttft_p90 + breaker.share();
      }
    }));
    tick_costs.push_back(cost_each(kViews, [&] {
      for (std::size_t k = 0; k < kViews; ++k) events += breaker.on_tick(now).has_value();
    }));
  }
  print_costs("breaker." + name + ".on_outcome", outcome_costs);
  print_costs("breaker." + name + ".fill", view_costs);
  print_costs("breaker." + name + ".on_tick", tick_costs);
  bench::print("breaker." + name + ".events", static_cast<double>(events), "changes");
  if (sum < 0) std::abort();  // keeps the views from being optimised away
}

}  // namespace
}  // namespace troupe::policy

int main(int argc, char** argv) {
  if (!troupe::bench::wanted(argc, argv, "breaker")) return 0;
  troupe::policy::measure_rate("window512", std::chrono::milliseconds(1));
  troupe::policy::measure_rate("window30s", std::chrono::milliseconds(500));
}
