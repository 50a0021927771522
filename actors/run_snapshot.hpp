// What a SNAPSHOT entry carries: a run's own account of where it stands, and what the engine knows beside it.
// Pure.
#pragma once

#include <troupe/budget.hpp>
#include <troupe/run.hpp>
#include <troupe/workflow.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace troupe::actors {

/// Signals count once by their ids among so many of the newest that had one.
inline constexpr std::size_t kSignalIdsKept = 1000;

struct SnapshotNote {
  /// Counted from 1 within a run. Keys of steps that follow are marked with it, which makes them names of
  /// their own.
  std::uint64_t number = 0;
  /// Of the code that wrote `state`.
  std::string version;
  JsonText state;
  WallTime started, now;
  /// Nothing is set aside at a snapshot: no step is under way.
  Budget spent;
  bool refused = false;
  BudgetStage stage = BudgetStage::plenty;
  std::uint64_t steps = 0;
  AttemptSums attempts;
  /// Came, and taken by no wait so far; by name, those of a name in order.
  struct Signal {
    std::string name;
    WallTime at;
    JsonText json;
    friend bool operator==(const Signal&, const Signal&) = default;
  };
  std::vector<Signal> signals;
  /// Of signals that were recorded, the newest last; at most kSignalIdsKept.
  std::vector<std::uint64_t> signal_ids;
};
std::string to_payload(const SnapshotNote& note);
/// Fails with invalid_input.
Result<SnapshotNote> read_snapshot(const std::string& payload);

/// A step's name in the record, after that many snapshots.
std::string key_after(const StepKey& step, std::uint64_t snapshots);

}  // namespace troupe::actors
