// The run's side of the workflow door: steps that are given again from the record, or done and recorded.
#pragma once

#include "actors/run.hpp"
#include "actors/run_history.hpp"
#include "actors/run_pen.hpp"
#include "actors/run_turns.hpp"
#include "runtime/policy/run_budget.hpp"

#include <deque>
#include <optional>
#include <set>
#include <type_traits>
#include <unordered_set>

namespace troupe::actors {

/// Lives and dies with its run actor, and is used on its turn only.
class RunDriver final : public WorkflowDriver {
 public:
  RunDriver(RunConfig& config, RunPen& pen, RunTurns& turns) : config_(config), pen_(pen), turns_(turns) {}

  /// Before the workflow begins.
  void take_up(RunHistory history, Budget cap);
  /// The state that the workflow begins with, when the record has a snapshot.
  const std::optional<SnapshotNote>& snapshot() const { return history_.snapshot(); }
  void restore(JsonText state) { restored_ = std::move(state); }
  /// The run was over before: its sums are those of the record, and no workflow will ask for them.
  void ended_before();

  // WorkflowDriver.
  void complete(const StepKey& step, CompletionRequest request, OnUnknown on_unknown,
                std::function<void(Result<Answer>)> done) override;
  void step(const StepKey& step, std::function<Result<JsonText>()> body,
            std::function<void(Result<JsonText>)> done) override;
  void tool(const StepKey& step, ToolPtr tool, JsonText input, RetryPolicy retry,
            std::function<void(Result<ToolOutput>)> done) override;
  void child(const StepKey& step, ChildSpec spec, std::function<void(Result<ChildEnd>)> done) override;
  void signal_child(const StepKey& child, std::string name, JsonText json,
                    std::function<void(Result<void>)> done) override;
  void sleep_until(const StepKey& step, WallTime when, std::function<void(Result<void>)> done) override;
  void signal(const StepKey& step, std::function<void(Result<JsonText>)> done) override;
  void snapshot(JsonText state, std::function<void(Result<void>)> done) override;
  std::optional<JsonText> restored() const override { return restored_; }
  void abandon(const StepKey& step) override;
  /// As of now().
  BudgetView budget() const override;
  WallTime now() const override { return now_; }
  void plan(std::size_t steps_total) override { planned_ = steps_total; }

  // The actor's side.
  void on_signal(const SignalRun& order);
  void on_tick();
  /// No turn is left to take: a snapshot that only waited for what was called off is recorded. False when
  /// there is none.
  bool rest();
  /// No new step begins. `cancel`: what is under way is called off too; else it is waited for and recorded.
  void stop(bool cancel);
  bool stopping() const { return stopping_; }
  std::size_t in_flight() const { return in_flight_.size(); }
  /// When the first timer is due, if the run waits for nothing but timers and signals; else nothing.
  std::optional<WallTime> idle_until() const;
  void fill(RunProgress& progress) const;
  void fill(RunReport& report) const;

 private:
  struct Timer {
    std::string key;
    WallTime when;
    std::function<void(Result<void>)> done;
  };
  /// A step under way outside; `call_off` is empty when nothing can stop it, or something has.
  struct UnderWay {
    std::function<void()> call_off;
    /// It has a wall time of its own.
    bool child = false;
  };
  /// Somebody waits for a signal; `given`, once it is on its way.
  struct SignalWait {
    std::string key;
    std::function<void(Result<JsonText>)> done;
  };
  struct Calling {
    std::string key;
    StepKey step;
    std::shared_ptr<const CompletionRequest> request;
    std::uint32_t attempt = 0;
    std::uint64_t hash = 0;
    bool cheaper = false;
    std::function<void(Result<Answer>)> done;
  };
  struct Using {
    std::string key;
    ToolPtr tool;
    JsonText input;
    RetryPolicy retry;
    /// Over all lives, and in this one.
    std::uint32_t attempt = 0;
    int tried = 0;
    /// The latest use has ended, or is no longer waited for.
    bool over = true;
    std::uint64_t hash = 0;
    std::function<void(Result<ToolOutput>)> done;
  };
  struct Starting {
    std::string key;
    ChildSpec spec;
    std::uint64_t hash = 0;
    std::function<void(Result<ChildEnd>)> done;
  };
  template <class T>
  using Shared = std::shared_ptr<T>;

  bool first_use(const std::string& key) { return used_.insert(key).second; }
  /// Its name in the record.
  std::string key_of(const StepKey& step) const { return key_after(step, snapshots_); }
  /// The workflow waits for this step until `done` is called, or it abandons it.
  template <class T>
  std::function<void(Result<T>)> awaited(const std::string& key, std::function<void(Result<T>)> done) {
    at_rest_ = false;
    if (!open_.insert(key).second) return done;
    if (resting_) refuse_rest(key);
    return [this, key, done = std::move(done)](Result<T> result) {
      open_.erase(key);
      done(std::move(result));
    };
  }
  void refuse_rest(const std::string& key);
  std::optional<Error> unfit_for_rest(const SnapshotNote& note) const;
  SnapshotNote note_of(JsonText state) const;
  AttemptSums attempts_so_far() const;
  std::vector<SnapshotNote::Signal> signals_waiting() const;
  /// What the record has and this life's code did not ask for was paid for all the same.
  void settle_unasked();
  /// The snapshot is durable: nothing from before it is needed any more.
  void begin_anew(SnapshotNote note, std::uint64_t seq);
  void remember_signal(std::uint64_t id);
  /// Written, and not known to be recorded; its place in the run.
  std::uint64_t coming(const journal::Entry& signal);
  void no_longer_coming(std::uint64_t seq) {
    std::erase_if(signals_coming_, [seq](const Coming& each) { return each.seq == seq; });
  }
  template <class T>
  void answer(const std::function<void(Result<T>)>& done, std::type_identity_t<Result<T>> result) {
    turns_.ready([done, result = std::move(result)] { done(result); });
  }
  /// Gives the record of `key` again, if there is one of the wanted kind or an error.
  template <class T>
  bool replay(const std::string& key, std::uint64_t hash, const std::function<void(Result<T>)>& done);
  /// Sets `amount` aside, or says which cap forbids it.
  std::optional<Error> set_aside(const std::string& key, const Budget& amount);
  /// Books what the record says of this step, once.
  void book(const std::string& key, const RunHistory::Recorded& recorded);
  /// Before anything new begins: all that is recorded is booked, also what this life does not ask for; steps
  /// that earlier lives began and nobody knows the end of count as spent, children that may still go keep
  /// their slice.
  void count_unknown();
  static void call_off(UnderWay& step);
  /// The workflow hears of what happened to its step at `when`. Only what it hears moves its time, so that it
  /// moves the same way on a replay.
  void hear_of(const std::string& key, WallTime when) {
    if (!abandoned_.contains(key)) now_ = std::max(now_, when);
  }
  /// Once the run's time is up calls and tools under way are given up; children have their own time.
  void watch_wall();
  /// Says once of each stage that the budget has come to it: in the log, and in the record.
  void note_stage(journal::Batch& batch);
  journal::Entry failed_note(const std::string& key, FailedNote note);
  /// It failed for a passing reason before anything was used, and the workflow hears of it now.
  void note_failed(const std::string& key, const Error& error);
  /// It was announced, but the run stopped first.
  void not_begun(const std::string& key);
  void note_drift(const std::string& what);
  void take_up_again(const SignalRun& order);

  bool lost_seat(const std::string& key);

  void begin_call(const Shared<Calling>& calling, OnUnknown on_unknown);
  void give_up_unknown(const Shared<Calling>& calling);
  void send_call(const Shared<Calling>& calling);
  void ask_stand_in(const Shared<Calling>& calling);
  CallPtr call_of(const Shared<Calling>& calling);
  void on_answer(const Shared<Calling>& calling, CallResult result);
  SinkPtr reader_of(const Shared<Calling>& calling) const;
  Budget estimate(const CompletionRequest& request) const;

  void begin_tool(const Shared<Using>& use);
  void use_tool(const Shared<Using>& use);
  void give_up_tool(const Shared<Using>& use, Errc code, const char* why);
  void give_up_late_tools();
  void settle_use(const Shared<Using>& use);
  void on_output(const Shared<Using>& use, Result<ToolOutput> output);
  bool try_again(const Shared<Using>& use, const Error& error);

  void begin_child(const Shared<Starting>& starting);
  std::optional<Error> refuse_child(const std::string& key, const Budget& slice);
  void start_child(const Shared<Starting>& starting, const ChildNote& note);
  void on_child_end(const Shared<Starting>& starting, RunReport report);
  void on_child_outage(const Shared<Starting>& starting, ChildOutcome outcome);
  std::string child_id(const std::string& key) const;
  /// A child of an earlier life that nobody will ask for in this one.
  void call_off_orphan(const std::string& key);

  /// Records `entry`, then the step is over.
  void record(const std::string& key, journal::Batch batch, std::function<void(Result<void>)> then);
  Duration elapsed() const;

  RunConfig& config_;
  RunPen& pen_;
  RunTurns& turns_;
  RunHistory history_;
  policy::RunBudget budget_;
  std::unordered_set<std::string> used_, abandoned_, open_, booked_;
  struct Resting {
    JsonText state;
    std::function<void(Result<void>)> done;
  };
  std::optional<Resting> resting_;
  std::optional<JsonText> restored_;
  /// This life began at a snapshot and has asked for nothing yet.
  bool at_rest_ = false;
  std::uint64_t snapshots_ = 0;
  AttemptSums earlier_;
  std::map<std::string, UnderWay> in_flight_;
  std::vector<Timer> timers_;
  /// Before a tool is tried again, or given up; they end with the process and are not recorded.
  struct Pause {
    std::string key;
    Instant until;
    std::function<void()> work;
  };
  std::vector<Pause> pauses_;
  struct Patience {
    Instant until;
    Shared<Using> use;
    int tried = 0;
  };
  std::vector<Patience> patience_;
  RunHistory::Signals inbox_;  // those no wait has taken yet
  /// By the signal's name, who waited first is first.
  std::map<std::string, std::deque<SignalWait>> signal_waits_;
  /// Taken from the inbox for the wait of that key, and not yet heard by it.
  std::map<std::string, RunHistory::Signal> signals_given_;
  /// Children that are asked for and not begun: those begun together share the budget.
  std::map<std::string, Shared<Starting>> children_waiting_;
  /// Ids of signals that came, and whether they are recorded already.
  std::map<std::uint64_t, bool> signal_ids_;
  std::deque<std::uint64_t> signal_order_;  // of those ids, the newest last
  /// Signals that are written, and not known to be recorded.
  struct Coming {
    std::uint64_t seq = 0;
    SnapshotNote::Signal signal;
  };
  std::vector<Coming> signals_coming_;
  std::set<std::uint64_t> taking_;  // numbers in the inbox, of signals that are being recorded
  std::map<std::string, std::uint32_t> signals_sent_;
  std::vector<AttemptRecord> attempts_;
  std::vector<std::string> drift_;
  WallTime now_;
  std::size_t planned_ = 0, done_ = 0, replayed_ = 0;
  bool stopping_ = false, ended_before_ = false, unknown_counted_ = false, time_up_ = false;
  BudgetStage said_ = BudgetStage::plenty;
};

}  // namespace troupe::actors
