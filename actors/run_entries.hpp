// What a run's journal entries carry: intents with what was set aside for them, and how children ended. Pure.
#pragma once

#include <troupe/budget.hpp>
#include <troupe/error.hpp>
#include <troupe/workflow.hpp>

#include <cstdint>
#include <string>

namespace troupe::actors {

/// What an INTENT announces. Numbers are stored: never renumber.
enum class IntentOf : std::uint8_t { model = 0, tool = 1 };

struct IntentNote {
  IntentOf of = IntentOf::model;
  Budget reserved;
};
std::string to_payload(const IntentNote& note);
/// An empty payload is a model call from before there were budgets. Fails with invalid_input.
Result<IntentNote> read_intent(const std::string& payload);

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
