// What a run has already done, read from its journal entries. Pure.
#pragma once

#include "actors/run_entries.hpp"
#include "actors/run_snapshot.hpp"
#include "runtime/journal/journal.hpp"

#include <troupe/workflow.hpp>

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

namespace troupe::actors {

class RunHistory {
 public:
  /// What a step came to.
  using What = std::variant<Answer, JsonText, ToolOutput, ChildOutcome, Error>;
  struct Recorded {
    /// Its place in the run: results are given again in the order in which they came.
    std::uint64_t seq = 0;
    std::uint64_t input_hash = 0;
    WallTime at;
    What what;
  };
  /// How often the step was begun, and what was set aside each time.
  struct Begun {
    std::uint32_t times = 0;
    Budget reserved_last, reserved_before;
    /// What a child was given.
    Budget slice;
    bool child = false, tool = false;
    /// How its last attempt ended is known though it is to be made again: `reserved_last` is what that used.
    bool noted = false;
  };
  struct Signal {
    std::uint64_t seq = 0;
    WallTime at;
    JsonText json;
  };
  /// A timer's end. `seq` 0: it has not fired.
  struct Fired {
    std::uint64_t seq = 0;
    WallTime at;
  };
  /// By name, in the order they came: each wait for a name takes the next of it.
  using Signals = std::map<std::string, std::deque<Signal>>;

  RunHistory() = default;
  /// Of the latest snapshot among them and what follows it; of all when there is none.
  /// Fails with `storage` when an entry cannot be read: a damaged history must not be bought again silently.
  static Result<RunHistory> read(const std::vector<journal::Entry>& entries);

  /// Of a run that has just recorded this snapshot as its entry `seq`.
  static RunHistory after(SnapshotNote note, std::uint64_t seq);

  /// Null when the step has come to nothing yet.
  const Recorded* find(const std::string& key) const;
  Begun begun(const std::string& key) const;
  /// Keys of steps that were begun and have come to nothing yet.
  std::vector<std::string> open() const;
  bool timer_set(const std::string& key) const { return set_.contains(key); }
  Fired timer_fired(const std::string& key) const;
  const Signals& signals() const { return signals_; }
  /// The furthest its budget was said to be.
  BudgetStage stage() const { return stage_; }
  /// Ids of the signals that carried one, in the order they came.
  const std::vector<std::uint64_t>& signal_ids() const { return signal_ids_; }
  /// What this history goes on from, if it does not begin at the beginning.
  const std::optional<SnapshotNote>& snapshot() const { return snapshot_; }
  /// Keys of what was recorded, in no order.
  std::vector<std::string> keys() const;
  std::size_t results() const { return results_; }

  /// Has a step been begun or recorded?
  bool moved() const { return !recorded_.empty() || !begun_.empty() || !set_.empty(); }

  std::uint64_t last_seq() const { return last_seq_; }
  WallTime started() const { return started_; }
  bool empty() const { return last_seq_ == 0; }
  /// Attempts of every recorded answer, in journal order.
  const std::vector<AttemptRecord>& attempts() const { return attempts_; }

 private:
  Result<void> add(const journal::Entry& entry);
  void begin(const journal::Entry& entry, const Budget& reserved, IntentOf of);
  Result<void> add_note(const journal::Entry& entry);
  Result<void> add_result(const journal::Entry& entry);
  void record(const journal::Entry& entry, What what);

  std::unordered_map<std::string, Recorded> recorded_;
  std::unordered_map<std::string, Begun> begun_;
  std::set<std::string> set_;
  std::map<std::string, Fired> fired_;
  Signals signals_;
  std::vector<std::uint64_t> signal_ids_;
  std::optional<SnapshotNote> snapshot_;
  std::vector<AttemptRecord> attempts_;
  std::size_t results_ = 0;
  BudgetStage stage_ = BudgetStage::plenty;
  std::uint64_t last_seq_ = 0;
  WallTime started_;
};

}  // namespace troupe::actors
