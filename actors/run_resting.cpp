// A run's resting points: its workflow's own account of where it stands, after which the past is not needed.
#include "actors/run_driver.hpp"

#include "actors/run_record.hpp"
#include "actors/run_spending.hpp"
#include "runtime/base/crash_point.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::actors {
namespace {

Error not_at_rest(const std::string& key) {
  return make_error(Errc::invalid_input,
                    fmt::format("a snapshot while step {} is under way: wait for it first", key));
}

}  // namespace

void RunDriver::snapshot(JsonText state, std::function<void(Result<void>)> done) {
  // It stands at the head of the loop, and this is where it came from: what was done since is yet to be
  // given.
  bool same = at_rest_ && (history_.moved() || state == restored_);
  at_rest_ = false;
  if (same) return answer<void>(done, {});
  if (!open_.empty()) return answer<void>(done, std::unexpected(not_at_rest(*open_.begin())));
  if (resting_) return answer<void>(done, fail(Errc::invalid_input, "two snapshots at once"));
  resting_ = Resting{std::move(state), std::move(done)};
}

// Two things begun at once, one of them the snapshot.
void RunDriver::refuse_rest(const std::string& key) {
  auto resting = *std::exchange(resting_, std::nullopt);
  answer<void>(resting.done, std::unexpected(not_at_rest(key)));
}

std::optional<Error> RunDriver::unfit_for_rest(const SnapshotNote& note) const {
  for (const auto& key : history_.open())
    if (history_.begun(key).child && !used_.contains(key))
      return make_error(
          Errc::invalid_input,
          fmt::format("a snapshot while child {} of an earlier life is under way, which this code "
                      "does not ask for",
                      key));
  if (note.state.text.size() > kSnapshotBytesMax)
    return make_error(Errc::invalid_input, fmt::format("a snapshot of {} bytes: the most is {}",
                                                       note.state.text.size(), kSnapshotBytesMax));
  std::size_t waiting = 0;
  for (const auto& signal : note.signals) waiting += signal.json.text.size() + signal.name.size();
  if (waiting <= kSnapshotBytesMax) return std::nullopt;
  return make_error(Errc::invalid_input,
                    fmt::format("a snapshot with {} bytes of signals nobody has taken: the most is {}",
                                waiting, kSnapshotBytesMax));
}

// By the order of commits, signals that are written but not yet known to be recorded belong to what lies
// before the snapshot.
std::vector<SnapshotNote::Signal> RunDriver::signals_waiting() const {
  std::vector<SnapshotNote::Signal> out;
  for (const auto& [name, waiting] : inbox_)
    for (const auto& signal : waiting) out.push_back({name, signal.at, signal.json});
  for (const auto& coming : signals_coming_) out.push_back(coming.signal);
  std::ranges::stable_sort(out, {}, &SnapshotNote::Signal::name);
  return out;
}

AttemptSums RunDriver::attempts_so_far() const {
  auto listed = spent_on(attempts_);
  return {earlier_.attempts + attempts_.size(), earlier_.tokens_in + listed.tokens_in,
          earlier_.tokens_out + listed.tokens_out, earlier_.usd + listed.usd};
}

SnapshotNote RunDriver::note_of(JsonText state) const {
  SnapshotNote note;
  note.number = snapshots_ + 1;
  note.version = config_.version;
  note.state = std::move(state);
  note.started = history_.started();
  note.spent = budget_.view({}).spent;
  note.refused = budget_.refused();
  note.stage = said_;
  note.steps = done_;
  note.attempts = attempts_so_far();
  note.signals = signals_waiting();
  note.signal_ids.assign(signal_order_.begin(), signal_order_.end());
  return note;
}

void RunDriver::settle_unasked() {
  for (const auto& key : history_.keys()) {
    if (!first_use(key)) continue;
    note_drift(key + ": not asked");
    settle_recorded(budget_, history_, key, *history_.find(key));
  }
}

bool RunDriver::rest() {
  if (!resting_ || stopping_ || !in_flight_.empty()) return false;
  auto resting = *std::exchange(resting_, std::nullopt);
  count_unknown();
  settle_unasked();
  auto note = note_of(std::move(resting.state));
  if (auto unfit = unfit_for_rest(note)) {
    answer<void>(resting.done, std::unexpected(*std::move(unfit)));
    return true;
  }
  auto entry = pen_.entry(journal::Kind::snapshot, {}, {});
  note.now = std::max(now_, entry.at);
  entry.payload = to_payload(note);
  crash_point("snapshot.before_entry");
  pen_.commit(entry, [this, note, seq = entry.seq, done = std::move(resting.done)](Result<void> committed) {
    crash_point("snapshot.after_entry");
    if (committed) begin_anew(note, seq);
    done(std::move(committed));
  });
  return true;
}

void RunDriver::begin_anew(SnapshotNote note, std::uint64_t seq) {
  now_ = std::max(now_, note.now);
  snapshots_ = note.number;
  earlier_ = note.attempts;
  auto cap = budget_.cap();
  budget_ = policy::RunBudget(cap);
  budget_.carry(note.spent, note.refused);
  attempts_.clear();
  used_.clear();
  abandoned_.clear();
  signals_sent_.clear();
  history_ = RunHistory::after(std::move(note), seq);
}

std::uint64_t RunDriver::coming(const journal::Entry& signal) {
  signals_coming_.push_back({signal.seq, {signal.step_key, signal.at, {signal.payload}}});
  if (signal.input_hash != 0) remember_signal(signal.input_hash);
  return signal.seq;
}

void RunDriver::remember_signal(std::uint64_t id) {
  signal_order_.push_back(id);
  if (signal_order_.size() <= kSignalIdsKept) return;
  signal_ids_.erase(signal_order_.front());
  signal_order_.pop_front();
}

}  // namespace troupe::actors
