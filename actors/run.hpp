// The Run actor: drives one workflow coroutine, journals each step, resumes after a crash.
#pragma once

#include "actors/interfaces.hpp"
#include "actors/unit.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/base/published.hpp"

#include <troupe/run.hpp>

#include <map>
#include <optional>

namespace troupe::actors {

using QueueMap = std::map<std::string, FeatureQueueActor>;

/// Who starts runs for runs. Thread-safe; outlives them.
class ChildRuns {
 public:
  virtual ~ChildRuns() = default;
  /// Starts or resumes it; `ended` hears of its end once, on any thread. not_found, refused: nothing runs.
  virtual Result<void> start(RunSpec spec, std::function<void(RunReport)> ended) = 0;
  /// True when the run will hear of it: it goes here, or the order lies in the inbox of one that is parked or
  /// goes elsewhere, for who holds it now or after a crash. To be interrupted it must go here.
  virtual bool cancel(const std::string& run_id, bool interrupt) = 0;
  /// To a run that goes here, or into the inbox of one that goes elsewhere; false when neither can be.
  /// Signals with the same `id` that is not 0 count once.
  virtual bool signal(const std::string& run_id, const std::string& name, const std::string& json,
                      std::uint64_t id) = 0;
};

/// Does a run's outside work in its place: for a verifier, which knows from the record what came of it
/// (actors/verify_run.hpp). All is called on the run's turn; what is answered may be answered there too.
class StandIn {
 public:
  virtual ~StandIn() = default;
  virtual void ask(const CallPtr& call) = 0;
  virtual void call_off(const CallPtr& call) = 0;
  virtual void use(const std::string& key, std::function<void(Result<ToolOutput>)> done) = 0;
  /// Nothing: the record does not say; the step never ends.
  virtual std::optional<Result<JsonText>> step(const std::string& key) = 0;
};

struct RunConfig {
  RunSpec spec;
  /// Its id was made for it just now, so that nobody can have begun it before: it goes on without waiting to
  /// hear that it is claimed, and what it writes queues up behind its claim.
  bool fresh = false;
  WorkflowFunction function;
  /// The workflow's code version, and those whose runs it can go on with.
  std::string version;
  std::function<bool(const std::string& from)> migrates;
  /// WorkflowType::migrate.
  std::function<Result<JsonText>(const std::string& from, JsonText state)> migrate;
  std::string node;
  std::shared_ptr<const Published<QueueMap>> queues;
  /// What a call of this usage would cost at list prices, the dearest model of its feature; empty: nothing.
  std::function<double(const CompletionRequest&, const Usage&)> list_price;
  /// May this node still start effects outside (Membership::held)? Empty: yes.
  std::function<bool()> holds_seat;
  /// Null: child runs are refused.
  ChildRuns* children = nullptr;
  /// Null: calls go to the queues, tools are used, steps are done.
  StandIn* stand_in = nullptr;
  /// A run that has only waited for timers and signals for so long is parked; 0: never.
  Duration park_after{};
  /// All are called on the run's turn; either `on_parked` or `on_done` exactly once, last.
  std::function<void(RunProgress)> on_progress;
  std::function<void(WallTime wake)> on_parked;
  /// Empty: nobody reads along.
  std::function<void(const LiveText&)> on_text;
  std::function<void(RunReport)> on_done;
};

/// Step protocol (RUNTIME 5.3): INTENT, with what is set aside of the budget, is durable before a call goes
/// out, RESULT before the workflow hears the answer. A crash between the two leaves an outcome unknown: the
/// call is made again, at most once per crash. `journal` must outlive the actor. Runs on CAF's workers, or
/// pinned to `unit`.
RunActor spawn_run(caf::actor_system& system, RunConfig config, Clock& clock, journal::Journal& journal,
                   Unit* unit = nullptr);

}  // namespace troupe::actors
