// What a node's caretaker does: takes up what others left behind, wakes what is due, hands over signals;
// never more at once than the node can hold, and only what its code can go on with.
#include "actors/run_host.hpp"

#include "runtime/base/log.hpp"
#include "runtime/journal/membership.hpp"

#include <fmt/format.h>
#include <caf/send.hpp>

#include <algorithm>

namespace troupe::actors {
namespace {

/// Taken up or woken in one go; then others get their turn.
constexpr std::size_t kTakenUpAtOnce = 256;
constexpr std::size_t kWokenAtOnce = 1024;
/// While more runs than this go, those that are due are woken by kTakenUpAtOnce a second.
constexpr std::size_t kGoingWhileWaking = 8192;
constexpr std::size_t kSignalsAtOnce = 256;
/// One slice at a time: what is due must not wait for what is over.
constexpr std::uint64_t kForgottenAtOnce = 1;

RunSpec spec_of(const journal::RunRow& row) {
  RunSpec spec;
  spec.workflow = row.workflow;
  spec.run_id = row.run_id;
  spec.tenant = row.tenant;
  return spec;
}

std::string other_version(const journal::RunRow& row) {
  return fmt::format("it is of version '{}' of {}, which is not served here", row.version, row.workflow);
}

}  // namespace

// ---- what this node's code can go on with (M14) ----

bool RunHost::serves(const std::string& workflow, const std::string& version) const {
  auto type = types_.find(workflow);
  if (type == types_.end()) return false;
  return type->second.version == version || (type->second.migrates && type->second.migrates(version));
}

void RunHost::leave_alone(const std::string& run_id, const Error& why) {
  if (left_alone_.emplace(run_id, why.what).second)
    log::warn("runs", fmt::format("run {} cannot go on here: {}", run_id, why.what));
}

void RunHost::tell_waiting(std::vector<journal::RunKind> waiting) {
  std::set<std::pair<std::string, std::string>> kinds;
  for (const auto& kind : waiting) {
    kinds.emplace(kind.workflow, kind.version);
    if (!waiting_.contains({kind.workflow, kind.version}))
      log::warn("runs", fmt::format("{} runs of version '{}' of {} wait for a node that serves it", kind.runs,
                                    kind.version, kind.workflow));
  }
  waiting_ = std::move(kinds);
}

std::string RunHost::why_waiting(const journal::RunRow& row) const {
  std::lock_guard lock(mutex_);
  if (row.state != journal::RunState::running || going_.contains(row.run_id)) return {};
  if (auto it = left_alone_.find(row.run_id); it != left_alone_.end()) return it->second;
  return waiting_.contains({row.workflow, row.version}) ? other_version(row) : std::string();
}

// ---- what others left behind ----

Result<std::vector<journal::RunRow>> RunHost::mine_undriven() {
  std::size_t limit = 0;
  {
    std::lock_guard lock(mutex_);
    // Those that go, or cannot, are found too and must not fill the answer.
    if (!all_taken_up_) limit = kTakenUpAtOnce + going_.size() + left_alone_.size();
    all_taken_up_ = true;
  }
  if (limit == 0) return std::vector<journal::RunRow>();
  auto mine = parts_.journal->unfinished(parts_.node, limit);
  std::lock_guard lock(mutex_);
  if (!mine || mine->size() == limit) all_taken_up_ = false;
  return mine;
}

Result<std::vector<journal::RunRow>> RunHost::left_behind() {
  auto rows = mine_undriven();
  auto* membership = parts_.journal->membership();
  if (!rows || membership == nullptr) return rows;
  std::vector<journal::RunKind> waiting;
  auto serves_kind = [this](const journal::RunKind& kind) {
    std::lock_guard lock(mutex_);
    return serves(kind.workflow, kind.version);
  };
  auto taken = membership->take_over_served(kTakenUpAtOnce, serves_kind, &waiting);
  if (!taken) return taken;
  std::lock_guard lock(mutex_);
  tell_waiting(std::move(waiting));
  for (auto& row : *taken) rows->push_back(std::move(row));
  return rows;
}

// Parked ones wait on, and are woken by their time or a signal.
Result<std::size_t> RunHost::resume() {
  auto rows = left_behind();
  if (!rows) return std::unexpected(rows.error());
  // First, so that what was called off meanwhile is not gone on with.
  if (!rows->empty()) take_signals();
  std::size_t begun = 0;
  std::lock_guard lock(mutex_);
  for (const auto& row : *rows) {
    if (row.wake != WallTime{} || going_.contains(row.run_id) || left_alone_.contains(row.run_id)) continue;
    // Not even claimed: who serves its version may take it over.
    auto ok = types_.contains(row.workflow) && !serves(row.workflow, row.version)
                  ? fail(Errc::unsupported, other_version(row))
                  : begin(spec_of(row), {});
    if (ok) ++begun;
    if (!ok) leave_alone(row.run_id, ok.error());
  }
  return begun;
}

bool RunHost::resume_more(bool at_once) {
  if (at_once && going() >= kGoingWhileWaking) return true;
  auto begun = resume();
  if (!begun) log::error("runs", begun.error().what);
  return begun && *begun >= kTakenUpAtOnce;
}

// ---- what is due ----

bool RunHost::wake_due(bool all, bool at_once) {
  std::size_t most = at_once ? kWokenAtOnce : kTakenUpAtOnce, limit = 0;
  {
    std::lock_guard lock(mutex_);
    if (at_once && going_.size() >= kGoingWhileWaking) return true;
    // Those that were woken a moment ago are found too, until that is recorded; and one tells of more.
    limit = most + 1 + going_.size() + left_alone_.size();
  }
  auto due = parts_.journal->due(parts_.clock->wall(), limit);
  if (!due) return log::error("runs", "nobody is woken: " + due.error().what), false;
  {
    std::lock_guard lock(mutex_);
    std::erase_if(*due, [&](const std::string& id) {
      return going_.contains(id) || left_alone_.contains(id) || (!all && !parked_.contains(id));
    });
  }
  bool more = due->size() > most;
  due->resize(std::min(due->size(), most));
  for (const auto& run_id : *due) wake(run_id);
  return more;
}

bool RunHost::wake(const std::string& run_id) {
  auto row = parts_.journal->run(run_id);
  std::lock_guard lock(mutex_);
  return wake_row(run_id, row);
}

bool RunHost::wake_row(const std::string& run_id, const Result<std::optional<journal::RunRow>>& row) {
  if (going_.contains(run_id)) return true;
  if (!row || !*row || (*row)->state != journal::RunState::running) return false;
  auto begun = types_.contains((*row)->workflow) && !serves((*row)->workflow, (*row)->version)
                   ? fail(Errc::unsupported, other_version(**row))
                   : begin(spec_of(**row), {});
  if (!begun) leave_alone(run_id, begun.error());
  return begun.has_value();
}

// ---- what is old ----

bool RunHost::forget_old() {
  if (parts_.retention == Duration{}) return false;
  auto age = std::chrono::duration_cast<std::chrono::milliseconds>(parts_.retention).count();
  auto gone = parts_.journal->forget({parts_.clock->wall().ms - age}, {}, kForgottenAtOnce);
  if (!gone) return log::error("runs", "nothing is forgotten: " + gone.error().what), false;
  if (*gone > 0) log::info("runs", fmt::format("{} runs that ended long ago are forgotten", *gone));
  return *gone > 0;
}

// ---- signals ----

// False when it is for a run that has to be woken first, and the node has its hands full.
bool RunHost::hand_over(journal::SignalRow signal, bool full) {
  const auto& run_id = signal.run_id;
  auto it = going_.find(run_id);
  if (it == going_.end() && !left_alone_.contains(run_id)) {
    if (full) return false;
    if (wake_row(run_id, parts_.journal->run(run_id))) it = going_.find(run_id);
  }
  if (it == going_.end()) return true;
  if (signal.name == journal::kCancelSignal) return caf::anon_send(it->second.actor, CancelRun{false}), true;
  caf::anon_send(it->second.actor,
                 SignalRun{std::move(signal.name), std::move(signal.json), signal.id, signal.number});
  return true;
}

bool RunHost::take_signals() {
  for (;;) {
    std::uint64_t after = 0;
    {
      std::lock_guard lock(mutex_);
      after = signals_from_;
    }
    auto rows = parts_.journal->inbox(after, kSignalsAtOnce);
    if (!rows) return log::error("runs", "no signal is taken up: " + rows.error().what), false;
    std::lock_guard lock(mutex_);
    for (auto& row : *rows) {
      auto number = row.number;
      if (!hand_over(std::move(row), going_.size() >= kGoingWhileWaking)) return true;
      signals_from_ = number;
    }
    if (rows->size() == kSignalsAtOnce) continue;
    // Those that could not be recorded are found again from the beginning.
    signals_from_ = 0;
    return false;
  }
}

}  // namespace troupe::actors
