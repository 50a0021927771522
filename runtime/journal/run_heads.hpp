// What the writer must know of a run before it may add to it: who holds it and where its history ends.
#pragma once

#include "runtime/journal/database.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

namespace troupe::journal {

struct RunHead {
  /// The run's integer id inside the file.
  std::int64_t id = 0;
  std::uint64_t epoch = 0;
  /// Of the last entry; 0 when there is none.
  std::uint64_t seq = 0;
};

/// Heads of the runs written lately, read through from the tables. Used by the writer's thread only.
/// Only a memory of what the tables say: forgetting is always safe, and is how a rollback is undone here.
class RunHeads {
 public:
  static Result<RunHeads> open(Connection& connection);

  /// Null when there is no such run. The pointer is valid until the next call.
  Result<RunHead*> find(const std::string& run_id);
  /// The tables have just been told so.
  void learn(const std::string& run_id, RunHead head) { heads_.insert_or_assign(run_id, head); }
  void forget(const std::string& run_id) { heads_.erase(run_id); }
  void forget_all() { heads_.clear(); }
  /// Between two groups: keeps what is remembered within bounds.
  void trim();

 private:
  RunHeads(Statement run, Statement seq);
  Result<std::optional<RunHead>> load(const std::string& run_id);

  Statement run_, seq_;
  std::unordered_map<std::string, RunHead> heads_;
};

}  // namespace troupe::journal
