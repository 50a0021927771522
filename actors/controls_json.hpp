// Operators' orders as JSON: in the journal, between nodes and for people.
#pragma once

#include "runtime/journal/journal.hpp"
#include "runtime/json/json.hpp"
#include "runtime/policy/controls.hpp"

namespace troupe::actors {

Json to_json(const policy::Change& change);
/// invalid_input when it is no order, or one that validate() refuses.
Result<policy::Change> change_from(const Json& json);

/// The row of the journal, and what a restart makes of all rows: those that cannot be read are counted.
journal::ControlRow control_row(const policy::Change& change);
struct Restored {
  policy::Controls controls;
  std::size_t unreadable = 0;
};
Restored restore_controls(const std::vector<journal::ControlRow>& rows);

/// Every order in force and every one undone, for `troupe control list`.
Json controls_json(const policy::Controls& controls, WallTime wall);
Json to_json(const journal::ControlRow& row);

}  // namespace troupe::actors
