// What all steps have in common, and those that stay within the run: our own work, timers, signals.
#include "actors/run_driver.hpp"

#include "actors/run_record.hpp"
#include "actors/run_spending.hpp"
#include "runtime/base/crash_point.hpp"
#include "runtime/base/log.hpp"
#include "runtime/base/rng.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::actors {
namespace {

constexpr std::size_t kDriftMax = 100;

// What a recorded step gives, if it is of the kind that is asked for.
template <class T>
Result<T> given_again(const RunHistory::What& what) {
  if (const auto* error = std::get_if<Error>(&what)) return std::unexpected(*error);
  if constexpr (std::is_same_v<T, ChildEnd>) {
    if (const auto* outcome = std::get_if<ChildOutcome>(&what)) return outcome->end;
  } else {
    if (const auto* value = std::get_if<T>(&what)) return *value;
  }
  return fail(Errc::internal, "the step of this key is recorded as a step of another kind");
}

}  // namespace

void RunDriver::take_up(RunHistory history, Budget cap) {
  history_ = std::move(history);
  now_ = history_.started();
  budget_ = policy::RunBudget(cap);
  inbox_ = history_.signals();
  for (auto id : history_.signal_ids()) signal_ids_[id] = true;
  attempts_ = history_.attempts();
  said_ = history_.stage();
  signal_order_.clear();
  for (auto id : history_.signal_ids()) remember_signal(id);
  const auto& from = history_.snapshot();
  if (!from) return;
  now_ = from->now;
  budget_.carry(from->spent, from->refused);
  snapshots_ = from->number;
  earlier_ = from->attempts;
  done_ = from->steps;
  restored_ = from->state;
  at_rest_ = true;
}

void RunDriver::ended_before() {
  ended_before_ = true;
  replayed_ = history_.results();
  done_ += replayed_;
  count_unknown();
}

// ---- the record ----

template <class T>
bool RunDriver::replay(const std::string& key, std::uint64_t hash,
                       const std::function<void(Result<T>)>& done) {
  if (!used_.insert(key).second) {
    answer<T>(done, fail(Errc::internal, "step key " + key + " was used twice in one run"));
    return true;
  }
  const auto* recorded = history_.find(key);
  if (recorded == nullptr) return false;
  if (hash != 0 && recorded->input_hash != 0 && recorded->input_hash != hash)
    note_drift(key + ": asked with another input than the one recorded");
  turns_.recorded(recorded->seq, key, [this, key, recorded, done] {
    ++replayed_;
    ++done_;
    hear_of(key, recorded->at);
    book(key, *recorded);
    done(given_again<T>(recorded->what));
  });
  return true;
}
template bool RunDriver::replay(const std::string&, std::uint64_t,
                                const std::function<void(Result<Answer>)>&);
template bool RunDriver::replay(const std::string&, std::uint64_t,
                                const std::function<void(Result<ToolOutput>)>&);
template bool RunDriver::replay(const std::string&, std::uint64_t,
                                const std::function<void(Result<ChildEnd>)>&);

void RunDriver::book(const std::string& key, const RunHistory::Recorded& recorded) {
  if (booked_.insert(key).second) settle_recorded(budget_, history_, key, recorded);
}

// A call that failed for a passing reason is made again in the next life and may succeed: what the workflow
// then did instead is never asked for again, but was paid.
void RunDriver::count_unknown() {
  if (std::exchange(unknown_counted_, true)) return;
  for (const auto& key : history_.keys()) book(key, *history_.find(key));
  settle_open(budget_, history_);
}

std::optional<Error> RunDriver::set_aside(const std::string& key, const Budget& amount) {
  auto broken = budget_.broken_by(amount, elapsed());
  if (!broken) {
    budget_.reserve(key, amount);
    return std::nullopt;
  }
  budget_.note_refusal();
  return make_error(Errc::refused,
                    fmt::format("the run's budget of {} does not allow step {}", *broken, key));
}

void RunDriver::note_stage(journal::Batch& batch) {
  if (budget_.cap() == Budget{}) return;
  auto view = budget();
  if (view.stage <= said_) return;
  said_ = view.stage;
  batch.entries.push_back(pen_.entry(journal::Kind::note, {}, to_payload(RunNote(StageNote{said_}))));
  log::warn("runs", fmt::format("run {} has used {:.0f} % of its budget, stage {}", pen_.row().run_id,
                                100 * view.used, to_string(said_)));
}

journal::Entry RunDriver::failed_note(const std::string& key, FailedNote note) {
  return pen_.entry(journal::Kind::note, key, to_payload(RunNote(std::move(note))));
}

void RunDriver::note_failed(const std::string& key, const Error& error) {
  in_flight_.erase(key);
  // A child that could not be started may be, when the run is resumed.
  if (!history_.begun(key).child) budget_.settle(key, {});
  pen_.commit(failed_note(key, {error, {}, false}), [](auto) {});
}

void RunDriver::not_begun(const std::string& key) {
  budget_.settle(key, {});
  FailedNote note{make_error(Errc::cancelled, "the run stopped first"), {}, false};
  pen_.commit(failed_note(key, std::move(note)), [this, key](auto) { in_flight_.erase(key); });
}

void RunDriver::note_drift(const std::string& what) {
  if (drift_.size() < kDriftMax) drift_.push_back(what);
}

void RunDriver::record(const std::string& key, journal::Batch batch, std::function<void(Result<void>)> then) {
  WallTime at;
  for (const auto& entry : batch.entries)
    if (entry.kind != journal::Kind::note) at = entry.at;
  pen_.commit(std::move(batch), [this, key, at, then = std::move(then)](Result<void> committed) {
    in_flight_.erase(key);
    hear_of(key, at);
    ++done_;
    then(std::move(committed));
  });
}

Duration RunDriver::elapsed() const {
  if (history_.empty()) return {};
  return std::chrono::milliseconds(pen_.clock().wall().ms - history_.started().ms);
}

BudgetView RunDriver::budget() const {
  return budget_.view(std::chrono::milliseconds(now_.ms - history_.started().ms));
}

void RunDriver::watch_wall() {
  auto wall = budget_.cap().wall;
  if (time_up_ || wall == Duration{} || elapsed() < wall) return;
  time_up_ = true;
  log::warn("runs", fmt::format("run {} has used up its time", pen_.row().run_id));
  std::vector<std::function<void()>> given_up;
  for (auto& [key, step] : in_flight_)
    if (!step.child && step.call_off) given_up.push_back(std::exchange(step.call_off, {}));
  for (const auto& each : given_up) each();
}

// ---- our own work ----

void RunDriver::step(const StepKey& step, std::function<Result<JsonText>()> body,
                     std::function<void(Result<JsonText>)> done) {
  auto key = key_of(step);
  done = awaited(key, std::move(done));
  if (replay<JsonText>(key, 0, done)) return;
  auto work = [this, key, body = std::move(body), done = std::move(done)] {
    auto known = config_.stand_in == nullptr ? std::optional(body()) : config_.stand_in->step(key);
    if (!known) return;
    auto result = std::move(*known);
    if (!result) {
      note_failed(key, result.error());
      return done(std::move(result));
    }
    auto entry = pen_.entry(journal::Kind::result, key, result->text);
    pen_.commit(std::move(entry), [this, key, at = entry.at, result, done](Result<void> committed) mutable {
      ++done_;
      hear_of(key, at);
      if (committed) return done(std::move(result));
      done(std::unexpected(std::move(committed.error())));
    });
  };
  turns_.fresh(std::move(key), std::move(work));
}

// ---- timers and signals ----

void RunDriver::sleep_until(const StepKey& step, WallTime when, std::function<void(Result<void>)> done) {
  auto key = key_of(step);
  done = awaited(key, std::move(done));
  if (!used_.insert(key).second)
    return answer<void>(done, fail(Errc::internal, "step key " + key + " was used twice in one run"));
  if (auto fired = history_.timer_fired(key); fired.seq != 0) {
    return turns_.recorded(fired.seq, key, [this, key, done, at = fired.at] {
      hear_of(key, at);
      ++replayed_;
      ++done_;
      done({});
    });
  }
  turns_.fresh(key, [this, key, when, done] {
    if (history_.timer_set(key)) return timers_.push_back({key, when, done});
    pen_.commit(pen_.entry(journal::Kind::timer_set, key, std::to_string(when.ms)),
                [this, key, when, done](Result<void> committed) {
                  if (!committed) return done(std::move(committed));
                  timers_.push_back({key, when, done});
                });
  });
}

void RunDriver::signal(const StepKey& step, std::function<void(Result<JsonText>)> done) {
  auto key = key_of(step);
  done = awaited(key, std::move(done));
  auto& waiting = inbox_[step.name];
  if (waiting.empty()) return signal_waits_[step.name].push_back({std::move(key), std::move(done)});
  auto first = std::move(waiting.front());
  waiting.pop_front();
  signals_given_[key] = first;
  auto work = [this, key, done = std::move(done)] {
    auto given = signals_given_.extract(key);
    if (given.empty()) return;
    hear_of(key, given.mapped().at);
    done(std::move(given.mapped().json));
  };
  if (first.seq != 0) return turns_.recorded(first.seq, key, std::move(work));
  turns_.ready(std::move(work));
}

void RunDriver::on_signal(const SignalRun& order) {
  if (order.number != 0 && taking_.contains(order.number)) return;
  if (order.id != 0 && !signal_ids_.try_emplace(order.id, false).second) return take_up_again(order);
  crash_point("signal.before_entry");
  journal::Batch batch;
  batch.entries.push_back(pen_.entry(journal::Kind::signal_in, order.name, order.json, 0, order.id));
  auto at = batch.entries.back().at;
  auto seq = coming(batch.entries.back());
  if (order.number != 0) batch.taken.push_back(*taking_.insert(order.number).first);
  pen_.commit(std::move(batch), [this, order, at, seq](Result<void> committed) {
    crash_point("signal.after_entry");
    // This life can record nothing any more; the signal stays in the inbox for the next one.
    if (!committed) return;
    no_longer_coming(seq);
    taking_.erase(order.number);
    if (order.id != 0) signal_ids_[order.id] = true;
    auto& waits = signal_waits_[order.name];
    if (waits.empty()) return inbox_[order.name].push_back({0, at, {order.json}});
    auto first = std::move(waits.front());
    waits.pop_front();
    hear_of(first.key, at);
    first.done(JsonText{order.json});
  });
}

// Somebody said it again. It leaves the inbox only once it is known to be recorded.
void RunDriver::take_up_again(const SignalRun& order) {
  if (order.number == 0 || !signal_ids_[order.id]) return;
  journal::Batch batch;
  batch.taken.push_back(*taking_.insert(order.number).first);
  pen_.commit(std::move(batch),
              [this, number = order.number](const Result<void>&) { taking_.erase(number); });
}

void RunDriver::on_tick() {
  auto wall = pen_.clock().wall();
  auto due = std::partition(timers_.begin(), timers_.end(), [&](const Timer& t) { return t.when > wall; });
  for (auto it = due; it != timers_.end(); ++it) {
    auto entry = pen_.entry(journal::Kind::timer_fired, it->key, {});
    pen_.commit(entry, [this, key = it->key, at = entry.at, done = it->done](auto committed) {
      ++done_;
      hear_of(key, at);
      done(std::move(committed));
    });
  }
  timers_.erase(due, timers_.end());
  auto now = pen_.clock().now();
  auto over = std::partition(pauses_.begin(), pauses_.end(), [&](const Pause& p) { return p.until > now; });
  for (auto it = over; it != pauses_.end(); ++it) turns_.fresh(it->key, std::move(it->work));
  pauses_.erase(over, pauses_.end());
  give_up_late_tools();
  watch_wall();
}

// ---- stopping ----

void RunDriver::abandon(const StepKey& step) {
  auto key = key_of(step);
  open_.erase(key);
  turns_.abandon(key);
  abandoned_.insert(key);
  std::erase_if(timers_, [&](const Timer& timer) { return timer.key == key; });
  std::erase_if(signal_waits_[step.name], [&](const SignalWait& wait) { return wait.key == key; });
  // The next wait of that name gets it, as it would have in the life in which it came too late for this one.
  if (auto given = signals_given_.extract(key); !given.empty())
    inbox_[step.name].push_front(std::move(given.mapped()));
  if (std::erase_if(pauses_, [&](const Pause& pause) { return pause.key == key; }) > 0) in_flight_.erase(key);
  if (auto it = in_flight_.find(key); it != in_flight_.end()) call_off(it->second);
  if (children_waiting_.contains(key)) call_off_orphan(key);
}

void RunDriver::call_off(UnderWay& step) {
  if (auto how = std::exchange(step.call_off, {})) how();
}

void RunDriver::stop(bool cancel) {
  stopping_ = true;
  count_unknown();
  turns_.close();
  for (const auto& pause : pauses_) in_flight_.erase(pause.key);
  pauses_.clear();
  if (!cancel) return;
  for (const auto& key : history_.open())
    if (!used_.contains(key) || children_waiting_.contains(key)) call_off_orphan(key);
  for (auto& [key, step] : in_flight_) call_off(step);
}

std::optional<WallTime> RunDriver::idle_until() const {
  if (!in_flight_.empty() || !turns_.empty() || resting_ || pen_.open() > 0) return std::nullopt;
  bool listens = std::ranges::any_of(signal_waits_, [](const auto& name) { return !name.second.empty(); });
  if (timers_.empty() && !listens) return std::nullopt;
  auto first = journal::kWakeBySignal;
  for (const auto& timer : timers_) first = std::min(first, timer.when);
  return first;
}

// ---- for who looks ----

void RunDriver::fill(RunProgress& progress) const {
  auto own = spent_on(attempts_);
  // Children that have ended are in it.
  auto all = budget_.view(elapsed()).spent;
  progress.steps_planned = std::max(planned_, done_);
  progress.steps_done = done_;
  progress.steps_replayed = replayed_;
  progress.calls = std::max<std::uint64_t>(attempts_.size(), static_cast<std::uint64_t>(all.calls));
  progress.tokens = std::max(own.tokens_in + own.tokens_out, all.tokens);
  progress.usd = std::max(own.usd, all.usd);
  progress.tool_calls = all.tool_calls;
}

void RunDriver::fill(RunReport& report) const {
  report.started = history_.started();
  report.steps = done_;
  report.steps_replayed = replayed_;
  report.attempts = attempts_;
  report.before_snapshot = earlier_;
  report.spent = budget().spent;
  report.drift = drift_;
  if (report.end != RunEnd::done || ended_before_) return;
  for (auto& key : history_.keys())
    if (!used_.contains(key) && report.drift.size() < kDriftMax) report.drift.push_back(key + ": not asked");
}

}  // namespace troupe::actors
