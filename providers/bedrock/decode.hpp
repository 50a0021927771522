// Converse's words for answers: stop reasons, usage, whole completions (WIRE 1.4, 6.2, 6.3).
#pragma once

#include "providers/extra_members.hpp"
#include "runtime/json/json.hpp"

#include <troupe/completion.hpp>

#include <string>
#include <string_view>

namespace troupe::providers::bedrock {

/// A whole Converse answer. Blocks of kinds we do not carry (citations, media) are skipped; serviceTier is
/// the tier, members beyond those of WIRE 1.4 with a place here are `extra`. Fails with stream_broken when a
/// part that makes it whole is missing; the call may then have been billed.
Result<Completion> read_converse(const Json& body);

/// A word we do not know is model_error, and kept.
StreamStopped read_stop_reason(std::string_view reason);
/// `unrecognised` when there is one, otherwise the word for the reason; `pause` has none and becomes
/// end_turn.
std::string stop_word(StopReason reason, const std::string& unrecognised);

/// Gathers an answer's tier and unknown members, from a whole answer or from the events that close a stream.
class ConverseDetails {
 public:
  /// `object` is the answer, or the payload of messageStop or metadata.
  void take(const Json& object);
  DetailsReported report() const { return {tier_, extra_.text()}; }

 private:
  std::string tier_;
  UnknownMembers extra_;
};
/// The inverse: writes serviceTier and the members of `extra` into an answer or a metadata payload.
void write_details(const DetailsReported& details, Json& body);

/// inputTokens exclude cached ones, as ours do; cacheDetails say what is written for an hour. Never negative.
Usage read_token_usage(const Json& usage);
/// The inverse, with totalTokens; with cacheDetails when something is written for an hour.
Json write_token_usage(const Usage& usage);

}  // namespace troupe::providers::bedrock
