#include "actors/run.hpp"

#include "actors/run_history.hpp"
#include "actors/run_record.hpp"
#include "actors/shell.hpp"
#include "runtime/base/log.hpp"
#include "runtime/base/rng.hpp"
#include "runtime/protocol/values.hpp"

#include <fmt/format.h>

#include <deque>
#include <set>

namespace troupe::actors {
namespace {

struct RunState final : WorkflowDriver {
  static constexpr const char* name = "run";
  explicit RunState(RunActor::pointer self) : self_(self) {}
  // Killed from outside: whoever waits must not wait for ever.
  ~RunState() override {
    if (!finished_ && config_.on_done) finish(RunEnd::interrupted, std::nullopt);
  }

  RunActor::behavior_type start(RunConfig config, Clock* clock, journal::Journal* journal) {
    config_ = std::move(config);
    clock_ = clock;
    journal_ = journal;
    began_ = clock_->now();
    later([this] { begin(); });
    flush();
    return {
        [this](const Continue& order) {
          (*order.work)();
          drive();
        },
        [this](const SignalRun& order) {
          // Not before the run has begun: until then there is no run to record it for.
          later([this, order] { on_signal(order); });
          drive();
        },
        [this](const CancelRun& order) { on_cancel(order); },
        [this](Tick) {
          on_tick();
          drive();
        },
    };
  }

  // ---- WorkflowDriver ----

  void complete(const StepKey& step, CompletionRequest request,
                std::function<void(Result<Answer>)> done) override {
    auto key = step.str();
    if (!first_use(key)) return later([done] { done(used_twice()); });
    if (const auto* recorded = history_.answer(key)) return replay([done, recorded] { done(*recorded); });
    if (const auto* failed = history_.failure(key))
      return replay([done, failed] { done(std::unexpected(*failed)); });
    if (stopping_) return;
    journal::Batch batch;
    auto attempt = history_.intents(key) + 1;
    auto hash = stable_hash(protocol::to_bytes(request));
    batch.entries.push_back(entry(journal::Kind::intent, key, {}, attempt, hash));
    auto shared = std::make_shared<const CompletionRequest>(std::move(request));
    commit(std::move(batch), [this, key, shared, attempt, hash, done](Result<void> committed) {
      if (!committed) return done(std::unexpected(committed.error()));
      if (!stopping_) call(key, shared, attempt, hash, done);
    });
  }

  void step(const StepKey& step, std::function<Result<JsonText>()> body,
            std::function<void(Result<JsonText>)> done) override {
    auto key = step.str();
    if (!first_use(key)) return later([done] { done(used_twice()); });
    if (const auto* recorded = history_.step(key)) return replay([done, recorded] { done(*recorded); });
    if (stopping_) return;
    auto result = body();
    if (!result) return later([done, result] { done(result); });
    journal::Batch batch;
    batch.entries.push_back(entry(journal::Kind::result, key, result->text, 0, 0));
    commit(std::move(batch), [this, result, done](Result<void> committed) {
      ++steps_done_;
      if (committed) return done(result);
      done(std::unexpected(committed.error()));
    });
  }

  void sleep_until(const StepKey& step, WallTime when, std::function<void(Result<void>)> done) override {
    auto key = step.str();
    if (history_.timer_fired(key)) return replay([done] { done({}); });
    if (stopping_) return;
    journal::Batch batch;
    batch.entries.push_back(entry(journal::Kind::timer_set, key, std::to_string(when.ms), 0, 0));
    commit(std::move(batch), [this, key, when, done](Result<void> committed) {
      if (!committed) return done(committed);
      timers_.push_back({key, when, done});
    });
  }

  void signal(const StepKey& step, std::function<void(Result<JsonText>)> done) override {
    auto& inbox = signals_in_[step.name];
    if (!inbox.empty()) {
      auto first = std::move(inbox.front());
      inbox.pop_front();
      return later([done, first] { done(first); });
    }
    signal_waits_[step.name] = std::move(done);
  }

  void tool(const StepKey&, ToolPtr, JsonText, RetryPolicy, std::function<void(Result<ToolOutput>)>) override {
  }
  void child(const StepKey&, ChildSpec, std::function<void(Result<ChildEnd>)>) override {}
  void signal_child(const StepKey&, std::string, JsonText, std::function<void(Result<void>)>) override {}
  void abandon(const StepKey&) override {}
  BudgetView budget() const override { return {}; }
  WallTime now() const override { return history_.started(); }
  void plan(std::size_t steps_total) override { steps_planned_ = steps_total; }

 private:
  struct Timer {
    std::string key;
    WallTime when;
    std::function<void(Result<void>)> done;
  };

  // ---- beginning ----

  void begin() {
    auto claimed = journal_->claim(first_row(config_.spec, config_.node, clock_->wall()));
    if (!claimed) return finish(RunEnd::failed, claimed.error());
    row_ = std::move(*claimed);
    auto entries = journal_->history(row_.run_id);
    if (!entries) return finish(RunEnd::failed, entries.error());
    auto history = RunHistory::read(*entries);
    if (!history) return finish(RunEnd::failed, history.error());
    history_ = std::move(*history);
    seq_ = history_.last_seq();
    attempts_ = history_.attempts();
    signals_in_ = history_.signals();
    if (row_.state == journal::RunState::cancelled) return finish(RunEnd::cancelled, std::nullopt);
    if (row_.state == journal::RunState::done) {
      output_ = {row_.output};
      replayed_ = steps_done_ = results_in(*entries);
      return finish(RunEnd::done, std::nullopt);
    }
    if (history_.empty()) return first_life();
    if (row_.state == journal::RunState::failed) return revive();
    drive_workflow();
  }

  // A failed run that is tried again is running for everyone who looks.
  void revive() {
    journal::Batch batch;
    batch.run = row_ = revived_row(std::move(row_));
    commit(std::move(batch), [this](Result<void> committed) {
      if (!committed) return finish(RunEnd::failed, committed.error());
      drive_workflow();
    });
  }

  void first_life() {
    journal::Batch batch;
    auto start_entry = entry(journal::Kind::start, {}, config_.spec.input.text, 0, 0);
    history_ = *RunHistory::read({start_entry});
    batch.entries.push_back(std::move(start_entry));
    commit(std::move(batch), [this](Result<void> committed) {
      if (!committed) return finish(RunEnd::failed, committed.error());
      drive_workflow();
    });
  }

  void drive_workflow() {
    workflow_.emplace(*this);
    task_.emplace(config_.function(*workflow_, JsonText{row_.input}));
    task_->start([this](Result<JsonText> result) { later([this, result] { on_workflow_end(result); }); });
  }

  // ---- model calls ----

  void call(const std::string& key, const RequestPtr& request, std::uint32_t attempt, std::uint64_t hash,
            std::function<void(Result<Answer>)> done) {
    auto queues = config_.queues->load();
    auto queue = queues->find(request->feature);
    if (queue == queues->end())
      return done(fail(Errc::bad_config, "no feature named " + request->feature + " is configured"));
    auto ask = std::make_shared<Call>();
    ask->request = request;
    ask->run_id = row_.run_id;
    ask->step_key = key;
    ++in_flight_;
    ask->done = [this, me = RunActor(self_), key, attempt, hash, request, done](CallResult result) {
      auto shared = std::make_shared<CallResult>(std::move(result));
      auto work = [this, key, attempt, hash, request, done, shared] {
        on_answer(key, attempt, hash, *request, std::move(*shared), done);
      };
      caf::anon_send(me, Continue{std::make_shared<std::function<void()>>(std::move(work))});
    };
    self_->send(queue->second, CallPtr(std::move(ask)));
  }

  void on_answer(const std::string& key, std::uint32_t attempt, std::uint64_t hash,
                 const CompletionRequest& request, CallResult result,
                 const std::function<void(Result<Answer>)>& done) {
    attempts_.insert(attempts_.end(), result.attempts.begin(), result.attempts.end());
    journal::Batch batch;
    batch.usage = usage_rows({row_.run_id, key, config_.node}, request, result.attempts);
    auto answer = std::make_shared<Result<Answer>>();
    if (result.completion) {
      *answer = Answer{std::move(*result.completion), std::move(result.attempts), false};
      batch.entries.push_back(entry(journal::Kind::result, key, protocol::to_bytes(**answer), attempt, hash));
    } else {
      *answer = std::unexpected(result.completion.error());
      if (answer->error().fault == Fault::caller)
        batch.entries.push_back(
            entry(journal::Kind::failure, key, protocol::to_bytes(answer->error()), attempt, hash));
    }
    commit(std::move(batch), [this, answer, done](Result<void> committed) {
      --in_flight_;
      ++steps_done_;
      if (!committed) return done(std::unexpected(committed.error()));
      done(std::move(*answer));
    });
  }

  // ---- the journal ----

  journal::Entry entry(journal::Kind kind, std::string key, std::string payload, std::uint32_t attempt,
                       std::uint64_t hash) {
    journal::Entry out;
    out.run_id = row_.run_id;
    out.seq = ++seq_;
    out.kind = kind;
    out.step_key = std::move(key);
    out.input_hash = hash;
    out.epoch = row_.epoch;
    out.attempt = attempt;
    out.at = clock_->wall();
    out.payload = std::move(payload);
    return out;
  }

  void commit(journal::Batch batch, std::function<void(Result<void>)> then) {
    auto shared = std::make_shared<std::function<void(Result<void>)>>(std::move(then));
    journal_->append(std::move(batch), [me = RunActor(self_), shared](Result<void> committed) {
      auto work = [shared, committed] { (*shared)(committed); };
      caf::anon_send(me, Continue{std::make_shared<std::function<void()>>(std::move(work))});
    });
  }

  // ---- turns ----

  // Answers that are known already still come on a later turn of the loop, never inside the asking call.
  void later(std::function<void()> work) { ready_.push_back(std::move(work)); }

  void replay(std::function<void()> work) {
    later([this, work = std::move(work)] {
      ++replayed_;
      ++steps_done_;
      work();
    });
  }

  void flush() {
    auto work = [] {};
    self_->send(RunActor(self_), Continue{std::make_shared<std::function<void()>>(work)});
  }

  void drive() {
    while (!ready_.empty() && !finished_) {
      auto work = std::move(ready_.front());
      ready_.pop_front();
      work();
    }
    if (stopping_ && in_flight_ == 0 && !finished_) finish(stopped_as_, std::nullopt);
    if (finished_) self_->quit();
  }

  bool first_use(const std::string& key) { return used_.insert(key).second; }
  static std::unexpected<Error> used_twice() {
    return fail(Errc::internal, "a step key was used twice in one run");
  }

  void on_signal(const SignalRun& order) {
    journal::Batch batch;
    batch.entries.push_back(entry(journal::Kind::signal_in, order.name, order.json, 0, 0));
    commit(std::move(batch), [this, order](Result<void> committed) {
      if (!committed) return;
      auto waiting = signal_waits_.extract(order.name);
      if (!waiting.empty()) return waiting.mapped()(JsonText{order.json});
      signals_in_[order.name].push_back({order.json});
    });
  }

  void on_cancel(const CancelRun& order) {
    stopping_ = true;
    stopped_as_ = order.interrupt ? RunEnd::interrupted : RunEnd::cancelled;
    drive();
  }

  void on_tick() {
    auto wall = clock_->wall();
    for (auto it = timers_.begin(); it != timers_.end();) {
      if (it->when > wall) {
        ++it;
        continue;
      }
      journal::Batch batch;
      batch.entries.push_back(entry(journal::Kind::timer_fired, it->key, {}, 0, 0));
      commit(std::move(batch), it->done);
      it = timers_.erase(it);
    }
    if (config_.on_progress) config_.on_progress(progress());
  }

  RunProgress progress() const {
    RunProgress out;
    out.run_id = row_.run_id;
    out.steps_planned = std::max(steps_planned_, steps_done_);
    out.steps_done = steps_done_;
    out.steps_replayed = replayed_;
    out.calls = attempts_.size();
    auto spent = spent_on(attempts_);
    out.tokens = spent.tokens_in + spent.tokens_out;
    out.usd = spent.usd;
    return out;
  }

  // ---- ending ----

  void on_workflow_end(const Result<JsonText>& result) {
    if (stopping_) return;
    if (!result) return finish(RunEnd::failed, result.error());
    output_ = *result;
    finish(RunEnd::done, std::nullopt);
  }

  void finish(RunEnd end, std::optional<Error> error) {
    if (std::exchange(finished_, true)) return;
    RunReport report;
    report.run_id = config_.spec.run_id;
    report.workflow = config_.spec.workflow;
    report.end = end;
    report.started = history_.started();
    report.took = clock_->now() - began_;
    report.steps = steps_done_;
    report.steps_replayed = replayed_;
    report.attempts = attempts_;
    report.output = output_;
    report.error = std::move(error);
    task_.reset();
    bool unclaimed = row_.epoch == 0;
    if (unclaimed || end == RunEnd::interrupted || ended_for_good(row_))
      return config_.on_done(std::move(report));
    record_end(std::move(report));
  }

  // A failed run stays resumable: only its row says `failed`, no DONE entry closes its history.
  void record_end(RunReport report) {
    journal::Batch batch;
    if (report.end != RunEnd::failed)
      batch.entries.push_back(
          entry(report.end == RunEnd::done ? journal::Kind::done : journal::Kind::cancel, {}, {}, 0, 0));
    batch.run = ended_row(row_, report, clock_->wall());
    auto shared = std::make_shared<RunReport>(std::move(report));
    journal_->append(std::move(batch), [shared, on_done = config_.on_done](Result<void> committed) {
      if (!committed) {
        shared->end = RunEnd::failed;
        shared->error = committed.error();
      }
      on_done(std::move(*shared));
    });
  }

  RunActor::pointer self_;
  RunConfig config_;
  Clock* clock_ = nullptr;
  journal::Journal* journal_ = nullptr;
  journal::RunRow row_;
  RunHistory history_;
  std::optional<Workflow> workflow_;
  std::optional<Task<Result<JsonText>>> task_;
  std::deque<std::function<void()>> ready_;
  std::set<std::string> used_;
  std::vector<Timer> timers_;
  RunHistory::Signals signals_in_;  // those no wait has taken yet
  std::map<std::string, std::function<void(Result<JsonText>)>> signal_waits_;
  std::vector<AttemptRecord> attempts_;
  JsonText output_;
  Instant began_;
  std::uint64_t seq_ = 0;
  std::size_t steps_planned_ = 0, steps_done_ = 0, replayed_ = 0, in_flight_ = 0;
  bool stopping_ = false, finished_ = false;
  RunEnd stopped_as_ = RunEnd::interrupted;
};

}  // namespace

RunActor spawn_run(caf::actor_system& system, RunConfig config, Clock& clock, journal::Journal& journal) {
  return spawn_shell<RunActor, RunState>(system, nullptr, std::move(config), &clock, &journal);
}

}  // namespace troupe::actors
