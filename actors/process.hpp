// Small programs run to their end off the I/O thread, with a time limit and bounded output. Behind
// credential_process.
#pragma once

#include "runtime/base/executor.hpp"

#include <troupe/error.hpp>
#include <troupe/time.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::actors {

/// A command line in words, as a POSIX shell splits it: blanks, single and double quotes, backslashes.
/// Nothing is expanded. Fails with bad_config for an open quote, no words, or more than 256.
Result<std::vector<std::string>> split_command(std::string_view line);

/// Each run has a thread of its own for as long as it lasts, which is rare and short: credentials live for
/// hours.
class ProcessRunner {
 public:
  struct Order {
    std::string command;
    Duration timeout{};
    std::size_t output_bytes_max = 64 * 1024;
  };

  ProcessRunner();
  /// Kills what is still running and waits for it.
  ~ProcessRunner();
  ProcessRunner(const ProcessRunner&) = delete;
  ProcessRunner& operator=(const ProcessRunner&) = delete;

  /// Finds the program along PATH and runs it without a shell, its input empty and its complaints dropped
  /// (they may hold secrets). `done` is posted to `executor` with what it printed; fails with `auth` when it
  /// cannot be started, ends with another status than 0, takes too long or prints too much.
  void run(Order order, Executor& executor, std::function<void(Result<std::string>)> done);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace troupe::actors
