// Routing decisions as records that hold all a decision was made from, so that it can be made again.
#pragma once

#include "runtime/json/json.hpp"
#include "runtime/policy/difficulty.hpp"
#include "runtime/policy/dispatcher.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::actors {

/// Writes a feature's decisions down. Most of what two of them were made from is the same: facts for weeks,
/// an endpoint's health until somebody calls it. Their bytes are kept as long as the router holds the same
/// values, so that writing costs about as much as deciding did (bench/decision_bench.cpp). Not thread-safe.
class DecisionRecorder {
 public:
  /// msgpack, of this build's own format: for make_again alone. `choice`: what chose the lead; may be null.
  std::string record(const policy::DecisionSink::Decision& decision, const policy::Choice* choice = nullptr);

 private:
  struct Packed {
    std::shared_ptr<const void> of;
    std::string bytes;
  };
  template <class T>
  static const std::string& pack(Packed& kept, const std::shared_ptr<const T>& value);

  std::vector<Packed> facts_, health_;
};

struct DecisionMadeAgain {
  /// As explain_route's, with "at", "draw" and "same".
  Json explanation;
  /// Order, causes, remarks and scores are what was recorded, bit for bit (E9). Not by an order of operators
  /// or a missing sign-off: who was passed over for those is passed over again on the record's word.
  bool same = false;
};
/// Makes the decision again, with this build's code. `invalid_input` for what is no such record, or of
/// another format.
Result<DecisionMadeAgain> make_again(std::string_view record);

}  // namespace troupe::actors
