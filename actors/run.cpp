#include "actors/run.hpp"

#include "actors/run_driver.hpp"
#include "actors/run_record.hpp"
#include "actors/shell.hpp"
#include "actors/shown_output.hpp"
#include "runtime/base/crash_point.hpp"
#include "runtime/base/log.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::actors {
namespace {

struct RunState {
  static constexpr const char* name = "run";
  explicit RunState(RunActor::pointer self) : self_(self) {}
  // Killed from outside: whoever waits must not wait for ever.
  ~RunState() {
    if (!finished_ && config_.on_done) finish(RunEnd::interrupted, std::nullopt);
  }

  RunActor::behavior_type start(RunConfig config, Clock* clock, journal::Journal* journal) {
    config_ = std::move(config);
    clock_ = clock;
    began_ = quiet_since_ = clock_->now();
    pen_.emplace(self_, *clock, *journal);
    driver_.emplace(config_, *pen_, turns_);
    RunPen::go_on(pen_->me(), [this] { begin(); });
    return {
        [this](const Continue& order) {
          quiet_since_ = clock_->now();
          (*order.work)();
          drive();
        },
        [this](const SignalRun& order) {
          if (parked_) return pass_on(order);
          // Not before the run has begun: until then there is no run to record it for.
          if (!workflow_ && !finished_) return keep_for_later(order);
          driver_->on_signal(order);
          drive();
        },
        [this](const CancelRun& order) { on_cancel(order); },
        [this](Tick) { on_tick(); },
    };
  }

 private:
  // ---- beginning ----

  // Without blocking: a thousand runs that begin at once share a commit.
  void begin() {
    auto row = first_row(config_.spec, config_.version, config_.node, clock_->wall());
    if (!config_.fresh) return pen_->journal().claim_then(std::move(row), heard_by(&RunState::on_claimed));
    pen_->journal().begin_then(row, heard_by(&RunState::on_claim_heard));
    row.epoch = 1;
    hold(std::move(row), {});
  }

  using Heard = void (RunState::*)(Result<journal::RunRow>);
  std::function<void(Result<journal::RunRow>)> heard_by(Heard heard) {
    return [this, heard, me = pen_->me()](Result<journal::RunRow> claimed) {
      RunPen::go_on(me, [this, heard, claimed = std::move(claimed)]() mutable {
        crash_point("run.claimed");
        (this->*heard)(std::move(claimed));
      });
    };
  }

  void on_claimed(Result<journal::RunRow> claimed) {
    if (!claimed) return finish(RunEnd::failed, claimed.error());
    RunHistory history;
    // Whoever holds a run first knows that it has no past.
    if (claimed->epoch > 1) {
      auto entries = pen_->journal().history_since_snapshot(claimed->run_id);
      if (!entries) return finish(RunEnd::failed, entries.error());
      auto read = RunHistory::read(*entries);
      if (!read) return finish(RunEnd::failed, read.error());
      history = std::move(*read);
    }
    hold(std::move(*claimed), std::move(history));
  }

  // The fresh run goes already. Without its claim nothing of it is durable, nor was anything sent for it.
  void on_claim_heard(Result<journal::RunRow> claimed) {
    if (claimed && claimed->epoch == 1) return;
    pen_->row().epoch = 0;
    auto taken = make_error(Errc::internal, "the id of run " + config_.spec.run_id + " is taken");
    finish(RunEnd::failed, claimed ? taken : claimed.error());
  }

  void hold(journal::RunRow row, RunHistory history) {
    pen_->hold(std::move(row), history.last_seq());
    auto budget = read_budget(pen_->row().budget);
    if (!budget) return finish(RunEnd::failed, budget.error());
    if (!history.empty() && pen_->row().input != config_.spec.input.text)
      log::warn("runs", fmt::format("run {} began with another input, which counts", pen_->row().run_id));
    take_up(std::move(history), *budget);
  }

  void take_up(RunHistory history, const Budget& budget) {
    bool first = history.empty();
    driver_->take_up(std::move(history), budget);
    const auto& row = pen_->row();
    if (row.state == journal::RunState::cancelled) return finish(RunEnd::cancelled, std::nullopt);
    if (row.state == journal::RunState::done) {
      output_ = {shown_output(row)};
      driver_->ended_before();
      return finish(RunEnd::done, std::nullopt);
    }
    if (first) return first_life();
    if (!can_go_on()) return;
    bool sleeps = row.wake != WallTime{};
    if (row.state == journal::RunState::failed || sleeps || upgrades_) return revive();
    drive_workflow();
  }

  // A run goes on with the code it began with, or with code that says it can take it over (M14).
  bool can_go_on() {
    const auto& from = pen_->row().version;
    if (from != config_.version && !(config_.migrates && config_.migrates(from))) {
      finish(RunEnd::interrupted,
             make_error(Errc::unsupported,
                        fmt::format("run {} began with version {} of {}, here is version {}",
                                    pen_->row().run_id, from, config_.spec.workflow, config_.version)));
      return false;
    }
    auto fits = convert_state();
    if (!fits) finish(RunEnd::interrupted, std::move(fits.error()));
    return fits.has_value();
  }

  Result<void> convert_state() {
    const auto& snapshot = driver_->snapshot();
    if (!snapshot || snapshot->version == config_.version || !config_.migrate) return {};
    auto state = config_.migrate(snapshot->version, snapshot->state);
    if (!state) return std::unexpected(state.error());
    driver_->restore(std::move(*state));
    upgrades_ = pen_->row().version != config_.version;
    return {};
  }

  // A failed run that is tried again, and a parked one that was woken, is running for everyone who looks. One
  // whose snapshot was converted is of this code's version from here on.
  void revive() {
    journal::Batch batch;
    pen_->row() = revived_row(pen_->row());
    if (upgrades_) {
      pen_->row().version = config_.version;
      batch.entries.push_back(pen_->entry(journal::Kind::version_mark, {}, config_.version));
    }
    batch.run = pen_->row();
    pen_->commit(std::move(batch), [this](Result<void> committed) {
      if (!committed) return finish(RunEnd::failed, committed.error());
      drive_workflow();
    });
  }

  void first_life() {
    auto entry = pen_->entry(journal::Kind::start, {}, config_.spec.input.text);
    auto cap = driver_->budget().cap;
    driver_->take_up(*RunHistory::read({entry}), cap);
    // Not waited for: nothing that follows is durable before it is.
    pen_->commit(std::move(entry), [this](Result<void> committed) {
      if (!committed) finish(RunEnd::failed, committed.error());
    });
    drive_workflow();
  }

  void drive_workflow() {
    workflow_.emplace(*driver_);
    task_.emplace(config_.function(*workflow_, JsonText{pen_->row().input}));
    for (auto& order : std::exchange(early_, {})) driver_->on_signal(order);
    task_->start([this](Result<JsonText> result) {
      turns_.ready([this, result = std::move(result)] { on_workflow_end(result); });
    });
    if (cancelled_early_) on_cancel(CancelRun{});
  }

  // ---- turns ----

  void drive() {
    while (!finished_) {
      if (auto work = turns_.take())
        work();
      else if (!driver_->rest())
        break;
    }
    if (driver_->stopping() && driver_->in_flight() == 0 && !finished_) finish_stopped();
    if (finished_ && !parked_) self_->quit();
  }

  void on_cancel(const CancelRun& order) {
    if (ended_ || parked_) return pass_on(order);
    if (!workflow_ && !finished_ && !order.interrupt) {
      // Not before it is ours: until then nothing can be recorded of it.
      cancelled_early_ = true;
      return;
    }
    // An order that waits in the inbox comes again until the run has ended; and a run that is called off is
    // not handed back.
    if (called_off_) return;
    called_off_ = !order.interrupt;
    stopped_as_ = order.interrupt ? RunEnd::interrupted : RunEnd::cancelled;
    driver_->stop(called_off_);
    drive();
  }

  void on_tick() {
    if (parked_) return;
    driver_->on_tick();
    drive();
    if (finished_) return;
    if (config_.on_progress) {
      RunProgress progress;
      progress.run_id = config_.spec.run_id;
      driver_->fill(progress);
      config_.on_progress(std::move(progress));
    }
    park_if_idle();
  }

  // ---- parking ----

  // A run that only waits costs its row, not an actor and a coroutine. Its wish to be woken is durable before
  // it leaves.
  void park_if_idle() {
    if (config_.park_after == Duration{} || !config_.children || !config_.on_parked || parking_ || !workflow_)
      return;
    if (clock_->now() - quiet_since_ < config_.park_after) return;
    auto wake = driver_->idle_until();
    if (!wake) return;
    parking_ = true;
    journal::Batch batch;
    batch.run = pen_->row();
    batch.run->wake = *wake;
    pen_->commit(std::move(batch), [this, wake = *wake](Result<void> committed) {
      parking_ = false;
      if (!committed) return;
      if (driver_->stopping() || !driver_->idle_until()) return stay();
      parked_ = finished_ = true;
      task_.reset();
      config_.on_parked(wake);
      // Nobody sends here any more; what was sent before is passed on, and then this actor leaves.
      RunPen::go_on(pen_->me(), [this] { self_->quit(); });
    });
  }

  // Someone spoke meanwhile. Its row must not say that it sleeps: were this node to die, nobody would look
  // for it.
  void stay() {
    journal::Batch batch;
    batch.run = pen_->row();
    pen_->commit(std::move(batch), [](Result<void>) {});
  }

  // What waits in the inbox comes again, and needs to be kept once.
  void keep_for_later(const SignalRun& order) {
    bool known =
        order.number != 0 && std::ranges::find(early_, order.number, &SignalRun::number) != early_.end();
    if (!known) early_.push_back(order);
  }
  void pass_on(const SignalRun& order) {
    if (order.number != 0) return;
    config_.children->signal(config_.spec.run_id, order.name, order.json, order.id);
  }
  void pass_on(const CancelRun& order) {
    if (parked_) config_.children->cancel(config_.spec.run_id, order.interrupt);
  }

  // ---- ending ----

  // What the workflow began and did not wait for is called off and heard of first, so that it is booked and
  // leaves no orphan.
  void on_workflow_end(Result<JsonText> result) {
    if (driver_->stopping()) return;
    ended_ = std::move(result);
    task_.reset();
    driver_->stop(true);
  }

  void finish_stopped() {
    if (!ended_) return finish(stopped_as_, std::nullopt);
    if (!*ended_) return finish(RunEnd::failed, ended_->error());
    output_ = std::move(**ended_);
    finish(RunEnd::done, std::nullopt);
  }

  void finish(RunEnd end, std::optional<Error> error) {
    if (std::exchange(finished_, true)) return;
    RunReport report;
    report.run_id = config_.spec.run_id;
    report.workflow = config_.spec.workflow;
    report.end = end;
    report.took = clock_->now() - began_;
    report.output = output_;
    report.error = std::move(error);
    driver_->fill(report);
    // What still goes for this run goes for nobody now.
    task_.reset();
    bool unclaimed = pen_->row().epoch == 0;
    if (unclaimed || end == RunEnd::interrupted || ended_for_good(pen_->row()))
      return config_.on_done(std::move(report));
    record_end(std::move(report));
  }

  // A failed run stays resumable: only its row says `failed`, no DONE entry closes its history.
  void record_end(RunReport report) {
    crash_point("run.before_end");
    journal::Batch batch;
    if (report.end != RunEnd::failed)
      batch.entries.push_back(
          pen_->entry(report.end == RunEnd::done ? journal::Kind::done : journal::Kind::cancel, {}, {}));
    batch.run = ended_row(pen_->row(), report, clock_->wall());
    batch.durability = pen_->row().durability;
    auto shared = std::make_shared<RunReport>(std::move(report));
    pen_->journal().append(std::move(batch), [shared, on_done = config_.on_done](Result<void> committed) {
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
  std::optional<RunPen> pen_;
  RunTurns turns_;
  std::optional<RunDriver> driver_;
  std::optional<Workflow> workflow_;
  std::optional<Task<Result<JsonText>>> task_;
  std::optional<Result<JsonText>> ended_;  // by the workflow; what is under way is being called off
  JsonText output_;
  std::vector<SignalRun> early_;
  Instant began_, quiet_since_;
  bool finished_ = false, parking_ = false, parked_ = false, cancelled_early_ = false, upgrades_ = false,
       called_off_ = false;
  RunEnd stopped_as_ = RunEnd::interrupted;
};

}  // namespace

RunActor spawn_run(caf::actor_system& system, RunConfig config, Clock& clock, journal::Journal& journal,
                   Unit* unit) {
  return spawn_shell<RunActor, RunState>(system, unit, std::move(config), &clock, &journal);
}

}  // namespace troupe::actors
