#include "actors/process.hpp"

#include "runtime/base/clock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <list>
#include <mutex>
#include <optional>
#include <thread>

extern char** environ;

namespace troupe::actors {
namespace {

constexpr std::size_t kCommandWordsMax = 256;
// How soon a stop is noticed.
constexpr int kProcessLookMs = 50;

/// One word after another, out of one line.
class CommandWords {
 public:
  explicit CommandWords(std::string_view line) : rest_(line) {}

  bool take_all(std::vector<std::string>& words) {
    while (!rest_.empty() && words.size() <= kCommandWordsMax) {
      if (is_blank(rest_.front())) {
        rest_.remove_prefix(1);
        continue;
      }
      words.emplace_back();
      if (!take_word(words.back())) return false;
    }
    return true;
  }

 private:
  static bool is_blank(char c) { return c == ' ' || c == '\t'; }
  char take() {
    char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }
  bool take_word(std::string& word) {
    while (!rest_.empty() && !is_blank(rest_.front())) {
      char c = take();
      bool quoted = c == '\'' || c == '"';
      if (quoted && !take_quoted(c, word)) return false;
      if (c == '\\' && rest_.empty()) return false;
      if (!quoted) word += c == '\\' ? take() : c;
    }
    return true;
  }
  bool take_quoted(char quote, std::string& word) {
    while (!rest_.empty()) {
      char c = take();
      if (c == quote) return true;
      bool escapes = c == '\\' && quote == '"' && !rest_.empty() && (rest_[0] == '"' || rest_[0] == '\\');
      word += escapes ? take() : c;
    }
    return false;
  }
  std::string_view rest_;
};

/// A child and the pipe it prints into. Killed and reaped at the end at the latest.
class RunningProgram {
 public:
  explicit RunningProgram(const std::vector<std::string>& words) {
    int pipe_ends[2];
    if (::pipe2(pipe_ends, O_CLOEXEC) != 0) return;
    reading_ = pipe_ends[0];
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], 1);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    // A group of its own, so that what it started is killed with it.
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
    std::vector<char*> arguments;
    for (const auto& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    if (::posix_spawnp(&id_, arguments[0], &actions, &attributes, arguments.data(), environ) != 0) id_ = 0;
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    ::close(pipe_ends[1]);
  }
  ~RunningProgram() {
    if (reading_ >= 0) ::close(reading_);
    if (id_ <= 0) return;
    ::kill(-id_, SIGKILL);
    ::waitpid(id_, nullptr, 0);
  }
  RunningProgram(const RunningProgram&) = delete;
  RunningProgram& operator=(const RunningProgram&) = delete;

  bool started() const { return id_ > 0; }
  /// Bytes read, 0 at the end, nothing when there was none within the wait.
  std::optional<std::size_t> read(std::string& into) {
    pollfd wait{reading_, POLLIN, 0};
    if (::poll(&wait, 1, kProcessLookMs) <= 0) return std::nullopt;
    std::array<char, 4096> buffer;
    auto count = ::read(reading_, buffer.data(), buffer.size());
    if (count < 0) return std::nullopt;
    into.append(buffer.data(), static_cast<std::size_t>(count));
    return static_cast<std::size_t>(count);
  }
  /// Whether it ended with 0; nothing while it runs.
  std::optional<bool> ended() {
    int status = 0;
    if (::waitpid(id_, &status, WNOHANG) != id_) return std::nullopt;
    id_ = 0;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }

 private:
  pid_t id_ = 0;
  int reading_ = -1;
};

Result<std::string> run_to_end(const ProcessRunner::Order& order, const std::atomic<bool>& stopping) {
  auto words = split_command(order.command);
  if (!words) return std::unexpected(words.error());
  // Its arguments may be secret: only the program is named.
  const auto& name = words->front();
  RunningProgram program(*words);
  if (!program.started()) return fail(Errc::auth, fmt::format("{} cannot be started", name));
  auto deadline = system_clock().now() + order.timeout;
  std::string printed;
  bool printing = true;
  while (!stopping && system_clock().now() < deadline) {
    auto count = printing ? program.read(printed) : std::nullopt;
    if (printed.size() > order.output_bytes_max) return fail(Errc::auth, name + " prints too much");
    if (count) printing = *count > 0;
    if (printing) continue;
    if (auto ended = program.ended())
      return *ended ? Result<std::string>(std::move(printed)) : fail(Errc::auth, name + " failed");
    // It closed its output and goes on: only time can tell.
    ::poll(nullptr, 0, 1);
  }
  return fail(Errc::auth, fmt::format("{} took longer than {}", name, to_human(order.timeout)));
}

}  // namespace

Result<std::vector<std::string>> split_command(std::string_view line) {
  std::vector<std::string> words;
  if (!CommandWords(line).take_all(words)) return fail(Errc::bad_config, "a command has an open quote");
  if (words.empty() || words.size() > kCommandWordsMax)
    return fail(Errc::bad_config, "a command has no words, or too many");
  return words;
}

struct ProcessRunner::State {
  struct Going {
    std::thread thread;
    std::atomic<bool> over{false};
  };
  std::mutex mutex;
  std::list<Going> going;
  std::atomic<bool> stopping{false};

  void join_ended() {
    std::erase_if(going, [](Going& each) {
      if (!each.over) return false;
      each.thread.join();
      return true;
    });
  }
};

ProcessRunner::ProcessRunner() : state_(std::make_unique<State>()) {}

ProcessRunner::~ProcessRunner() {
  state_->stopping = true;
  for (auto& each : state_->going) each.thread.join();
}

void ProcessRunner::run(Order order, Executor& executor, std::function<void(Result<std::string>)> done) {
  std::lock_guard lock(state_->mutex);
  state_->join_ended();
  auto& going = state_->going.emplace_back();
  going.thread = std::thread([&going, &executor, stopping = &state_->stopping, order = std::move(order),
                              done = std::move(done)]() mutable {
    auto printed = run_to_end(order, *stopping);
    executor.post(
        [done = std::move(done), printed = std::move(printed)]() mutable { done(std::move(printed)); });
    going.over = true;
  });
}

}  // namespace troupe::actors
