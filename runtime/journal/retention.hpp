// What is old enough to be forgotten, and how to take it out without leaving loose ends.
#pragma once

#include "runtime/journal/database.hpp"
#include "runtime/journal/journal.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace troupe::journal {

/// Bounds of one slice of Journal::forget, in both stores; a longer history is a slice of its own.
inline constexpr std::int64_t kForgetRunsMax = 64, kForgetEntriesMax = 4096;

/// One slice: the question, and after it what was done.
struct Forgetting {
  WallTime finished_before;
  /// Empty: any.
  std::string workflow;
  std::uint64_t removed = 0;
  /// True when another slice may find more.
  bool more = false;
};

/// Works within the caller's transaction and on its thread.
class Retention {
 public:
  static Result<Retention> open(Connection& connection);

  Result<void> forget(Forgetting& slice);

 private:
  struct OldRun {
    std::int64_t id = 0, entries = 0;
    std::vector<std::int64_t> blobs;
  };
  explicit Retention(std::vector<Statement> statements);
  Result<std::vector<OldRun>> find(const Forgetting& slice);
  Result<void> add_blobs(OldRun& run);
  Result<void> remove(const OldRun& run);

  Statement find_, blobs_, entries_, run_, blob_, signals_;
};

}  // namespace troupe::journal
