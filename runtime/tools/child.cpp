#include "runtime/tools/child.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

namespace troupe::tools {

/// A file descriptor that closes itself.
class ChildDescriptor {
 public:
  explicit ChildDescriptor(int fd = -1) : fd_(fd) {}
  ~ChildDescriptor() { reset(); }
  ChildDescriptor(ChildDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  ChildDescriptor& operator=(ChildDescriptor&& other) noexcept {
    reset();
    fd_ = std::exchange(other.fd_, -1);
    return *this;
  }
  int get() const { return fd_; }
  void reset() {
    if (fd_ >= 0) close(std::exchange(fd_, -1));
  }

 private:
  int fd_;
};

struct ChildPipe {
  ChildDescriptor read, write;
};

namespace {

constexpr std::size_t kLastWordsMax = 4096;

/// Neither end survives into a program that anybody starts.
std::optional<ChildPipe> make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return std::nullopt;
  return ChildPipe{ChildDescriptor(ends[0]), ChildDescriptor(ends[1])};
}

void never_wait(const ChildDescriptor& fd) {
  fcntl(fd.get(), F_SETFL, fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (auto& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

/// The new process, in a group of its own, with no signal blocked or ignored; or errno.
std::expected<pid_t, int> spawn(const ChildConfig& config, int in, int out, int err) {
  auto arguments = config.command;
  std::vector<std::string> variables;
  for (const auto& [name, value] : config.environment) variables.push_back(name + "=" + value);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in, 0);
  posix_spawn_file_actions_adddup2(&actions, out, 1);
  posix_spawn_file_actions_adddup2(&actions, err, 2);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  pid_t process = -1;
  int code = posix_spawnp(&process, arguments[0].c_str(), &actions, &attributes, pointers(arguments).data(),
                          pointers(variables).data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (code != 0) return std::unexpected(code);
  return process;
}

}  // namespace

struct Child::State {
  State(ChildConfig its_config, ChildEvents its_events, Clock& its_clock)
      : config(std::move(its_config)), events(std::move(its_events)), clock(its_clock) {}

  void run() {
    // Writing to a program that has gone must be an error here, not the end of ours.
    sigset_t broken_pipe;
    sigemptyset(&broken_pipe);
    sigaddset(&broken_pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
    while (!ending() && !why_gone) turn();
    if (why_gone && !ending()) {
      auto error = make_error(Errc::unreachable, *why_gone);
      error.vendor_text = last_words;
      events.gone(std::move(error));
    }
  }

  void turn() {
    bool writes = false;
    {
      std::lock_guard lock(mutex);
      writes = !unread.empty();
    }
    std::array<pollfd, 4> waits = {{{wake.read.get(), POLLIN, 0},
                                    {output.get(), POLLIN, 0},
                                    {errors.get(), POLLIN, 0},
                                    {writes ? input.get() : -1, POLLOUT, 0}}};
    poll(waits.data(), waits.size(), -1);
    if (waits[0].revents) drain_wake();
    if (waits[2].revents) read_errors();
    if (waits[1].revents) read_output();
    if (waits[3].revents) write_some();
  }

  void drain_wake() {
    std::array<char, 64> ignored;
    while (read(wake.read.get(), ignored.data(), ignored.size()) > 0) {
    }
  }

  void read_errors() {
    std::array<char, 4096> bytes;
    auto got = read(errors.get(), bytes.data(), bytes.size());
    if (got == 0) errors.reset();
    if (got <= 0) return;
    last_words.append(bytes.data(), static_cast<std::size_t>(got));
    if (last_words.size() > kLastWordsMax) last_words.erase(0, last_words.size() - kLastWordsMax);
  }

  void read_output() {
    std::array<char, 64 * 1024> bytes;
    auto got = read(output.get(), bytes.data(), bytes.size());
    if (got < 0) return;
    if (got == 0) return go("the program has ended");
    std::string_view text(bytes.data(), static_cast<std::size_t>(got));
    while (!text.empty() && !why_gone) {
      auto end = text.find('\n');
      line += text.substr(0, end);
      if (line.size() > config.line_bytes_max) return go("the program wrote a line that is too long");
      if (end == std::string_view::npos) return;
      text.remove_prefix(end + 1);
      if (line.ends_with('\r')) line.pop_back();
      if (!line.empty()) events.line(std::exchange(line, {}));
    }
  }

  void write_some() {
    std::lock_guard lock(mutex);
    auto wrote = write(input.get(), unread.data(), unread.size());
    if (wrote > 0) unread.erase(0, static_cast<std::size_t>(wrote));
    // One that reads no more may still answer; its end shows in its output.
    if (wrote < 0 && errno != EAGAIN && errno != EINTR) unread.clear();
  }

  void go(std::string why) { why_gone = std::move(why); }
  bool ending() {
    std::lock_guard lock(mutex);
    return ended;
  }
  void wake_up() {
    char byte = 0;
    [[maybe_unused]] auto wrote = write(wake.write.get(), &byte, 1);
  }

  /// Has it ended? It stays to be buried, so that its number is nobody else's yet.
  bool gone_within(Duration grace) {
    auto until = clock.now() + grace;
    while (true) {
      siginfo_t how{};
      int got = waitid(P_PID, static_cast<id_t>(process), &how, WEXITED | WNOHANG | WNOWAIT);
      if (got != 0 || how.si_pid == process) return true;
      if (clock.now() >= until) return false;
      poll(nullptr, 0, 5);
    }
  }

  void end() {
    {
      std::lock_guard lock(mutex);
      ended = true;
    }
    wake_up();
    thread.join();
    input.reset();
    output.reset();
    errors.reset();
    if (!gone_within(config.end_grace)) {
      kill(-process, SIGTERM);
      gone_within(config.end_grace);
    }
    // Also for what it has started and left behind.
    kill(-process, SIGKILL);
    while (waitpid(process, nullptr, 0) < 0 && errno == EINTR) {
    }
  }

  const ChildConfig config;
  const ChildEvents events;
  Clock& clock;
  pid_t process = -1;
  ChildDescriptor input, output, errors;
  ChildPipe wake;
  std::string line, last_words;
  std::optional<std::string> why_gone;
  std::mutex mutex;  // of `unread` and `ended`
  std::string unread;
  bool ended = false;
  std::thread thread;
};

Child::Child(std::unique_ptr<State> state) : state_(std::move(state)) {}
Child::~Child() { state_->end(); }
int Child::process() const { return state_->process; }

Result<std::unique_ptr<Child>> Child::start(ChildConfig config, ChildEvents events, Clock& clock) {
  if (config.command.empty()) return fail(Errc::bad_config, "there is no program to start");
  auto in = make_pipe(), out = make_pipe(), err = make_pipe(), wake = make_pipe();
  if (!in || !out || !err || !wake) return fail(Errc::unreachable, "there are no file descriptors left");
  auto process = spawn(config, in->read.get(), out->write.get(), err->write.get());
  if (!process)
    return fail(Errc::unreachable,
                fmt::format("cannot start {}: {}", config.command[0], std::strerror(process.error())));
  auto state = std::make_unique<State>(std::move(config), std::move(events), clock);
  state->process = *process;
  state->input = std::move(in->write);
  state->output = std::move(out->read);
  state->errors = std::move(err->read);
  state->wake = std::move(*wake);
  for (const auto* fd :
       {&state->input, &state->output, &state->errors, &state->wake.read, &state->wake.write})
    never_wait(*fd);
  state->thread = std::thread([its = state.get()] { its->run(); });
  return std::unique_ptr<Child>(new Child(std::move(state)));
}

void Child::write_line(std::string line) {
  {
    std::lock_guard lock(state_->mutex);
    if (state_->unread.size() + line.size() > state_->config.unread_bytes_max) return;
    state_->unread += line;
    state_->unread += '\n';
  }
  state_->wake_up();
}

}  // namespace troupe::tools
