// Durable workflows as coroutines. A workflow says what to do next; a driver does it, records it, and on
// resume answers recorded steps from the journal instead of doing them again.
//
//   Task<Result<JsonText>> my_workflow(Workflow& wf, JsonText input) {
//     StepKey key{"ask", "1"};
//     CompletionRequest request = ...;
//     auto answer = co_await wf.complete(key, request);
//     if (!answer) co_return std::unexpected(answer.error());
//     co_return JsonText{...};
//   }
//
// The promise: recorded results exactly once, external effects at least once with a stable key, one fenced
// writer.
#pragma once

#include <troupe/budget.hpp>
#include <troupe/completion.hpp>
#include <troupe/error.hpp>
#include <troupe/task.hpp>
#include <troupe/tool.hpp>

#include <concepts>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe {

/// Names a step for ever: a name and what distinguishes this one of that name (a content hash, a channel and
/// day). Never a position: adding, dropping or reordering steps must not confuse a resumed run.
struct StepKey {
  std::string name;
  std::string id;
  std::string str() const { return id.empty() ? name : name + "/" + id; }
  friend auto operator<=>(const StepKey&, const StepKey&) = default;
};

/// Why a call was made, for the ledger (MECHANISMS I3).
enum class Cause { primary, retry, fallback, spillover, hedge, trickle, probe, shadow, judge };
const char* to_string(Cause cause);

/// One attempt of a call, as the ledger and the report see it.
struct AttemptRecord {
  std::string endpoint;
  /// Our name for the model behind it.
  std::string model;
  Cause cause = Cause::primary;
  WallTime started;
  Duration ttft{};
  Duration total{};
  Usage usage;
  double usd = 0;
  /// Empty when it succeeded, else an Errc name.
  std::string error;
  /// Which price `usd` is at: the day from which it holds (yyyy-mm-dd), "config", "reserved" (paid by the
  /// hour) or "unpriced" (none is known, so `usd` is 0). Empty: nothing was used, or nobody said.
  std::string price;
  /// Reserved capacity it took, in unit-hours.
  double unit_hours = 0;
  /// The routing decision it followed, for `troupe route explain`; empty: nobody said.
  std::string decision;
};

/// A recorded model answer with how it was obtained.
struct Answer {
  Completion completion;
  std::vector<AttemptRecord> attempts;
  /// True when it came from the journal.
  bool replayed = false;
};

/// A run that a run starts and waits for.
struct ChildSpec {
  std::string workflow;
  JsonText input;
  /// What it may use of the parent's budget. Of a part that is 0 children begun together share equally what
  /// the parent has left; of the wall time each has all of it.
  Budget slice;
};
struct ChildEnd {
  JsonText output;
  /// By it and its own children.
  Budget spent;
  /// The child had ended before and was not run again.
  bool replayed = false;
};

/// When a tool did not answer, or said that trying again may help.
struct RetryPolicy {
  int attempts_max = 1;
  Duration pause = std::chrono::milliseconds(500);
  double growth = 2;
  Duration pause_max = std::chrono::seconds(30);
};

/// What to do with a call whose outcome a crash left unknown: it may have been billed.
enum class OnUnknown {
  rerun,  ///< ask again
  fail,   ///< answer `unreachable` with maybe_billed set, so that the workflow or a person decides
};

/// What a driver must do for a workflow. The only thing between a workflow and the world; tests script it.
/// Callbacks run on the thread that drives the coroutine, exactly once, never inside the call that took them.
class WorkflowDriver {
 public:
  virtual ~WorkflowDriver() = default;
  virtual void complete(const StepKey& key, CompletionRequest request, OnUnknown on_unknown,
                        std::function<void(Result<Answer>)> done) = 0;
  /// Runs `body` once, records what it returned, replays that on resume.
  virtual void step(const StepKey& key, std::function<Result<JsonText>()> body,
                    std::function<void(Result<JsonText>)> done) = 0;
  virtual void tool(const StepKey& key, ToolPtr tool, JsonText input, RetryPolicy retry,
                    std::function<void(Result<ToolOutput>)> done) = 0;
  virtual void child(const StepKey& key, ChildSpec spec, std::function<void(Result<ChildEnd>)> done) = 0;
  virtual void signal_child(const StepKey& child, std::string name, JsonText json,
                            std::function<void(Result<void>)> done) = 0;
  virtual void sleep_until(const StepKey& key, WallTime when, std::function<void(Result<void>)> done) = 0;
  virtual void signal(const StepKey& key, std::function<void(Result<JsonText>)> done) = 0;
  /// Nobody waits for this step any more: what it began is stopped where it can be, its `done` is not called.
  virtual void abandon(const StepKey& key) = 0;
  virtual BudgetView budget() const = 0;
  virtual WallTime now() const = 0;
  /// Progress for people: how many steps there will be, as far as is known.
  virtual void plan(std::size_t steps_total) = 0;
  /// Records the workflow's own account of where it stands. Drivers of scripts need not.
  virtual void snapshot(JsonText state, std::function<void(Result<void>)> done) {
    static_cast<void>(state);
    done(fail(Errc::unsupported, "this driver takes no snapshots"));
  }
  /// The account that this life goes on from; nothing when it began at the beginning.
  virtual std::optional<JsonText> restored() const { return std::nullopt; }
};

/// What a workflow of one's own type keeps in a snapshot: two free functions beside the type.
template <class T>
concept SnapshotState = requires(const T& state, T& out, const JsonText& json) {
  { to_json_text(state) } -> std::same_as<JsonText>;
  { from_json_text(json, out) } -> std::same_as<Result<void>>;
};

/// The workflow's side of the driver. One per run; used by its coroutine only.
class Workflow {
 public:
  explicit Workflow(WorkflowDriver& driver) : driver_(driver) {}

  /// Asks a model. The answer is bought once: INTENT is durable before the call, RESULT after it.
  /// A failure is recorded too only if it is final (the caller's fault); others are tried again on resume.
  /// `refused` when the run's budget does not allow it; nothing was sent then.
  Callback<Result<Answer>> complete(StepKey key, CompletionRequest request,
                                    OnUnknown on_unknown = OnUnknown::rerun) {
    auto abandon = abandoning(key);
    return {[this, k = std::move(key), r = std::move(request), on_unknown](auto done) mutable {
              driver_.complete(k, std::move(r), on_unknown, std::move(done));
            },
            std::move(abandon)};
  }
  /// A deterministic or costly piece of our own work, recorded.
  Callback<Result<JsonText>> step(StepKey key, std::function<Result<JsonText>()> body) {
    auto abandon = abandoning(key);
    return {[this, k = std::move(key), b = std::move(body)](auto done) mutable {
              driver_.step(k, std::move(b), std::move(done));
            },
            std::move(abandon)};
  }
  /// Uses a tool: INTENT before, RESULT after, what it gave is recorded. When a crash left its outcome
  /// unknown a tool that is not `repeatable` answers `unreachable` with maybe_billed set instead of being
  /// used again. A tool that does not answer within its ToolContext::deadline and a little is given up with
  /// `timeout`.
  Callback<Result<ToolOutput>> tool(StepKey key, ToolPtr tool, JsonText input, RetryPolicy retry = {}) {
    auto abandon = abandoning(key);
    return {[this, k = std::move(key), t = std::move(tool), i = std::move(input), retry](auto done) mutable {
              driver_.tool(k, std::move(t), std::move(i), retry, std::move(done));
            },
            std::move(abandon)};
  }
  /// Starts a run of its own under this one and waits for its end. Its id follows from this run's and the
  /// key, so a resumed parent finds the child it had. Abandoning it cancels it. `refused` when the budget
  /// allows no further child, or nothing is left to give it. A child that failed through no fault of its
  /// caller (an outage) is tried again when the parent is resumed.
  Callback<Result<ChildEnd>> child(StepKey key, ChildSpec spec) {
    auto abandon = abandoning(key);
    return {[this, k = std::move(key), s = std::move(spec)](auto done) mutable {
              driver_.child(k, std::move(s), std::move(done));
            },
            std::move(abandon)};
  }
  /// Sends the child of that key a signal; delivered once, also when a resumed parent sends it again.
  /// `not_found` when that child does not run.
  Callback<Result<void>> signal_child(StepKey child, std::string name, JsonText json) {
    return {[this, c = std::move(child), n = std::move(name), j = std::move(json)](auto done) mutable {
      driver_.signal_child(c, std::move(n), std::move(j), std::move(done));
    }};
  }
  /// A durable timer.
  Callback<Result<void>> sleep_until(StepKey key, WallTime when) {
    auto abandon = abandoning(key);
    return {[this, k = std::move(key), when](auto done) mutable {
              driver_.sleep_until(k, when, std::move(done));
            },
            std::move(abandon)};
  }
  /// Waits for `troupe runs signal ID NAME JSON`; `key.name` is NAME.
  Callback<Result<JsonText>> signal(StepKey key) {
    auto abandon = abandoning(key);
    return {[this, k = std::move(key)](auto done) mutable { driver_.signal(k, std::move(done)); },
            std::move(abandon)};
  }
  /// A resting point: whoever resumes the run begins the workflow again with restored() saying `state`, and
  /// reads nothing that came before. For runs that live long: at the head of a loop, with everything the rest
  /// of the loop needs. From here on step keys are names of a new round, so they may be used again; what was
  /// spent, now(), and signals that nobody has taken yet go on. Entries before it may be pruned. Asked for
  /// first thing in a resumed life it is the one that life began with, and nothing is recorded.
  /// invalid_input, and nothing is recorded, while any step is under way (what nobody waits for any more is
  /// waited for here), for more than kSnapshotBytesMax, or while an earlier life's child that this code does
  /// not ask for is under way.
  Callback<Result<void>> snapshot(JsonText state) {
    return {
        [this, s = std::move(state)](auto done) mutable { driver_.snapshot(std::move(s), std::move(done)); }};
  }
  template <SnapshotState T>
  Callback<Result<void>> snapshot(const T& state) {
    return snapshot(to_json_text(state));
  }
  /// The state of the snapshot that this life goes on from, as WorkflowType::migrate left it; nothing at the
  /// run's beginning. To be asked before the first step.
  std::optional<JsonText> restored() const { return driver_.restored(); }
  /// The same as a type: `initial` at the run's beginning; the type's own error when it cannot be read.
  template <SnapshotState T>
  Result<T> restored_or(T initial) const {
    auto state = restored();
    if (!state) return initial;
    auto read = from_json_text(*state, initial);
    if (!read) return std::unexpected(read.error());
    return initial;
  }
  /// What this run may use and has used as of now(), the same on every replay. What a child spends counts
  /// from its end; until then its whole slice is reserved.
  BudgetView budget() const { return driver_.budget(); }
  /// When the latest of what this workflow was told happened, from its start on: the same on every replay. It
  /// stands still while the workflow computes.
  WallTime now() const { return driver_.now(); }
  void plan(std::size_t steps_total) { driver_.plan(steps_total); }

 private:
  std::function<void()> abandoning(const StepKey& key) {
    return [this, key] { driver_.abandon(key); };
  }

  WorkflowDriver& driver_;
};

/// A snapshot's state is no larger, and with the signals that wait for the run not over twice as much.
inline constexpr std::size_t kSnapshotBytesMax = 4u << 20;

/// A workflow type: the input and the result are JSON documents.
using WorkflowFunction = std::function<Task<Result<JsonText>>(Workflow& wf, JsonText input)>;

/// A workflow type with the version of its code (M14). A run goes on only with code of the version it began
/// with, or of one that takes it over.
struct WorkflowType {
  std::string name;
  WorkflowFunction function;
  std::string version;
  /// May this code go on with a run that began with version `from`? Empty: with none but its own.
  std::function<bool(const std::string& from)> migrates;
  /// Makes of the state in a snapshot by version `from` the state this code goes on from. Pure. A run taken
  /// over so is of this version from then on; steps done since its snapshot are given again where this code
  /// asks for them under the same keys. On an error the run stays as it is and waits. Empty: states are taken
  /// as they are.
  std::function<Result<JsonText>(const std::string& from, JsonText state)> migrate;
};

}  // namespace troupe
