// What a Messages answer says that a Completion has no member for, both ways: kept by wire key, written back.
#pragma once

#include "providers/extra_members.hpp"

#include <troupe/completion.hpp>

#include <string>

namespace troupe::providers::anthropic {

/// Gathers `tier` (usage.service_tier) and `extra` over one answer or stream. `extra` holds the unknown
/// members of the message by their key, those of its usage inside "usage", and `stop_sequence` when a matched
/// text is named. Bounded as UnknownMembers are.
class AnswerDetails {
 public:
  /// Keeps what is unknown of a message, or of the event or delta that completes it.
  void read_message(const Json& object);
  void read_usage(const Json& usage);
  DetailsReported take() const;

 private:
  std::string tier_;
  UnknownMembers members_;
  UnknownMembers usage_;
};

/// Writes `details` into a message that has a `usage` already; gives it the `stop_sequence` it must have.
void write_details(const DetailsReported& details, Json& message);

}  // namespace troupe::providers::anthropic
