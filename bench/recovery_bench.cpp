// How long after kill -9 the next step of a run is recorded: from the start of the new process, with one run
// unfinished and with a thousand. ./dev bench recovery
#include "bench/figures.hpp"
#include "runtime/base/clock.hpp"

#include <troupe/node.hpp>

#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <string>
#include <vector>

namespace troupe {
namespace {

constexpr int kLives = 3;

// ---- the process that dies, and the one that follows ----

struct Life {
  bool first = false;
  std::size_t runs = 0;
  std::atomic<std::size_t> steps = 0;
  std::promise<void> all;

  void count() {
    auto done = ++steps;
    if (done == 1) say("one");
    if (done == runs) all.set_value();
  }
  static void say(const char* word) {
    fmt::print("{}\n", word);
    std::fflush(stdout);
  }
};

// The first life waits for a word that never comes; the next one asks for the step that follows.
WorkflowFunction two_steps(Life& life) {
  return [&life](Workflow& wf, JsonText) -> Task<Result<JsonText>> {
    for (const char* id : {"before", "after"}) {
      StepKey key{"step", id};
      std::function<Result<JsonText>()> body = [] { return Result<JsonText>(JsonText{"{\"done\":true}"}); };
      auto done = co_await wf.step(std::move(key), std::move(body));
      if (!done) co_return std::unexpected(done.error());
      if (!life.first) continue;
      life.count();
      StepKey word{"word", ""};
      co_await wf.signal(std::move(word));
    }
    life.count();
    co_return JsonText{"{}"};
  };
}

int live(const std::string& folder, bool first, std::size_t runs) {
  Life life;
  life.first = first;
  life.runs = runs;
  const char* conninfo = std::getenv("TROUPE_BENCH_STORE");
  std::string text = "node: {id: bench, park_after: 1h}\n";
  if (conninfo != nullptr) text += fmt::format("store: {{kind: postgres, url: \"{}\"}}\n", conninfo);
  auto config = Config::parse(text, "bench");
  if (!config) return std::fprintf(stderr, "%s\n", config.error().what.c_str()), 1;
  auto node = Node::start(config->with_state_dir(folder));
  if (!node) return std::fprintf(stderr, "%s\n", node.error().what.c_str()), 1;
  (*node)->add_workflow("two", two_steps(life));
  for (std::size_t i = 0; first && i < runs; ++i) {
    RunSpec spec;
    spec.workflow = "two";
    spec.run_id = fmt::format("{}-{}", std::filesystem::path(folder).filename().string(), i);
    if (!(*node)->submit(std::move(spec))) return 1;
  }
  if (!first && !(*node)->resume_runs()) return 1;
  life.all.get_future().wait();
  Life::say("all");
  // Killed here, or told to end.
  if (first) pause();
  (*node)->stop();
  return 0;
}

// ---- who watches ----

class Child {
 public:
  Child(const char* program, const std::string& folder, const char* which, std::size_t runs) {
    std::array<int, 2> ends{};
    if (pipe(ends.data()) != 0) std::abort();
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    auto count = std::to_string(runs);
    std::array<char*, 5> words{const_cast<char*>(program), const_cast<char*>(which),
                               const_cast<char*>(folder.c_str()), count.data(), nullptr};
    began_ = system_clock().now();
    if (posix_spawn(&pid_, program, &actions, nullptr, words.data(), environ) != 0) std::abort();
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    said_ = fdopen(ends[0], "r");
  }
  ~Child() {
    fclose(said_);
    waitpid(pid_, nullptr, 0);
  }
  /// Seconds from the start of the process until it said so.
  double until(const std::string& word) {
    std::array<char, 64> line{};
    while (std::fgets(line.data(), line.size(), said_) != nullptr)
      if (word + "\n" == line.data()) return seconds(system_clock().now() - began_);
    std::abort();
  }
  void kill_it() const { kill(pid_, SIGKILL); }

 private:
  pid_t pid_ = 0;
  FILE* said_ = nullptr;
  Instant began_;
};

void measure(const char* program, const std::string& store, std::size_t runs) {
  std::vector<double> one, all;
  auto root = std::filesystem::temp_directory_path() / fmt::format("troupe-recovery-{}", getpid());
  for (int life = 0; life < kLives; ++life) {
    auto folder = (root / fmt::format("{}-{}-{}", getpid(), runs, life)).string();
    {
      Child first(program, folder, "--first", runs);
      first.until("all");
      first.kill_it();
    }
    Child next(program, folder, "--next", runs);
    one.push_back(next.until("one"));
    all.push_back(next.until("all"));
  }
  std::filesystem::remove_all(root);
  auto name = fmt::format("recovery.{}.runs{}", store, runs);
  bench::print_repeated(name + ".next_step", std::move(one), "s");
  bench::print_repeated(name + ".all_ended", std::move(all), "s");
}

}  // namespace
}  // namespace troupe

int main(int argc, char** argv) {
  std::string what = argc > 1 ? argv[1] : "";
  if (argc == 4 && what.starts_with("--"))
    return troupe::live(argv[2], what == "--first", std::strtoul(argv[3], nullptr, 10));
  std::string store = std::getenv("TROUPE_BENCH_STORE") == nullptr ? "sqlite" : "postgres";
  for (std::size_t runs : {1, 1000})
    if (troupe::bench::wanted(argc, argv, fmt::format("recovery.{}.runs{}", store, runs)))
      troupe::measure("/proc/self/exe", store, runs);
  return 0;
}
