// The rules of a single history, free of any database.
#include "runtime/journal/check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

namespace troupe::journal {
namespace {

/// Walks along one history and notes what is wrong.
class HistoryWalk {
 public:
  explicit HistoryWalk(const RunRow& run) : run_(run) {}

  void see(const Entry& entry) {
    check_order(entry);
    check_step(entry);
    check_child(entry);
    ended_ |= entry.kind == Kind::done;
    cancelled_ |= entry.kind == Kind::cancel;
    seq_ = entry.seq;
    lsn_ = entry.lsn;
    epoch_ = entry.epoch;
  }

  std::vector<std::string> finish() {
    // A failed run may be resumed, so nothing closes its history.
    bool closed = run_.state == RunState::done || run_.state == RunState::cancelled;
    bool has_end = ended_ || (run_.state == RunState::cancelled && cancelled_);
    if (closed && !has_end)
      found_.push_back(
          fmt::format("run {}: {}, but its history has no end", run_.run_id, to_string(run_.state)));
    if (run_.state != RunState::running && run_.wake.ms != 0)
      found_.push_back(fmt::format("run {}: {}, but parked", run_.run_id, to_string(run_.state)));
    return std::move(found_);
  }

 private:
  void note(const Entry& entry, const std::string& what) {
    found_.push_back(fmt::format("run {}, entry {}: {}", run_.run_id, entry.seq, what));
  }

  void check_order(const Entry& entry) {
    bool compacted = seq_ == 0 && entry.kind == Kind::snapshot;
    if (entry.seq != seq_ + 1 && !compacted) note(entry, fmt::format("follows entry {}", seq_));
    if (entry.lsn <= lsn_) note(entry, fmt::format("lsn {} after {}", entry.lsn, lsn_));
    if (entry.epoch < epoch_) note(entry, fmt::format("epoch {} after {}", entry.epoch, epoch_));
    if (entry.epoch > run_.epoch)
      note(entry, fmt::format("epoch {}, the run is at {}", entry.epoch, run_.epoch));
  }

  void check_step(const Entry& entry) {
    if (entry.kind == Kind::intent) check_intent(entry);
    if (entry.kind == Kind::timer_set) timers_.insert(entry.step_key);
    if (entry.kind == Kind::timer_fired && !timers_.contains(entry.step_key))
      note(entry, fmt::format("timer {} fired without being set", entry.step_key));
    if (entry.kind != Kind::result) return;
    if (!results_.insert(entry.step_key).second)
      note(entry, fmt::format("a second result of step {}", entry.step_key));
    if (entry.attempt > 0 && !intents_.contains(entry.step_key))
      note(entry, fmt::format("a result of step {} without an intent", entry.step_key));
  }

  /// The key under which a provider or a tool may know an effect again is made of step and attempt.
  void check_intent(const Entry& entry) {
    intents_.insert(entry.step_key);
    if (entry.attempt > 0 && !attempts_.emplace(entry.step_key, entry.attempt).second)
      note(entry, fmt::format("attempt {} of step {} is intended twice", entry.attempt, entry.step_key));
  }

  void check_child(const Entry& entry) {
    if (entry.kind == Kind::snapshot)
      for (const auto& key : children_)
        if (!ended_children_.contains(key) && !failed_children_.contains(key))
          note(entry, fmt::format("a snapshot while child {} is under way", key));
    // One that failed for a passing reason: said in a note, and not for good.
    if (entry.kind == Kind::note && children_.contains(entry.step_key))
      failed_children_.insert(entry.step_key);
    if (entry.kind == Kind::child_start) {
      children_.insert(entry.step_key);
      failed_children_.erase(entry.step_key);
    }
    if (entry.kind != Kind::child_end) return;
    if (!children_.contains(entry.step_key))
      note(entry, fmt::format("child {} ended without being started", entry.step_key));
    if (!ended_children_.insert(entry.step_key).second)
      note(entry, fmt::format("child {} ended twice", entry.step_key));
  }

  const RunRow& run_;
  std::vector<std::string> found_;
  std::set<std::string> intents_, timers_, results_, children_, ended_children_, failed_children_;
  std::set<std::pair<std::string, std::uint32_t>> attempts_;
  std::uint64_t seq_ = 0, lsn_ = 0, epoch_ = 0;
  bool ended_ = false, cancelled_ = false;
};

}  // namespace

std::vector<std::string> check_history(const RunRow& run, std::span<const Entry> history) {
  HistoryWalk walk(run);
  for (const auto& entry : history) walk.see(entry);
  return walk.finish();
}

}  // namespace troupe::journal
