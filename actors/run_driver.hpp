// The run's side of the workflow door: steps that are given again from the record, or done and recorded.
#pragma once

#include "actors/run.hpp"
#include "actors/run_history.hpp"
#include "actors/run_pen.hpp"
#include "actors/run_turns.hpp"
#include "runtime/policy/run_budget.hpp"

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
  void abandon(const StepKey& step) override;
  BudgetView budget() const override;
  WallTime now() const override { return history_.started(); }
  void plan(std::size_t steps_total) override { planned_ = steps_total; }

  // The actor's side.
  void on_signal(const SignalRun& order);
  void on_tick();
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
  };
  struct Calling {
    std::string key;
    StepKey step;
    std::shared_ptr<const CompletionRequest> request;
    std::uint32_t attempt = 0;
    std::uint64_t hash = 0;
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
    std::uint64_t hash = 0;
    std::function<void(Result<ToolOutput>)> done;
  };
  struct Starting {
    std::string key;
    ChildSpec spec;
    std::function<void(Result<ChildEnd>)> done;
  };
  template <class T>
  using Shared = std::shared_ptr<T>;

  bool first_use(const std::string& key) { return used_.insert(key).second; }
  template <class T>
  void answer(const std::function<void(Result<T>)>& done, std::type_identity_t<Result<T>> result) {
    turns_.ready([done, result = std::move(result)] { done(result); });
  }
  /// Gives the record of `key` again, if there is one of the wanted kind or an error.
  template <class T>
  bool replay(const std::string& key, std::uint64_t hash, const std::function<void(Result<T>)>& done);
  void settle_recorded(const std::string& key, const RunHistory::Recorded& recorded);
  /// Sets `amount` aside, or says which cap forbids it.
  std::optional<Error> set_aside(const std::string& key, const Budget& amount);
  /// Before anything new begins: steps that earlier lives began and nobody knows the end of count as spent,
  /// children that may still go keep their slice.
  void count_unknown();
  static void call_off(UnderWay& step);
  /// Says once that the budget runs low.
  void watch_budget();
  void note_drift(const std::string& what);

  bool lost_seat(const std::string& key);

  void begin_call(const Shared<Calling>& calling, OnUnknown on_unknown);
  void give_up_unknown(const Shared<Calling>& calling);
  void send_call(const Shared<Calling>& calling);
  void on_answer(const Shared<Calling>& calling, CallResult result);
  SinkPtr reader_of(const Shared<Calling>& calling) const;
  Budget estimate(const CompletionRequest& request) const;

  void begin_tool(const Shared<Using>& use);
  void use_tool(const Shared<Using>& use);
  void on_output(const Shared<Using>& use, Result<ToolOutput> output);
  bool try_again(const Shared<Using>& use, const Error& error);

  void begin_child(const Shared<Starting>& starting);
  std::optional<Error> refuse_child(const std::string& key);
  void start_child(const Shared<Starting>& starting, const ChildNote& note);
  void on_child_end(const Shared<Starting>& starting, RunReport report);
  std::string child_id(const std::string& key) const;

  /// Records `entry`, then the step is over.
  void record(const std::string& key, journal::Batch batch, std::function<void(Result<void>)> then);
  Duration elapsed() const;

  RunConfig& config_;
  RunPen& pen_;
  RunTurns& turns_;
  RunHistory history_;
  policy::RunBudget budget_;
  std::unordered_set<std::string> used_;
  std::map<std::string, UnderWay> in_flight_;
  std::vector<Timer> timers_;
  /// Waits before a tool is tried again; they end with the process and are not recorded.
  struct Pause {
    std::string key;
    Instant until;
    std::function<void()> work;
  };
  std::vector<Pause> pauses_;
  RunHistory::Signals inbox_;  // those no wait has taken yet
  std::map<std::string, std::pair<std::string, std::function<void(Result<JsonText>)>>> signal_waits_;
  std::set<std::uint64_t> signal_ids_;
  std::map<std::string, std::uint32_t> signals_sent_;
  std::vector<AttemptRecord> attempts_;
  std::vector<std::string> drift_;
  std::size_t planned_ = 0, done_ = 0, replayed_ = 0;
  bool stopping_ = false, ended_before_ = false, unknown_counted_ = false, warned_ = false;
};

}  // namespace troupe::actors
