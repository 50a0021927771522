// A run's child runs: what they may use, their beginning and end, and those an earlier life left behind.
#include "actors/run_driver.hpp"

#include "actors/run_record.hpp"
#include "runtime/base/crash_point.hpp"
#include "runtime/base/rng.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::actors {

// The key's name for people, its hash because names repeat.
std::string RunDriver::child_id(const std::string& key) const {
  auto name = key.substr(0, key.find('/'));
  return fmt::format("{}.{}-{:08x}", pen_.row().run_id, name, static_cast<std::uint32_t>(stable_hash(key)));
}

void RunDriver::child(const StepKey& step, ChildSpec spec, std::function<void(Result<ChildEnd>)> done) {
  auto key = key_of(step);
  done = awaited(key, std::move(done));
  auto hash = input_hash(step, spec.workflow, spec.input);
  if (replay<ChildEnd>(key, hash, done)) return;
  auto starting = std::make_shared<Starting>();
  starting->hash = hash;
  starting->key = key;
  starting->spec = std::move(spec);
  starting->done = std::move(done);
  children_waiting_[key] = starting;
  turns_.fresh(key, [this, starting] { begin_child(starting); });
}

std::optional<Error> RunDriver::refuse_child(const std::string& key, const Budget& slice) {
  if (budget_.view(elapsed()).stage >= BudgetStage::degrade)
    return make_error(Errc::refused, "the budget allows no further child run");
  const char* none = slice.usd < 0      ? "usd"
                     : slice.tokens < 0 ? "tokens"
                     : slice.calls < 0  ? "calls"
                                        : nullptr;
  if (none != nullptr) {
    budget_.note_refusal();
    return make_error(Errc::refused, fmt::format("nothing of the run's {} is left for child {}", none, key));
  }
  Budget one;
  one.subagents = 1;
  return set_aside(key, one);
}

void RunDriver::begin_child(const Shared<Starting>& starting) {
  const auto& key = starting->key;
  auto sharers = std::max<std::size_t>(children_waiting_.size(), 1);
  children_waiting_.erase(key);
  if (config_.children == nullptr)
    return answer<ChildEnd>(starting->done, fail(Errc::unsupported, "runs cannot be started from here"));
  count_unknown();
  in_flight_[key] = {};
  if (auto begun = history_.begun(key); begun.times > 0)
    // It goes on where it was, with what it was given.
    return start_child(starting, {child_id(key), begun.slice});
  ChildNote note{child_id(key), budget_.slice(starting->spec.slice, elapsed(), sharers)};
  if (auto refusal = refuse_child(key, note.slice)) {
    in_flight_.erase(key);
    return answer<ChildEnd>(starting->done, std::unexpected(*std::move(refusal)));
  }
  budget_.reserve(key, policy::taken_by_slice(note.slice));
  pen_.commit(pen_.entry(journal::Kind::child_start, key, to_payload(note), 1, starting->hash),
              [this, starting, note](Result<void> committed) {
                if (committed) return stopping_ ? not_begun(starting->key) : start_child(starting, note);
                in_flight_.erase(starting->key);
                starting->done(std::unexpected(std::move(committed.error())));
              });
}

void RunDriver::start_child(const Shared<Starting>& starting, const ChildNote& note) {
  crash_point("child.before_start");
  RunSpec spec{starting->spec.workflow, starting->spec.input, note.run_id, pen_.row().tenant, note.slice,
               pen_.row().run_id,       pen_.row().durability};
  in_flight_[starting->key] = {
      [children = config_.children, id = note.run_id] { children->cancel(id, false); }, true};
  auto started = config_.children->start(std::move(spec), [this, me = pen_.me(), starting](RunReport report) {
    auto shared = std::make_shared<RunReport>(std::move(report));
    RunPen::go_on(me, [this, starting, shared] { on_child_end(starting, std::move(*shared)); });
  });
  if (started) return;
  note_failed(starting->key, started.error());
  answer<ChildEnd>(starting->done, std::unexpected(std::move(started.error())));
}

// It would go on for nobody, since its node takes it up like any other run. Its end is waited for and
// recorded.
void RunDriver::call_off_orphan(const std::string& key) {
  auto waiting = children_waiting_.extract(key);
  auto begun = history_.begun(key);
  if (!begun.child || config_.children == nullptr) return;
  auto row = pen_.journal().run(child_id(key));
  if (!row || !*row) return;
  auto starting = std::make_shared<Starting>();
  starting->key = key;
  starting->spec.workflow = (*row)->workflow;
  starting->done = [](Result<ChildEnd>) {};
  start_child(starting, {child_id(key), begun.slice});
  if (auto it = in_flight_.find(key); it != in_flight_.end()) call_off(it->second);
}

void RunDriver::on_child_end(const Shared<Starting>& starting, RunReport report) {
  crash_point("child.before_end");
  ChildOutcome outcome{ChildEnd{report.output, report.spent, false}, report.spent};
  outcome.spent.subagents += 1;
  outcome.spent.wall = {};
  if (report.end != RunEnd::done)
    outcome.end = std::unexpected(report.error.value_or(
        make_error(Errc::cancelled, "the child run was " + std::string(to_string(report.end)))));
  budget_.settle(starting->key, outcome.spent);
  bool passing = report.end == RunEnd::failed && outcome.end.error().fault != Fault::caller;
  if (passing) return on_child_outage(starting, std::move(outcome));
  if (report.end == RunEnd::interrupted) {
    // It is not over: whoever resumes this run resumes it too. A child that gave way for want of a seat takes
    // this run with it, or a lease that ran out for a moment would fail it for good.
    in_flight_.erase(starting->key);
    if (!stopping_ && !report.error) return stop(false);
    if (!stopping_) starting->done(std::move(outcome.end));
    return;
  }
  if (outcome.end) outcome.end->spent = outcome.spent;
  journal::Batch batch;
  batch.entries.push_back(
      pen_.entry(journal::Kind::child_end, starting->key, to_payload(outcome), 1, starting->hash));
  note_stage(batch);
  record(starting->key, std::move(batch), [starting, outcome](Result<void> committed) {
    if (!committed) return starting->done(std::unexpected(std::move(committed.error())));
    starting->done(outcome.end);
  });
}

// What was not its fault, such as an outage of its models, is tried again when the run is resumed, as with
// calls.
void RunDriver::on_child_outage(const Shared<Starting>& starting, ChildOutcome outcome) {
  auto note = failed_note(starting->key, {outcome.end.error(), outcome.spent, false});
  pen_.commit(std::move(note), [this, starting, end = std::move(outcome.end)](Result<void>) {
    in_flight_.erase(starting->key);
    if (!stopping_) starting->done(end);
  });
}

void RunDriver::signal_child(const StepKey& child, std::string name, JsonText json,
                             std::function<void(Result<void>)> done) {
  auto key = key_of(child);
  auto what = fmt::format("{}\n{}\n{}\n{}", pen_.row().run_id, key, name, json.text);
  // The same words again are another signal; the same words of a resumed run are the same.
  auto id = stable_hash(fmt::format("{}\n{}", what, signals_sent_[what]++));
  turns_.fresh(key, [this, key, name = std::move(name), json = std::move(json), id, done = std::move(done)] {
    bool sent = config_.children != nullptr &&
                config_.children->signal(child_id(key), name, json.text, id == 0 ? 1 : id);
    answer<void>(done, sent ? Result<void>() : fail(Errc::not_found, "child " + key + " does not run"));
  });
}

}  // namespace troupe::actors
