// The names of entry kinds and run states, and what a store need not do better.
#include "runtime/journal/journal.hpp"

#include <algorithm>
#include <iterator>

namespace troupe::journal {

const char* to_string(Kind kind) {
  switch (kind) {
    case Kind::start: return "start";
    case Kind::intent: return "intent";
    case Kind::result: return "result";
    case Kind::failure: return "failure";
    case Kind::timer_set: return "timer_set";
    case Kind::timer_fired: return "timer_fired";
    case Kind::signal_in: return "signal_in";
    case Kind::cancel: return "cancel";
    case Kind::done: return "done";
    case Kind::child_start: return "child_start";
    case Kind::child_end: return "child_end";
    case Kind::version_mark: return "version_mark";
    case Kind::note: return "note";
    case Kind::snapshot: return "snapshot";
  }
  return "unknown";
}

const char* to_string(RunState state) {
  switch (state) {
    case RunState::running: return "running";
    case RunState::done: return "done";
    case RunState::failed: return "failed";
    case RunState::cancelled: return "cancelled";
  }
  return "unknown";
}

Result<std::vector<Entry>> Journal::history_since_snapshot(const std::string& run_id) {
  auto all = history(run_id);
  if (!all) return all;
  auto last = std::find_if(all->rbegin(), all->rend(),
                           [](const Entry& entry) { return entry.kind == Kind::snapshot; });
  if (last != all->rend()) all->erase(all->begin(), std::prev(last.base()));
  return all;
}

Result<std::uint64_t> Journal::compact(const std::string&, std::uint64_t) {
  return fail(Errc::unsupported, "this journal compacts nothing");
}

}  // namespace troupe::journal
