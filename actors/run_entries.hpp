// What a run's journal entries carry: intents with what was set aside for them, and how children ended. Pure.
#pragma once

#include <troupe/budget.hpp>
#include <troupe/error.hpp>
#include <troupe/workflow.hpp>

#include <cstdint>
#include <string>
#include <variant>

namespace troupe::actors {

/// What an INTENT announces. Numbers are stored: never renumber.
enum class IntentOf : std::uint8_t { model = 0, tool = 1 };

struct IntentNote {
  IntentOf of = IntentOf::model;
  Budget reserved;
  /// The budget was nearly spent: the cheaper tier was asked.
  bool cheaper = false;
};
std::string to_payload(const IntentNote& note);
/// An empty payload is a model call from before there were budgets. Fails with invalid_input.
Result<IntentNote> read_intent(const std::string& payload);

/// What a NOTE says beside the step protocol, so that the record holds everything the workflow was told.
/// Resuming needs none of them.
///
/// A step came to an end that is not for good: a call failed for a passing reason, our own work did, or what
/// was announced was not begun since the run stopped. Resumed, it is done again.
struct FailedNote {
  Error error;
  /// Of the budget, when that is known; else all that was set aside counts as used.
  Budget used;
  bool unknown = false;
};
/// The budget has come to this stage.
struct StageNote {
  BudgetStage stage = BudgetStage::plenty;
};
using RunNote = std::variant<FailedNote, StageNote>;
std::string to_payload(const RunNote& note);
Result<RunNote> read_note(const std::string& payload);

/// What CHILD_START announces.
struct ChildNote {
  std::string run_id;
  Budget slice;
};
std::string to_payload(const ChildNote& note);
Result<ChildNote> read_child(const std::string& payload);

/// What CHILD_END records: its result, or why it has none, and in either case what it used.
struct ChildOutcome {
  Result<ChildEnd> end;
  Budget spent;
};
std::string to_payload(const ChildOutcome& outcome);
Result<ChildOutcome> read_outcome(const std::string& payload);

/// The caps of a run as its row keeps them: a JSON object of those that are set, "" when none is; wall time
/// as "wall_s". invalid_input for an unknown or malformed member.
std::string budget_json(const Budget& budget);
Result<Budget> read_budget(const std::string& json);

}  // namespace troupe::actors
