// What is known of a run while it goes and after it ended.
#pragma once

#include <troupe/durability.hpp>
#include <troupe/error.hpp>
#include <troupe/workflow.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// Ask for a run. The same `run_id` again resumes it: recorded answers are not bought twice.
struct RunSpec {
  std::string workflow;
  JsonText input;
  /// Empty: a new one is made.
  std::string run_id;
  std::string tenant = "default";
  /// What it may use; a resumed run keeps what it was started with.
  Budget budget;
  /// The run that starts it; empty: nobody's child.
  std::string parent;
  /// What its record survives; a resumed run keeps what it was started with. `power` is refused where
  /// store.power_safe is off.
  Durability durability = Durability::unsaid;
};

/// A moment of a running run. Steps are its own; what is used counts its child runs, too.
struct RunProgress {
  std::string run_id;
  std::size_t steps_planned = 0, steps_done = 0, steps_replayed = 0;
  std::uint64_t calls = 0;
  std::int64_t tokens = 0;
  double usd = 0;
  std::int64_t tool_calls = 0;
  /// Child runs at work on this node, and theirs.
  std::size_t children = 0;
};

/// Text of a call while its answer comes. Steps given from the record are not heard.
struct LiveText {
  enum class What {
    delta,    ///< `text` follows what was told before
    restart,  ///< what was told of this step is void, it begins again
    end,      ///< the step has its result, which holds the whole text
  };
  What what = What::delta;
  StepKey step;
  std::string text;
};

enum class RunEnd { done, failed, cancelled, interrupted };
const char* to_string(RunEnd end);

/// What attempts used that are not listed any more.
struct AttemptSums {
  std::uint64_t attempts = 0;
  std::int64_t tokens_in = 0, tokens_out = 0;
  double usd = 0;
  friend bool operator==(const AttemptSums&, const AttemptSums&) = default;
};

/// How a run ended, over all its lives (a resumed run counts what was recorded before).
struct RunReport {
  std::string run_id;
  std::string workflow;
  RunEnd end = RunEnd::done;
  WallTime started;
  /// This life only.
  Duration took{};
  std::size_t steps = 0, steps_replayed = 0;
  /// Since its latest snapshot, and before it.
  std::vector<AttemptRecord> attempts;
  AttemptSums before_snapshot;
  /// By the run and its children.
  Budget spent;
  /// Recorded steps that the workflow did not ask for again, or asked with another input: it has changed
  /// since (RUNTIME 5.3). At most 100.
  std::vector<std::string> drift;
  /// The workflow's result when done.
  JsonText output;
  /// Why it failed; interrupted and failed runs can be resumed with the same id.
  std::optional<Error> error;
};

}  // namespace troupe
