// Answers questions to a node, by verb, JSON in and out: the same for the command line, the wire and
// embedders.
#pragma once

#include "actors/interfaces.hpp"
#include "actors/run_entries.hpp"
#include "actors/schedule_plan.hpp"
#include "actors/supervisor.hpp"
#include "runtime/json/json.hpp"

#include <troupe/run.hpp>

#include <functional>

namespace troupe::actors {

class ControlRoom;

struct DeskServices {
  std::string node;
  Clock* clock = nullptr;
  /// Answers may come from the simulator of this process.
  bool simulated = false;
  journal::Journal* journal = nullptr;
  SupervisorActor supervisor;
  std::shared_ptr<telemetry::Metrics> metrics;
  std::shared_ptr<CastBoard> board;
  /// Null: no node, only its journal.
  const ControlRoom* control_room = nullptr;
  /// The features' shadows and what they found. Never null.
  std::shared_ptr<Published<std::vector<FeatureShadow>>> shadows =
      std::make_shared<Published<std::vector<FeatureShadow>>>();
  /// Puts a question to a peer whose answer nobody waits for. Null: no node.
  std::function<Result<void>(const std::string& peer, const std::string& verb, const Json& input)> pass_on;
  /// Null: no node, or it has none.
  std::shared_ptr<const std::vector<Scheduled>> schedules;
  /// Of workflows from files: for runs that are submitted without caps.
  FileBudgets file_budgets;
  /// Facts of every endpoint, local and remote; handles unused. Null: no node.
  std::shared_ptr<Published<Roster>> roster_facts;
  /// Has the node read its configuration again, or say what it would change. Null: nobody said where it is.
  std::function<Result<std::string>(bool dry_run)> reload;
  std::function<Result<std::string>(RunSpec)> submit;
  std::function<bool(const std::string& run_id)> cancel;
  std::function<bool(const std::string& run_id, const std::string& name, const std::string& json,
                     std::uint64_t id)>
      signal;
  std::function<std::optional<RunProgress>(const std::string& run_id)> progress;
  std::function<std::size_t()> going;
  /// Why a run does not get on, empty when it does. Null: no node.
  std::function<std::string(const journal::RunRow&)> why_waiting;
};

using Reply = std::function<void(Result<std::string>)>;

/// Thread-safe; may read the journal, so not on an I/O thread. `reply` is called exactly once, perhaps later
/// and on another thread. Fails with not_found for an unknown verb, run or feature, invalid_input for a
/// malformed question.
void answer_question(const DeskServices& services, const std::string& verb, const Json& input, Reply reply);

// The documents, shared with the commands that read a state file directly.
Json to_json(const journal::RunRow& row);
Json to_json(const journal::CostRow& row);
Json to_json(const policy::HealthView& view);
/// One journal entry for `runs export`: payloads in readable form.
/// `of`: what the step's intent announced, if it had one.
Json to_json(const journal::Entry& entry, std::optional<IntentOf> of);
std::vector<Json> export_history(const std::vector<journal::Entry>& entries);
/// What the providers called the models that answered, sorted: says whether a real one did.
std::vector<std::string> reported_models(const std::vector<journal::Entry>& entries);

}  // namespace troupe::actors
