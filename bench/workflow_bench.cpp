// Durable steps per second through the whole node: workflows of 1, 3 and 9 steps, each step journaled before
// the workflow goes on, 1 to 400 at once, runs of durability power (fsynced) and crash in turns; and what a
// parked run weighs. ./dev bench workflow
#include "bench/figures.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/journal/journal.hpp"

#include <troupe/node.hpp>

#include <fmt/format.h>
#include <malloc.h>
#include <sys/resource.h>

#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <mutex>
#include <string>
#include <vector>

namespace troupe {
namespace {

constexpr int kRepetitions = 3;

/// TROUPE_BENCH_SECONDS: how long each repetition goes on; 2 without it.
Duration span() {
  const char* asked = std::getenv("TROUPE_BENCH_SECONDS");
  return std::chrono::milliseconds(asked == nullptr ? 2000 : std::lround(std::atof(asked) * 1000));
}

Task<Result<JsonText>> no_op(Workflow& wf, JsonText input) {
  auto steps = std::stoul(input.text);
  for (std::size_t i = 0; i < steps; ++i) {
    StepKey key{"step", std::to_string(i)};
    std::function<Result<JsonText>()> body = [] { return Result<JsonText>(JsonText{"{\"done\":true}"}); };
    auto done = co_await wf.step(std::move(key), std::move(body));
    if (!done) co_return std::unexpected(done.error());
  }
  co_return JsonText{"{}"};
}

std::atomic<std::size_t> words_heard = 0;

Task<Result<JsonText>> wait_for_word(Workflow& wf, JsonText) {
  StepKey key{"word", ""};
  auto word = co_await wf.signal(std::move(key));
  ++words_heard;
  co_return word;
}

double cpu_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  auto of = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return of(used.ru_utime) + of(used.ru_stime);
}

/// As many runs at once as asked for, each followed by another, for a while.
class WorkflowLoop {
 public:
  struct Shape {
    std::size_t concurrent = 1, steps = 1;
    Durability durability = Durability::power;
  };
  WorkflowLoop(Node& node, const Shape& shape)
      : node_(node), concurrent_(shape.concurrent), steps_(shape.steps), durability_(shape.durability) {}

  void run() {
    auto cpu = cpu_seconds();
    began_ = system_clock().now();
    for (std::size_t i = 0; i < concurrent_; ++i) next();
    idle_.get_future().wait();
    took_ = seconds(system_clock().now() - began_);
    cpu_us_ = (cpu_seconds() - cpu) * 1e6;
  }
  double steps_per_second() const { return static_cast<double>(done_ * steps_) / took_; }
  double cpu_us_per_step() const { return cpu_us_ / static_cast<double>(done_ * steps_); }
  std::vector<double> latencies_ms;

 private:
  void next() {
    RunSpec spec;
    spec.workflow = "noop";
    spec.input = {std::to_string(steps_)};
    spec.durability = durability_;
    ++going_;
    auto began = system_clock().now();
    Node::Watch watch{{}, [this, began](const RunReport& report) { on_end(report, began); }};
    if (!node_.submit(std::move(spec), std::move(watch))) std::abort();
  }
  void on_end(const RunReport& report, Instant began) {
    if (report.end != RunEnd::done) std::abort();
    auto now = system_clock().now();
    {
      std::lock_guard lock(mutex_);
      latencies_ms.push_back(seconds(now - began) * 1e3);
      ++done_;
    }
    if (now - began_ < span_) next();
    if (--going_ == 0) idle_.set_value();
  }

  Node& node_;
  std::size_t concurrent_, steps_;
  Durability durability_;
  Instant began_;
  Duration span_ = span();
  std::mutex mutex_;
  std::size_t done_ = 0;
  std::atomic<std::size_t> going_ = 0;
  std::promise<void> idle_;
  double took_ = 0, cpu_us_ = 0;
};

struct Figures {
  std::vector<double> rates, cpu, latencies;
  void add(Node& node, const WorkflowLoop::Shape& shape) {
    WorkflowLoop loop(node, shape);
    loop.run();
    rates.push_back(loop.steps_per_second());
    cpu.push_back(loop.cpu_us_per_step());
    latencies.insert(latencies.end(), loop.latencies_ms.begin(), loop.latencies_ms.end());
  }
  void print(const std::string& name) {
    bench::print_repeated(name, std::move(rates), "steps/s");
    bench::print_spread(name + ".run", std::move(latencies), {0.5, 0.9, 0.99}, "ms");
    bench::print(name + ".cpu", bench::median(std::move(cpu)), "us/step");
  }
};

/// Both classes in turns, so that their ratio says something on a busy machine too.
void measure(Node& node, const std::string& name, WorkflowLoop::Shape shape) {
  Figures power, crash;
  std::vector<double> ratios;
  for (int round = 0; round < kRepetitions; ++round) {
    shape.durability = Durability::power;
    power.add(node, shape);
    shape.durability = Durability::crash;
    crash.add(node, shape);
    ratios.push_back(crash.rates.back() / power.rates.back());
  }
  power.print(name);
  crash.print(name + ".crash");
  bench::print_repeated(name + ".crash_to_power", std::move(ratios), "ratio");
}

double resident_bytes() {
  malloc_trim(0);
  std::ifstream file("/proc/self/statm");
  std::size_t total = 0, resident = 0;
  file >> total >> resident;
  return static_cast<double>(resident) * 4096;
}

// Asks until no run is in memory, or five minutes are over.
void wait_until_none_goes(Node& node) {
  auto given_up = system_clock().now() + std::chrono::minutes(5);
  auto listed = [&node] { return node.ask("runs.going"); };
  for (auto told = listed(); told && told->text != "{\"going\":0}" && system_clock().now() < given_up;)
    told = listed();
}

std::string parked_id(std::size_t i) { return fmt::format("parked-{}", i); }

// The word comes for all of them, as fast as one who sends it can.
void measure_waking(Node& node, std::size_t count) {
  auto began = system_clock().now();
  auto cpu = cpu_seconds();
  for (std::size_t i = 0; i < count; ++i) {
    auto told = node.ask("runs.signal", {fmt::format(R"({{"id":"{}","name":"word"}})", parked_id(i))});
    if (!told) std::fprintf(stderr, "%s\n", told.error().what.c_str()), std::abort();
  }
  wait_until_none_goes(node);
  auto took = seconds(system_clock().now() - began);
  bench::print("workflow.parked.woken", static_cast<double>(words_heard), "runs");
  bench::print("workflow.parked.wake", took, "s");
  bench::print("workflow.parked.wake.cpu", (cpu_seconds() - cpu) * 1e6 / static_cast<double>(count),
               "us/run");
}

// Runs that wait for a word nobody says yet; after the pause they are rows and nothing else.
void measure_parked(Node& node, std::size_t count) {
  auto before = resident_bytes();
  for (std::size_t i = 0; i < count; ++i) {
    RunSpec spec;
    spec.workflow = "word";
    spec.run_id = parked_id(i);
    if (!node.submit(std::move(spec))) std::abort();
  }
  auto going = (resident_bytes() - before) / static_cast<double>(count);
  wait_until_none_goes(node);
  auto parked = resident_bytes();
  bench::print("workflow.parked.runs", static_cast<double>(count), "runs");
  bench::print("workflow.parked.rss_before", before, "bytes");
  bench::print("workflow.parked.rss_after", parked, "bytes");
  bench::print("workflow.waiting.rss_each", going, "bytes");
  bench::print("workflow.parked.rss_each", (parked - before) / static_cast<double>(count), "bytes");
  measure_waking(node, count);
}

int measure_all(int argc, char** argv) {
  auto folder = std::filesystem::temp_directory_path() /
                fmt::format("troupe-bench-{}", std::hash<std::string>{}(to_iso8601(system_clock().wall())));
  // TROUPE_BENCH_STORE: a conninfo, to measure PostgreSQL instead of SQLite.
  const char* conninfo = std::getenv("TROUPE_BENCH_STORE");
  std::string store = conninfo == nullptr ? "sqlite" : "postgres";
  std::string text = "node: {id: bench, park_after: 2s}\n";
  if (conninfo != nullptr) text += fmt::format("store: {{kind: postgres, url: \"{}\"}}\n", conninfo);
  auto config = Config::parse(text, "bench");
  if (!config) return std::fprintf(stderr, "%s\n", config.error().what.c_str()), 1;
  auto node = Node::start(config->with_state_dir(folder.string()));
  if (!node) return std::fprintf(stderr, "%s\n", node.error().what.c_str()), 1;
  (*node)->add_workflow("noop", no_op);
  (*node)->add_workflow("word", wait_for_word);
  for (std::size_t steps : {1, 3, 9})
    for (std::size_t concurrent : {1, 10, 100, 400})
      if (auto name = fmt::format("workflow.{}.s{}.c{}", store, steps, concurrent);
          bench::wanted(argc, argv, name))
        measure(**node, name, {concurrent, steps});
  if (bench::wanted(argc, argv, "workflow.parked")) measure_parked(**node, 100'000);
  (*node)->stop();
  std::filesystem::remove_all(folder);
  return 0;
}

}  // namespace
}  // namespace troupe

int main(int argc, char** argv) { return troupe::measure_all(argc, argv); }
