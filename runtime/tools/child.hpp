// A program of somebody else that is spoken to a line at a time.
#pragma once

#include "runtime/base/clock.hpp"

#include <troupe/error.hpp>

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace troupe::tools {

struct ChildConfig {
  std::vector<std::string> command;
  /// All that it sees.
  std::map<std::string, std::string> environment;
  /// Of one line it writes, and of what it has not yet read of ours; more ends it.
  std::size_t line_bytes_max = 4 * 1024 * 1024, unread_bytes_max = 64 * 1024 * 1024;
  Duration end_grace = std::chrono::seconds(2);
};

/// Both are called on the child's thread, one at a time; `gone` at most once and last. Its error is
/// `unreachable`, with the last words of the program's standard error as vendor_text.
struct ChildEvents {
  std::function<void(std::string line)> line;
  std::function<void(Error error)> gone;
};

/// A process in a group of its own, and the thread that reads and writes its pipes. Destroying it closes the
/// program's input, waits end_grace, then sends its group SIGTERM, and after the same time SIGKILL: it blocks
/// up to twice end_grace, and leaves no process behind. Not to be destroyed from its own thread.
class Child {
 public:
  /// Fails with `unreachable` when it cannot be started.
  static Result<std::unique_ptr<Child>> start(ChildConfig config, ChildEvents events, Clock& clock);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  /// Thread-safe; waits for nothing. A line written after the program has gone is dropped.
  void write_line(std::string line);
  int process() const;

 private:
  struct State;
  explicit Child(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace troupe::tools
