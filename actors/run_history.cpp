#include "actors/run_history.hpp"

#include "runtime/policy/run_budget.hpp"
#include "runtime/protocol/run_values.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::actors {
using policy::operator+;
namespace {

std::unexpected<Error> damaged(const journal::Entry& entry) {
  return fail(Errc::storage,
              fmt::format("entry {} of run {} ({}) cannot be read", entry.seq, entry.run_id, entry.step_key));
}

}  // namespace

Result<RunHistory> RunHistory::read(const std::vector<journal::Entry>& entries) {
  RunHistory history;
  for (const auto& entry : entries)
    if (auto added = history.add(entry); !added) return std::unexpected(added.error());
  return history;
}

Result<void> RunHistory::add(const journal::Entry& entry) {
  last_seq_ = entry.seq;
  switch (entry.kind) {
    case journal::Kind::start: started_ = entry.at; return {};
    case journal::Kind::intent: {
      auto note = read_intent(entry.payload);
      if (!note) return damaged(entry);
      begin(entry, note->reserved, note->of);
      return {};
    }
    case journal::Kind::child_start: {
      auto note = read_child(entry.payload);
      if (!note) return damaged(entry);
      begin(entry, policy::taken_by_slice(note->slice), IntentOf::model);
      begun_[entry.step_key].slice = note->slice;
      begun_[entry.step_key].child = true;
      return {};
    }
    case journal::Kind::timer_set: set_.insert(entry.step_key); return {};
    case journal::Kind::timer_fired: fired_[entry.step_key] = {entry.seq, entry.at}; return {};
    case journal::Kind::signal_in:
      signals_[entry.step_key].push_back({entry.seq, entry.at, {entry.payload}});
      if (entry.input_hash != 0) signal_ids_.push_back(entry.input_hash);
      return {};
    case journal::Kind::failure:
    case journal::Kind::result:
    case journal::Kind::child_end: return add_result(entry);
    case journal::Kind::cancel:
    case journal::Kind::done:
    case journal::Kind::version_mark: return {};
    case journal::Kind::note: return add_note(entry);
    case journal::Kind::snapshot: {
      auto note = read_snapshot(entry.payload);
      if (!note) return damaged(entry);
      *this = after(std::move(*note), entry.seq);
      return {};
    }
  }
  return {};
}

RunHistory RunHistory::after(SnapshotNote note, std::uint64_t seq) {
  RunHistory history;
  history.last_seq_ = seq;
  history.started_ = note.started;
  history.stage_ = note.stage;
  history.signal_ids_ = note.signal_ids;
  for (const auto& signal : note.signals)
    history.signals_[signal.name].push_back({0, signal.at, signal.json});
  history.snapshot_ = std::move(note);
  return history;
}

void RunHistory::begin(const journal::Entry& entry, const Budget& reserved, IntentOf of) {
  auto& begun = begun_[entry.step_key];
  if (begun.times++ > 0) {
    begun.reserved_before = begun.reserved_before + begun.reserved_last;
  }
  begun.reserved_last = reserved;
  begun.noted = false;
  begun.tool = of == IntentOf::tool;
}

Result<void> RunHistory::add_note(const journal::Entry& entry) {
  auto note = read_note(entry.payload);
  // Of a newer kind, or somebody else's: nothing depends on a note.
  if (!note) return {};
  if (const auto* said = std::get_if<StageNote>(&*note)) stage_ = std::max(stage_, said->stage);
  auto begun = begun_.find(entry.step_key);
  const auto* failed = std::get_if<FailedNote>(&*note);
  // A child that could not be started yet keeps its slice.
  if (failed == nullptr || begun == begun_.end() || begun->second.child) return {};
  begun->second.noted = true;
  if (!failed->unknown) begun->second.reserved_last = failed->used;
  return {};
}

Result<void> RunHistory::add_result(const journal::Entry& entry) {
  if (entry.kind == journal::Kind::failure) {
    auto error = protocol::from_bytes<Error>(entry.payload);
    if (!error) return damaged(entry);
    record(entry, std::move(*error));
    return {};
  }
  ++results_;
  if (entry.kind == journal::Kind::child_end) {
    auto outcome = read_outcome(entry.payload);
    if (!outcome) return damaged(entry);
    if (outcome->end) outcome->end->replayed = true;
    record(entry, std::move(*outcome));
  } else if (!begun_.contains(entry.step_key)) {
    // Only what acts outside the run has an intent; everything else records its JSON as it is.
    record(entry, JsonText{entry.payload});
  } else if (begun_[entry.step_key].tool) {
    auto output = protocol::from_bytes<ToolOutput>(entry.payload);
    if (!output) return damaged(entry);
    record(entry, std::move(*output));
  } else {
    auto answer = protocol::from_bytes<Answer>(entry.payload);
    if (!answer) return damaged(entry);
    answer->replayed = true;
    attempts_.insert(attempts_.end(), answer->attempts.begin(), answer->attempts.end());
    record(entry, std::move(*answer));
  }
  return {};
}

void RunHistory::record(const journal::Entry& entry, What what) {
  recorded_.insert_or_assign(entry.step_key,
                             Recorded{entry.seq, entry.input_hash, entry.at, std::move(what)});
}

const RunHistory::Recorded* RunHistory::find(const std::string& key) const {
  auto it = recorded_.find(key);
  return it == recorded_.end() ? nullptr : &it->second;
}

RunHistory::Begun RunHistory::begun(const std::string& key) const {
  auto it = begun_.find(key);
  return it == begun_.end() ? Begun{} : it->second;
}

std::vector<std::string> RunHistory::open() const {
  std::vector<std::string> out;
  for (const auto& [key, begun] : begun_)
    if (!recorded_.contains(key)) out.push_back(key);
  return out;
}

RunHistory::Fired RunHistory::timer_fired(const std::string& key) const {
  auto it = fired_.find(key);
  return it == fired_.end() ? Fired{} : it->second;
}

std::vector<std::string> RunHistory::keys() const {
  std::vector<std::string> out;
  for (const auto& [key, recorded] : recorded_) out.push_back(key);
  return out;
}

}  // namespace troupe::actors
