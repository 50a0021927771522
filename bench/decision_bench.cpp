// What deciding costs: one routing plan among 4, 16 and 64 endpoints, the whole life of a call in the
// dispatcher, and writing the decision down as the live path does. Google Benchmark; times are of the
// processor, allocations are counted. ./dev bench decision
#include "actors/decision_record.hpp"
#include "bench/figures.hpp"
#include "runtime/base/rng.hpp"
#include "runtime/policy/controls.hpp"
#include "runtime/policy/dispatcher.hpp"

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <map>
#include <new>

namespace {
std::uint64_t allocations = 0;  // the program has one thread
}

void* operator new(std::size_t bytes) {
  ++allocations;
  if (void* found = std::malloc(bytes)) return found;
  std::abort();
}
void operator delete(void* bytes) noexcept { std::free(bytes); }
void operator delete(void* bytes, std::size_t) noexcept { std::free(bytes); }

namespace troupe::policy {
namespace {

using namespace std::chrono_literals;
constexpr WallTime kNoon{1'800'000'000'000};
constexpr int kRequests = 1024;

/// Four models at eight providers in two regions each, an eighth reserved; some sick, some full.
std::vector<FactsPtr> fleet(std::size_t count) {
  std::vector<FactsPtr> out;
  for (std::size_t i = 0; i < count; ++i) {
    auto facts = std::make_shared<EndpointFacts>();
    facts->id = "endpoint-" + std::to_string(i);
    facts->provider = "provider-" + std::to_string(i % 8);
    facts->region = "region-" + std::to_string(i / 8 % 2);
    facts->model = "model-" + std::to_string(i / 4 % 4);
    facts->boundary = "us";
    if (i % 8 == 0) facts->kind = CapacityKind::reserved;
    facts->price = {.input = 1e-6, .output = 3e-6};
    out.push_back(std::move(facts));
  }
  return out;
}

HealthPtr health(std::size_t i) {
  Rng rng(i + 1);
  auto view = std::make_shared<HealthView>();
  view->endpoint = "endpoint-" + std::to_string(i);
  view->ttft_p50 = 0.3 + rng.uniform(), view->ttft_p90 = 2 * view->ttft_p50;
  view->itl_p50 = 0.02, view->itl_p90 = 0.03, view->total_p50 = 5;
  view->in_flight = 10, view->in_flight_max = i % 5 == 4 ? 10 : 64;
  view->input_headroom = view->output_headroom = 1e6;
  view->measured = kNoon;
  if (i % 9 == 8) view->state = BreakerState::open, view->cool_until = {kNoon.ms + 5000};
  if (i % 11 == 10) view->state = BreakerState::partial, view->share = 0.05;
  return view;
}

RouteRules rules() {
  RouteRules rules{.feature = "summary", .hierarchy = {"model-0", "model-1", "model-2", "model-3"}};
  rules.boundary = "us";
  rules.region = "region-0";
  return rules;
}

ControlsPtr orders() {
  auto controls = std::make_shared<Controls>();
  absorb(*controls, Stop{.subject = Subject::endpoint, .name = "endpoint-3", .stamp = {1, "n"}});
  absorb(*controls, Stop{.subject = Subject::tenant, .name = "someone", .stamp = {2, "n"}});
  return controls;
}

std::vector<RouteRequest> requests() {
  std::vector<RouteRequest> out;
  Rng rng(7);
  for (int i = 0; i < kRequests; ++i) {
    RouteRequest request{.input_tokens = 100 + rng.below(8000), .output_tokens = 200};
    request.output_tokens_max = 1024;
    request.draw = rng.uniform();
    request.prefix = rng.below(4);
    request.deadline = 60s;
    out.push_back(request);
  }
  return out;
}

void count_allocations(benchmark::State& state, std::uint64_t before) {
  state.counters["allocations"] =
      static_cast<double>(allocations - before) / static_cast<double>(state.iterations());
}

void plan(benchmark::State& state) {
  Router router(rules(), {});
  auto count = static_cast<std::size_t>(state.range(0));
  router.set_endpoints(fleet(count));
  for (std::size_t i = 0; i < count; ++i) router.set_health(i, health(i));
  router.set_controls(orders());
  auto asked = requests();
  RoutePlan plan;
  for (const auto& request : asked) router.plan(request, {}, kNoon, plan);
  std::size_t i = 0;
  auto before = allocations;
  for (auto _ : state) {
    router.plan(asked[++i % kRequests], {}, kNoon, plan);
    benchmark::DoNotOptimize(plan.order.data());
  }
  count_allocations(state, before);
}

/// What the feature queue keeps of each decision.
class Writer final : public DecisionSink {
 public:
  void on_decision(const Decision& decision) override { bytes += recorder_.record(decision).size(); }
  std::size_t bytes = 0;

 private:
  actors::DecisionRecorder recorder_;
};

// From arrival over one attempt to the end.
void call(benchmark::State& state, bool written) {
  DispatchPolicy policy;
  policy.rules = rules();
  Instant now{12h};
  Dispatcher dispatcher(policy, 1, now);
  auto count = static_cast<std::size_t>(state.range(0));
  dispatcher.set_endpoints(fleet(count));
  for (std::size_t i = 0; i < count; ++i) dispatcher.set_health(static_cast<std::uint32_t>(i), health(i));
  dispatcher.set_controls(orders());
  Writer writer;
  if (written) dispatcher.set_decision_sink(&writer);
  Actions actions;
  std::uint64_t id = 0;
  auto serve = [&] {
    now += 1ms;
    actions.clear();
    CallFacts facts{.id = ++id, .tenant = "acme", .input_tokens = 1000, .output_tokens_max = 1024};
    facts.deadline = now + 60s;
    dispatcher.on_call(std::move(facts), {now, kNoon}, actions);
    if (actions.send.size() != 1) std::abort();
    AttemptReport report{.id = actions.send[0].id, .ttft = 300ms, .input_tokens = 1000, .output_tokens = 200};
    actions.clear();
    dispatcher.on_ended(report, {now, kNoon}, actions);
    if (actions.ended.size() != 1) std::abort();
  };
  for (int i = 0; i < kRequests; ++i) serve();
  auto before = allocations;
  for (auto _ : state) serve();
  count_allocations(state, before);
  if (written) state.counters["bytes"] = static_cast<double>(writer.bytes) / static_cast<double>(id);
}

/// One line a figure.
class Lines final : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    std::map<std::string, std::vector<double>> times;
    for (const auto& run : runs) {
      if (run.run_type != Run::RT_Iteration) continue;
      const auto& name = run.run_name.function_name + "." + run.run_name.args;
      times[name].push_back(run.GetAdjustedCPUTime());
      for (const auto& [counter, value] : run.counters) last_[name + "." + counter] = value.value;
    }
    for (const auto& [name, each] : times) bench::print_repeated(name, each, "ns");
    for (const auto& [name, value] : std::exchange(last_, {})) bench::print(name, value, "per_op");
  }

 private:
  std::map<std::string, double> last_;
};

}  // namespace
}  // namespace troupe::policy

int main(int argc, char** argv) {
  using namespace troupe::policy;
  if (!troupe::bench::wanted(argc, argv, "decision")) return 0;
  // A filter beyond the first word is Google Benchmark's: decision.plan
  benchmark::SetBenchmarkFilter(argc > 1 ? argv[1] : "");
  for (int endpoints : {4, 16, 64}) {
    benchmark::RegisterBenchmark("decision.plan", plan)->Arg(endpoints)->Repetitions(9);
    benchmark::RegisterBenchmark("decision.call", call, false)->Arg(endpoints)->Repetitions(9);
    benchmark::RegisterBenchmark("decision.call_written", call, true)->Arg(endpoints)->Repetitions(9);
  }
  Lines lines;
  benchmark::RunSpecifiedBenchmarks(&lines);
}
