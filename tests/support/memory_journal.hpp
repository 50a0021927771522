// A journal in memory whose disk the test holds: what is durable, what is acknowledged and what is lost is
// its choice.
#pragma once

#include "runtime/base/clock.hpp"
#include "runtime/journal/check.hpp"
#include "runtime/journal/journal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace troupe::journal::testing {

/// One thread. Keeps the rules of fencing and order that Journal promises.
class MemoryJournal final : public Journal {
 public:
  void append(Batch batch, Committed committed) override {
    pending_.push_back({std::move(batch), std::move(committed)});
  }

  Result<RunRow> claim(RunRow row) override {
    auto [it, fresh] = runs_.try_emplace(row.run_id, row);
    if (fresh) it->second.epoch = 0;
    ++it->second.epoch;
    bool moves = it->second.state == RunState::running && !row.node.empty();
    if (moves) it->second.node = row.node;
    return it->second;
  }
  void claim_then(RunRow row, std::function<void(Result<RunRow>)> claimed) override {
    claims_.push_back([this, row = std::move(row), claimed = std::move(claimed)] {
      claimed(refuse_claims ? Result<RunRow>(fail(Errc::refused, "the queue is full")) : claim(row));
    });
    if (!hold_claims) answer_claims();
  }
  Result<std::optional<RunRow>> run(const std::string& run_id) override {
    auto it = runs_.find(run_id);
    return it == runs_.end() ? std::nullopt : std::optional(it->second);
  }
  Result<std::vector<RunRow>> runs(std::size_t, const RunFilter& filter) override {
    return select([&](const RunRow& row) {
      return (!filter.state || row.state == *filter.state) &&
             (filter.workflow.empty() || row.workflow == filter.workflow) &&
             (filter.parent.empty() || row.parent == filter.parent) &&
             (filter.tenant.empty() || row.tenant == filter.tenant);
    });
  }
  Result<std::vector<RunRow>> children(const std::string& run_id) override {
    return select([&](const RunRow& row) { return row.parent == run_id; });
  }
  Result<std::vector<std::string>> due(WallTime until, std::size_t limit) override {
    auto rows = select([&](const RunRow& row) {
      return row.state == RunState::running && row.wake.ms > 0 && row.wake.ms <= until.ms &&
             row.wake.ms < kWakeBySignal.ms;
    });
    std::ranges::stable_sort(rows, {}, [](const RunRow& row) { return row.wake.ms; });
    std::vector<std::string> out;
    for (const auto& row : rows)
      if (out.size() < limit) out.push_back(row.run_id);
    return out;
  }
  Result<std::vector<RunRow>> unfinished(const std::string& node, std::size_t limit) override {
    auto rows = select([&](const RunRow& row) {
      return row.state == RunState::running && row.wake.ms == 0 && (node.empty() || row.node == node);
    });
    if (rows.size() > limit) rows.resize(limit);
    return rows;
  }
  Result<std::uint64_t> forget(WallTime finished_before, const std::string& workflow,
                               std::uint64_t enough) override {
    std::uint64_t removed = 0;
    std::erase_if(runs_, [&](const auto& each) {
      const auto& row = each.second;
      bool old = (row.state == RunState::done || row.state == RunState::cancelled) &&
                 row.finished.ms < finished_before.ms && (workflow.empty() || row.workflow == workflow) &&
                 removed < enough;
      if (old) entries_.erase(row.run_id);
      removed += old ? 1 : 0;
      return old;
    });
    return removed;
  }
  Result<std::uint64_t> compact(const std::string& run_id, std::uint64_t seq) override {
    std::uint64_t last = 0;
    for (const auto& entry : entries_[run_id])
      if (entry.kind == Kind::snapshot && (seq == 0 || entry.seq == seq)) last = entry.seq;
    if (last == 0 && seq != 0) return fail(Errc::invalid_input, "that is no snapshot");
    return std::erase_if(entries_[run_id], [last](const Entry& entry) { return entry.seq < last; });
  }
  Result<void> post(SignalRow signal) override {
    auto it = runs_.find(signal.run_id);
    if (it == runs_.end()) return fail(Errc::not_found, "no such run");
    if (it->second.state == RunState::done || it->second.state == RunState::cancelled)
      return fail(Errc::invalid_input, "it has ended");
    if (signal.name == kCancelSignal && it->second.state != RunState::running)
      return fail(Errc::invalid_input, "it has failed");
    signal.number = ++signals_posted_;
    if (signal.id == 0) signal.id = signal.number;
    bool known = std::ranges::any_of(
        inbox_, [&](const SignalRow& row) { return row.run_id == signal.run_id && row.id == signal.id; });
    if (!known) inbox_.push_back(std::move(signal));
    return {};
  }
  Result<std::vector<SignalRow>> inbox(std::uint64_t after, std::size_t limit) override {
    std::vector<SignalRow> out;
    for (const auto& row : inbox_)
      if (row.number > after && out.size() < limit && runs_.at(row.run_id).state == RunState::running)
        out.push_back(row);
    return out;
  }
  Result<std::vector<Entry>> history(const std::string& run_id) override { return entries_[run_id]; }
  Result<std::vector<UsageRow>> usage(const UsageFilter&) override { return usage_; }
  /// One row for each attempt, which is as good as sums to who adds up.
  Result<std::vector<CostRow>> cost(const std::string& by, const UsageFilter&) override {
    std::vector<CostRow> out;
    for (const auto& row : usage_) {
      auto hour = fmt::format("{}T{:02}:00:00Z", to_date(row.started), row.started.ms / 3'600'000 % 24);
      CostRow sum;
      sum.usd = row.usd;
      if (by == "hour,feature,tenant") sum.keys = {hour, row.feature, row.tenant};
      if (!sum.keys.empty()) out.push_back(std::move(sum));
    }
    return out;
  }
  Result<std::vector<BreakerRow>> breakers(WallTime) override { return breakers_; }
  Result<std::vector<BreakerMemoryRow>> breaker_memories() override {
    std::vector<BreakerMemoryRow> out;
    for (const auto& [endpoint, row] : memories_) out.push_back(row);
    return out;
  }
  Result<std::vector<ControlRow>> controls(WallTime) override { return controls_; }
  Result<std::optional<DecisionRow>> decision(const std::string& id) override {
    auto it = std::ranges::find(decisions_, id, &DecisionRow::id);
    return it == decisions_.end() ? std::nullopt : std::optional(*it);
  }
  Result<std::vector<ExposureCount>> exposures() override {
    std::map<std::pair<std::string, std::string>, ExposureCount> sums;
    std::set<std::tuple<std::string, std::uint64_t, std::uint64_t>> seen;
    for (const auto& row : exposures_) {
      if (!seen.emplace(row.experiment, row.version, row.unit).second) continue;
      auto& sum = sums[{row.experiment, row.arm}];
      sum = {row.experiment, row.version, row.arm, sum.units + 1, row.at, row.at};
    }
    std::vector<ExposureCount> out;
    for (const auto& [key, sum] : sums) out.push_back(sum);
    return out;
  }
  Result<std::vector<std::string>> check() override {
    std::vector<std::string> found;
    for (const auto& [id, row] : runs_) {
      for (auto& fault : check_history(row, entries_[id])) found.push_back(std::move(fault));
      auto parent = runs_.find(row.parent);
      if (row.state == RunState::running && parent != runs_.end() &&
          parent->second.state != RunState::running)
        found.push_back(fmt::format("run {} has ended, but its child {} is running", row.parent, id));
    }
    return found;
  }

  // ---- the test's side ----

  std::size_t pending() const { return pending_.size(); }
  /// The oldest waiting batch becomes durable, or is refused, and its writer hears of it.
  void commit_next() {
    auto [batch, committed] = take();
    committed(write(batch));
  }
  /// Writes at once what another journal over this one has taken.
  Result<void> apply(const Batch& batch) { return write(batch); }
  /// Off: late writers are not refused. Only to show what the fences are for.
  bool fences = true;
  /// Durable, but the process dies before anyone hears of it.
  void commit_unheard() { (void)write(take().batch); }
  /// The oldest waiting batch never reaches the disk, and its writer is told so.
  void fail_next() { take().committed(fail(Errc::storage, "the disk is full")); }
  /// What waited is gone with the process.
  void crash() {
    pending_.clear();
    claims_.clear();
  }
  /// Claims are made, or refused, when the test says so.
  bool hold_claims = false, refuse_claims = false;
  void answer_claims() {
    for (auto& claim : std::exchange(claims_, {})) claim();
  }
  /// "start", "intent KEY", "result KEY" ... as they became durable.
  std::vector<std::string> story;
  std::set<std::string> results(const std::string& run_id) const {
    auto it = results_.find(run_id);
    return it == results_.end() ? std::set<std::string>() : it->second;
  }

 private:
  template <class Wanted>
  std::vector<RunRow> select(Wanted wanted) const {
    std::vector<RunRow> out;
    for (const auto& [id, row] : runs_)
      if (wanted(row)) out.push_back(row);
    return out;
  }

  struct Waiting {
    Batch batch;
    Committed committed;
  };
  Waiting take() {
    auto waiting = std::move(pending_.front());
    pending_.pop_front();
    return waiting;
  }

  Result<void> write(const Batch& batch) {
    if (fences && batch.run && batch.run->epoch != runs_.at(batch.run->run_id).epoch)
      return fail(Errc::storage, "fenced");
    for (const auto& entry : batch.entries)
      if (auto sound = check_entry(entry, batch); !sound) return sound;
    for (const auto& entry : batch.entries) {
      entries_[entry.run_id].push_back(entry);
      entries_[entry.run_id].back().lsn = ++lsn_;
      if (entry.kind == Kind::result) results_[entry.run_id].insert(entry.step_key);
      story.push_back(entry.step_key.empty() ? to_string(entry.kind)
                                             : fmt::format("{} {}", to_string(entry.kind), entry.step_key));
    }
    if (batch.run) put_run(*batch.run);
    for (auto number : batch.taken)
      std::erase_if(inbox_, [&](const SignalRow& row) { return row.number == number; });
    usage_.insert(usage_.end(), batch.usage.begin(), batch.usage.end());
    breakers_.insert(breakers_.end(), batch.breakers.begin(), batch.breakers.end());
    for (const auto& row : batch.breaker_memories) memories_[row.endpoint] = row;
    controls_.insert(controls_.end(), batch.controls.begin(), batch.controls.end());
    exposures_.insert(exposures_.end(), batch.exposures.begin(), batch.exposures.end());
    decisions_.insert(decisions_.end(), batch.decisions.begin(), batch.decisions.end());
    return {};
  }

  void put_run(const RunRow& row) {
    auto& kept = runs_[row.run_id];
    bool revived = kept.state == RunState::failed && row.state == RunState::running;
    if (revived)
      std::erase_if(inbox_, [&](const SignalRow& signal) {
        return signal.run_id == row.run_id && signal.name == kCancelSignal;
      });
    kept = row;
  }

  Result<void> check_entry(const Entry& entry, const Batch& batch) {
    auto run = runs_.find(entry.run_id);
    if (run == runs_.end()) return fail(Errc::invalid_input, "no such run");
    if (fences && entry.epoch != run->second.epoch) return fail(Errc::storage, "fenced");
    auto place = static_cast<std::uint64_t>(&entry - batch.entries.data());
    const auto& past = entries_[entry.run_id];
    auto last = past.empty() ? 0 : past.back().seq;
    if (entry.seq != last + place + 1) return fail(Errc::storage, "out of order");
    if (entry.kind == Kind::result && results_[entry.run_id].contains(entry.step_key))
      return fail(Errc::storage, "a second result");
    return {};
  }

  std::deque<Waiting> pending_;
  std::vector<std::function<void()>> claims_;
  std::map<std::string, RunRow> runs_;
  std::map<std::string, std::vector<Entry>> entries_;
  std::map<std::string, std::set<std::string>> results_;
  std::vector<UsageRow> usage_;
  std::vector<BreakerRow> breakers_;
  std::map<std::string, BreakerMemoryRow> memories_;
  std::vector<ControlRow> controls_;
  std::vector<ExposureRow> exposures_;
  std::vector<DecisionRow> decisions_;
  std::uint64_t lsn_ = 0;
  std::vector<SignalRow> inbox_;
  std::uint64_t signals_posted_ = 0;
};

}  // namespace troupe::journal::testing
