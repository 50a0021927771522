// Makes a recorded run again, life by life, with the code of now and nothing of the world: is every decision
// the recorded one?
#pragma once

#include "actors/history_file.hpp"
#include "runtime/base/clock.hpp"

#include <troupe/workflow.hpp>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace troupe::actors {

/// A decision that is not the recorded one. No content: keys, kinds, amounts and sizes.
struct Drift {
  /// Of the entry; 0: not of one.
  std::uint64_t seq = 0;
  std::string step;
  std::string recorded, now;
};

struct ReplayVerdict {
  /// Entries that were made again, and the lives of the run they were made in.
  std::size_t made = 0, lives = 0;
  /// Those that differ. What follows a step that was not recorded cannot be told, so a life ends at its first
  /// one; a step that was asked with another input is one of these and does not end it.
  std::vector<Drift> drift;
};

using ListPrice = std::function<double(const CompletionRequest&, const Usage&)>;

struct VerifyParts {
  WorkflowType code;
  /// RunConfig::list_price by a clock: what is set aside for a call depends on it. Empty: nothing has a
  /// price.
  std::function<ListPrice(Clock&)> prices;
  /// The input the workflow is given instead of the recorded one: files it names may lie elsewhere now.
  std::optional<std::string> input;
};

/// The same run actor and the same driver as in a node. Calls, tools, children, timers and signals come from
/// the record, in its order; recorded steps of our own are not done; a commit is acknowledged no sooner than
/// the record needs it, which is the order the run took unless a decision that left no trace depended on it
/// (a budget's stage looked at between two answers). What a run had under way when it died may differ.
///
/// Reads what the workflow itself reads outside of steps (recap and summary: their input). Blocks.
ReplayVerdict verify_run(const RecordedRun& run, const VerifyParts& parts);

}  // namespace troupe::actors
