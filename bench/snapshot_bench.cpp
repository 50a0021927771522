// What a snapshot saves a run that lives long, and how fast parked runs are woken that are due at once.
//   ./dev bench snapshot          one run of 100,000 steps, with a snapshot every 64 and without: taking it
//   up
//                                 again, what is read for it, what lies in the store before and after
//                                 compaction
//   ./dev bench waking            100,000 parked runs whose timers are due together
// TROUPE_BENCH_COUNT: other numbers than 100,000. TROUPE_BENCH_STORE: a conninfo, for PostgreSQL.
#include "bench/figures.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/journal/database.hpp"
#include "runtime/journal/journal.hpp"

#include <troupe/node.hpp>

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>

namespace troupe {
namespace {

std::size_t count_wanted() {
  const char* count = std::getenv("TROUPE_BENCH_COUNT");
  return count == nullptr ? 100'000 : std::strtoul(count, nullptr, 10);
}
const char* conninfo() { return std::getenv("TROUPE_BENCH_STORE"); }

std::unique_ptr<Node> start_node(const std::string& folder, const std::string& park_after) {
  // What is measured is reading; the writing before it need not wait for the disk.
  auto store = conninfo() == nullptr
                   ? std::string("store: {power_safe: false}\n")
                   : fmt::format("store: {{kind: postgres, url: \"{}\", power_safe: false}}\n", conninfo());
  auto config =
      Config::parse(fmt::format("node: {{id: bench, park_after: {}}}\n{}", park_after, store), "bench");
  if (!config) std::fprintf(stderr, "%s\n", config.error().what.c_str()), std::abort();
  auto node = Node::start(config->with_state_dir(folder));
  if (!node) std::fprintf(stderr, "%s\n", node.error().what.c_str()), std::abort();
  return std::move(*node);
}

// ---- one long run ----

/// Bytes this process has asked the kernel to read: SQLite's pages, PostgreSQL's answers.
double bytes_read() {
  std::ifstream file("/proc/self/io");
  std::string word;
  double value = 0;
  file >> word >> value;
  return value;
}

struct LongRun {
  std::size_t steps = 0, every = 0;
  /// The last step is done, or was given again, and the run waits.
  std::promise<void> waits;
  Instant at;
};

WorkflowFunction long_run(LongRun& run) {
  return [&run](Workflow& wf, JsonText) -> Task<Result<JsonText>> {
    auto state = wf.restored();
    for (std::size_t i = state ? std::stoul(state->text) : 0; i < run.steps; ++i) {
      if (run.every > 0 && i % run.every == 0) {
        JsonText here{std::to_string(i)};
        auto rested = co_await wf.snapshot(std::move(here));
        if (!rested) co_return std::unexpected(rested.error());
      }
      StepKey key{"step", std::to_string(i)};
      std::function<Result<JsonText>()> body = [] {
        return Result<JsonText>(
            JsonText{R"({"done":true,"by":"nobody","note":"as much as a small step says"})"});
      };
      auto done = co_await wf.step(std::move(key), std::move(body));
      if (!done) co_return std::unexpected(done.error());
    }
    run.at = system_clock().now();
    run.waits.set_value();
    StepKey word{"word", ""};
    (void)co_await wf.signal(std::move(word));
    co_return JsonText{"{}"};
  };
}

void live(const std::string& folder, const std::string& id, LongRun& run, bool first,
          const std::string& name) {
  auto node = start_node(folder, "1h");
  node->add_workflow("long", long_run(run));
  auto began = system_clock().now();
  auto read = bytes_read();
  RunSpec spec;
  spec.workflow = "long";
  spec.run_id = id;
  if (!node->submit(std::move(spec))) std::abort();
  run.waits.get_future().wait();
  bench::print(name + (first ? ".made" : ".taken_up"), seconds(run.at - began), "s");
  if (!first) bench::print(name + ".read", bytes_read() - read, "bytes");
  node->stop();
}

double used_bytes(const std::string& folder) {
  auto connection = journal::Connection::open(folder + "/troupe.db", journal::Connection::Mode::read);
  if (!connection) return 0;
  auto pages = connection->integer("PRAGMA page_count").value_or(0);
  auto unused = connection->integer("PRAGMA freelist_count").value_or(0);
  return static_cast<double>((pages - unused) * connection->integer("PRAGMA page_size").value_or(0));
}

double history_bytes(journal::Journal& journal, const std::string& id) {
  double bytes = 0;
  auto entries = journal.history(id);
  if (!entries) return bytes;
  for (const auto& entry : *entries)
    bytes += static_cast<double>(entry.payload.size() + entry.step_key.size());
  return bytes;
}

std::unique_ptr<journal::Journal> open_beside(const std::string& folder) {
  auto journal =
      conninfo() == nullptr
          ? journal::open_sqlite({.path = folder + "/troupe.db", .power_safe = false})
          : journal::open_postgres({.conninfo = conninfo(), .node = "beside", .power_safe = false});
  if (!journal) std::fprintf(stderr, "%s\n", journal.error().what.c_str()), std::abort();
  return std::move(*journal);
}

void measure_long(const std::string& root, std::size_t every) {
  auto id = fmt::format("long-{}-{}", every, getpid());
  auto folder = fmt::format("{}/{}", root, every);
  auto name = fmt::format("snapshot.{}.every{}", conninfo() == nullptr ? "sqlite" : "postgres", every);
  auto lives = [&](bool first, const std::string& what) {
    LongRun run;
    run.steps = count_wanted();
    run.every = every;
    live(folder, id, run, first, what);
  };
  lives(true, name);
  for (int again = 0; again < 3; ++again) lives(false, name);
  auto sizes = [&](const std::string& when) {
    auto journal = open_beside(folder);
    if (when == ".compacted") (void)journal->compact(id, 0);
    bench::print(name + when + ".history", history_bytes(*journal, id), "bytes");
    journal.reset();
    if (conninfo() == nullptr) bench::print(name + when + ".file_used", used_bytes(folder), "bytes");
  };
  sizes("");
  if (every == 0) return;
  sizes(".compacted");
  lives(false, name + ".compacted");
}

// ---- many that wake ----

struct Sleepers {
  std::atomic<std::size_t> woken = 0;
  std::atomic<std::int64_t> first_ms = INT64_MAX, last_ms = 0;
  WallTime when;
};

WorkflowFunction sleeper(Sleepers& all) {
  return [&all](Workflow& wf, JsonText) -> Task<Result<JsonText>> {
    StepKey key{"sleep", ""};
    auto slept = co_await wf.sleep_until(std::move(key), all.when);
    if (!slept) co_return std::unexpected(slept.error());
    ++all.woken;
    co_return JsonText{"{}"};
  };
}

double resident_mb() {
  std::ifstream file("/proc/self/statm");
  double total = 0, resident = 0;
  file >> total >> resident;
  return resident * 4096 / 1e6;
}

std::size_t going(Node& node) {
  auto told = node.ask("runs.going");
  return told ? std::strtoul(told->text.c_str() + told->text.find(':') + 1, nullptr, 10) : 0;
}

void measure_waking(const std::string& root) {
  auto count = count_wanted();
  Sleepers all;
  const char* ahead = std::getenv("TROUPE_BENCH_AHEAD_S");
  all.when = {system_clock().wall().ms + 1000 * (ahead == nullptr ? 120 : std::atol(ahead))};
  auto node = start_node(root + "/wake", "1s");
  node->add_workflow("sleeper", sleeper(all));
  if (!node->resume_runs()) std::abort();
  for (std::size_t i = 0; i < count; ++i) {
    RunSpec spec;
    spec.workflow = "sleeper";
    if (!node->submit(std::move(spec))) std::abort();
  }
  while (going(*node) > 0 && system_clock().wall().ms < all.when.ms) usleep(10'000);
  auto parked = count - going(*node);
  auto before = resident_mb(), peak = before;
  std::size_t most = 0;
  while (system_clock().wall().ms < all.when.ms) usleep(1000);
  auto began = system_clock().now();
  while (all.woken < count && system_clock().now() - began < std::chrono::minutes(10)) {
    usleep(20'000);
    peak = std::max(peak, resident_mb());
    most = std::max(most, going(*node));
  }
  auto took = seconds(system_clock().now() - began);
  std::string name = fmt::format("waking.{}", conninfo() == nullptr ? "sqlite" : "postgres");
  bench::print(name + ".parked", static_cast<double>(parked), "runs");
  bench::print(name + ".woken", static_cast<double>(all.woken), "runs");
  bench::print(name + ".took", took, "s");
  bench::print(name + ".rate", static_cast<double>(all.woken) / took, "runs/s");
  bench::print(name + ".going_most", static_cast<double>(most), "runs");
  bench::print(name + ".rss_parked", before, "MB");
  bench::print(name + ".rss_peak", peak, "MB");
  node->stop();
}

}  // namespace
}  // namespace troupe

int main(int argc, char** argv) {
  auto root = (std::filesystem::temp_directory_path() / fmt::format("troupe-snapshot-{}", getpid())).string();
  if (troupe::bench::wanted(argc, argv, "snapshot"))
    for (std::size_t every : {0, 64}) troupe::measure_long(root, every);
  if (troupe::bench::wanted(argc, argv, "waking")) troupe::measure_waking(root);
  std::filesystem::remove_all(root);
  return 0;
}
