// The Run actor: drives one workflow coroutine, journals each step, resumes after a crash.
#pragma once

#include "actors/interfaces.hpp"
#include "actors/unit.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/base/published.hpp"

#include <troupe/run.hpp>

#include <map>

namespace troupe::actors {

using QueueMap = std::map<std::string, FeatureQueueActor>;

struct RunConfig {
  RunSpec spec;
  WorkflowFunction function;
  std::string node;
  std::shared_ptr<const Published<QueueMap>> queues;
  /// Both are called on the run's turn; `on_done` exactly once, last.
  std::function<void(RunProgress)> on_progress;
  std::function<void(RunReport)> on_done;
};

/// Step protocol (RUNTIME 5.3): INTENT is durable before a call goes out, RESULT before the workflow hears
/// the answer. A crash between the two leaves an outcome unknown: the call is made again, at most once per
/// crash. `journal` must outlive the actor.
RunActor spawn_run(caf::actor_system& system, RunConfig config, Clock& clock, journal::Journal& journal);

}  // namespace troupe::actors
