#include "actors/audit_run.hpp"

#include "actors/run_snapshot.hpp"
#include "actors/run_spending.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/protocol/run_values.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

namespace troupe::actors {
namespace {

using Findings = std::vector<std::string>;

bool same_amount(double a, double b) {
  return std::abs(a - b) <= 1e-6 * std::max({std::abs(a), std::abs(b), 1.0});
}

bool same_spent(const Budget& a, const Budget& b) {
  return same_amount(a.usd, b.usd) && a.tokens == b.tokens && a.calls == b.calls &&
         a.tool_calls == b.tool_calls && a.subagents == b.subagents;
}

// Goes along a history as its driver once did: what is set aside, what is settled.
class HistoryAudit {
 public:
  HistoryAudit(const journal::RunRow& row, Budget cap, Findings& out)
      : row_(row), cap_(cap), budget_(cap), bounded_(cap != Budget{}), out_(out) {}

  void see(const journal::Entry& entry) {
    if (entry.epoch != epoch_) new_life(entry.epoch);
    walked_ = walked_ || entry.kind != journal::Kind::snapshot;
    switch (entry.kind) {
      case journal::Kind::intent: return on_intent(entry);
      case journal::Kind::child_start: return on_child(entry);
      case journal::Kind::result:
      case journal::Kind::failure:
      case journal::Kind::child_end:
      case journal::Kind::note: return on_outcome(entry);
      case journal::Kind::done:
      case journal::Kind::cancel: return on_end();
      case journal::Kind::snapshot: return on_snapshot(entry);
      default: return;
    }
  }

 private:
  struct Step {
    Budget reserved;
    bool child = false, tool = false, open = false;
    std::uint64_t epoch = 0;
    std::uint32_t attempt = 0;
  };

  void note(const std::string& what) { out_.push_back(fmt::format("run {}: {}", row_.run_id, what)); }

  void new_life(std::uint64_t epoch) {
    epoch_ = epoch;
    unknown_counted_ = false;
  }

  // What earlier lives left under way counts as spent before anything new begins.
  void count_unknown() {
    if (std::exchange(unknown_counted_, true)) return;
    for (auto& [key, step] : steps_)
      if (step.open && !step.child && step.epoch != epoch_) budget_.write_off(key);
  }

  void set_aside(const journal::Entry& entry, const Budget& amount) {
    count_unknown();
    auto broken = bounded_ ? budget_.broken_by(amount, {}) : std::nullopt;
    if (broken)
      note(fmt::format("entry {} sets aside for step {} what its budget of {} did not have", entry.seq,
                       entry.step_key, *broken));
    budget_.reserve(entry.step_key, amount);
    auto& step = steps_[entry.step_key];
    step.reserved = amount;
    step.open = true;
    step.epoch = entry.epoch;
  }

  void on_intent(const journal::Entry& entry) {
    auto intent = read_intent(entry.payload);
    if (!intent) return note(fmt::format("the intent of step {} cannot be read", entry.step_key));
    auto last = steps_[entry.step_key].attempt;
    if (entry.attempt != last + 1)
      note(fmt::format("step {} has attempt {} after {}", entry.step_key, entry.attempt, last));
    set_aside(entry, intent->reserved);
    auto& step = steps_[entry.step_key];
    step.attempt = entry.attempt;
    step.tool = intent->of == IntentOf::tool;
  }

  void on_child(const journal::Entry& entry) {
    auto child = read_child(entry.payload);
    if (!child) return note(fmt::format("the start of child {} cannot be read", entry.step_key));
    set_aside(entry, policy::taken_by_slice(child->slice));
    steps_[entry.step_key].child = true;
  }

  void on_outcome(const journal::Entry& entry) {
    auto it = steps_.find(entry.step_key);
    if (it == steps_.end()) return;
    auto& step = it->second;
    // A child that could not be started keeps its slice.
    bool keeps = step.child && entry.kind == journal::Kind::note;
    // The note beside a failure has settled it.
    if (step.open && !keeps) settle(entry, step);
    step.open = false;
  }

  void settle(const journal::Entry& entry, const Step& step) {
    auto used = used_by(entry, step);
    if (used) return budget_.settle(entry.step_key, *used);
    budget_.write_off(entry.step_key);
  }

  // Nothing: nobody knows.
  std::optional<Budget> used_by(const journal::Entry& entry, const Step& step) const {
    Budget one;
    (step.tool ? one.tool_calls : one.calls) = 1;
    if (entry.kind == journal::Kind::note) {
      auto noted = read_note(entry.payload);
      const auto* failed = noted ? std::get_if<FailedNote>(&*noted) : nullptr;
      if (failed == nullptr || failed->unknown) return std::nullopt;
      return failed->used;
    }
    if (step.child) {
      auto outcome = read_outcome(entry.payload);
      return outcome ? std::optional(outcome->spent) : std::nullopt;
    }
    if (entry.kind == journal::Kind::result && !step.tool) {
      auto answer = protocol::from_bytes<Answer>(entry.payload);
      return answer ? std::optional(used_by_call(answer->attempts)) : std::nullopt;
    }
    auto error = entry.kind == journal::Kind::failure ? protocol::from_bytes<Error>(entry.payload)
                                                      : fail(Errc::internal, "");
    if (error && error->maybe_billed && !step.tool) return std::nullopt;
    return one;
  }

  // What a run goes on from is what it had come to; of what was compacted only the account is left.
  void on_snapshot(const journal::Entry& entry) {
    count_unknown();
    auto note = read_snapshot(entry.payload);
    if (!note) return this->note(fmt::format("snapshot {} cannot be read", entry.seq));
    auto spent = budget_.view({}).spent;
    if (std::exchange(walked_, true) && !same_spent(spent, note->spent))
      this->note(fmt::format("snapshot {} says that {} tokens and ${:.6f} were used, it was {} and ${:.6f}",
                             entry.seq, note->spent.tokens, note->spent.usd, spent.tokens, spent.usd));
    for (const auto& [key, step] : steps_)
      if (step.open && !step.child && step.epoch == epoch_)
        this->note(fmt::format("snapshot {} was taken while step {} was under way", entry.seq, key));
    steps_.clear();
    budget_ = policy::RunBudget(cap_);
    budget_.carry(note->spent, note->refused);
  }

  void on_end() {
    for (const auto& [key, step] : steps_)
      if (step.open && step.epoch == epoch_)
        note(fmt::format("it has ended, but its step {} is still under way", key));
  }

  const journal::RunRow& row_;
  Budget cap_;
  policy::RunBudget budget_;
  bool bounded_, unknown_counted_ = true, walked_ = false;
  Findings& out_;
  std::map<std::string, Step> steps_;
  std::uint64_t epoch_ = 0;
};

void audit_slice(const journal::RunRow& child, const ChildNote& given, Findings& out) {
  if (child.budget == budget_json(given.slice)) return;
  out.push_back(fmt::format("run {}: its budget is not the slice that its parent {} gave it", child.run_id,
                            child.parent));
}

void audit_booking(const AuditedRun& child, const ChildOutcome& booked, Findings& out) {
  auto history = RunHistory::read(child.entries);
  if (!history) return out.push_back(history.error().what);
  auto standing = standing_of(child.row, *history, {});
  if (!standing) return;
  const auto &used = standing->spent, &said = booked.spent;
  if (same_amount(used.usd, said.usd) && used.tokens == said.tokens && used.calls == said.calls) return;
  out.push_back(fmt::format("run {}: it used {} tokens and ${:.6f}, its parent {} booked {} and ${:.6f}",
                            child.row.run_id, used.tokens, used.usd, child.row.parent, said.tokens,
                            said.usd));
}

WallTime timer_of(const journal::Entry& entry) {
  WallTime when;
  std::from_chars(entry.payload.data(), entry.payload.data() + entry.payload.size(), when.ms);
  return when;
}

// What it waits for, as far as the record says; an overdue timer is nothing to wait for.
bool waits(const AuditedRun& run, WallTime overdue) {
  auto history = RunHistory::read(run.entries);
  if (!history || !history->open().empty()) return true;
  for (const auto& entry : run.entries)
    if (entry.kind == journal::Kind::timer_set && history->timer_fired(entry.step_key).seq == 0 &&
        timer_of(entry).ms > overdue.ms)
      return true;
  return false;
}

}  // namespace

void audit_history(const AuditedRun& run, Findings& out) {
  auto cap = read_budget(run.row.budget);
  if (!cap) return out.push_back(fmt::format("run {}: its budget cannot be read", run.row.run_id));
  HistoryAudit audit(run.row, *cap, out);
  for (const auto& entry : run.entries) audit.see(entry);
}

void audit_child(const AuditedRun& parent, const AuditedRun& child, Findings& out) {
  for (const auto& entry : parent.entries) {
    if (entry.kind != journal::Kind::child_start) continue;
    auto given = read_child(entry.payload);
    if (!given || given->run_id != child.row.run_id) continue;
    audit_slice(child.row, *given, out);
    if (child.row.state != journal::RunState::done) return;
    for (const auto& end : parent.entries)
      if (end.kind == journal::Kind::child_end && end.step_key == entry.step_key)
        if (auto booked = read_outcome(end.payload)) audit_booking(child, *booked, out);
    return;
  }
  // Children of before a snapshot may have been compacted away with their beginnings.
  if (!parent.entries.empty() && parent.entries.front().kind == journal::Kind::snapshot) return;
  out.push_back(fmt::format("run {}: its parent {} never started it", child.row.run_id, parent.row.run_id));
}

void audit_liveness(const AuditedRun& run, const LivenessRule& rule, Findings& out) {
  if (run.row.state != journal::RunState::running || !rule.living.contains(run.row.node)) return;
  WallTime overdue{rule.now.ms -
                   std::chrono::duration_cast<std::chrono::milliseconds>(rule.idle_max).count()};
  if (run.row.wake != WallTime{}) {
    if (run.row.wake.ms < overdue.ms)
      out.push_back(
          fmt::format("run {}: it was to be woken at {}", run.row.run_id, to_iso8601(run.row.wake)));
    return;
  }
  auto moved = run.entries.empty() ? run.row.created : run.entries.back().at;
  if (moved.ms >= overdue.ms || waits(run, overdue)) return;
  out.push_back(fmt::format("run {}: it waits for nothing, and nothing has happened since {}", run.row.run_id,
                            to_iso8601(moved)));
}

}  // namespace troupe::actors
