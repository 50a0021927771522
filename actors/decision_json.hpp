// Routing decisions as JSON documents that hold all a decision was made from, so that it can be made again.
#pragma once

#include "runtime/json/json.hpp"
#include "runtime/policy/dispatcher.hpp"

#include <string>
#include <string_view>

namespace troupe::actors {

std::string decision_json(const policy::DecisionSink::Decision& decision);

struct DecisionMadeAgain {
  /// As explain_route's, with "at", "draw" and "same".
  Json explanation;
  /// Order, causes, remarks and scores are what was recorded, bit for bit (E9). Not by an order of operators
  /// or a missing sign-off: who was passed over for those is passed over again on the record's word.
  bool same = false;
};
/// Makes the decision again, with this build's code. `invalid_input` for what is no such document.
Result<DecisionMadeAgain> make_again(std::string_view json);

}  // namespace troupe::actors
