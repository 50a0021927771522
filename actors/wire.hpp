// The bodies of node-to-node messages. Envelopes, acknowledgement and order are runtime/protocol's and
// transport's.
#pragma once

#include "actors/interfaces.hpp"
#include "runtime/protocol/values.hpp"

namespace troupe::actors {

/// Envelope::kind. Numbers are on the wire: never renumber.
enum class WireKind : std::uint32_t {
  run_attempt = 1,
  cancel_attempt = 2,
  attempt_events = 3,
  attempt_ended = 4,
  health = 5,
  ask = 6,
  told = 7,
  /// Carries nothing we read; for measuring the path between actors.
  ballast = 8,
  /// Operators' orders and what is known of them, as JSON.
  controls = 9,
  /// What a node has counted for a rollout, as JSON.
  rollout = 10,
  /// Which endpoints a node serves or waits for, as JSON.
  claims = 11,
};

struct RunAttemptBody {
  std::uint64_t id = 0;  ///< the sender's
  std::string endpoint;
  Cause cause = Cause::primary;
  /// Clocks differ between nodes: what crosses is the time left.
  Duration time_left{};
  bool wants_events = false;
  CompletionRequest request;
  /// As RunAttempt::boundary; a node of the version before does not write it.
  std::string boundary;
};
struct CancelAttemptBody {
  std::uint64_t id = 0;
};
struct AttemptEventsBody {
  std::uint64_t id = 0;
  std::vector<StreamEvent> events;
};
struct AttemptEndedBody {
  std::uint64_t id = 0;
  AttemptResult result;
};
/// A question to a node, by verb, JSON in and out: `submit`, `runs`, `endpoints`, `route explain`, `cost`.
struct AskBody {
  std::uint64_t id = 0;
  std::string verb;
  std::string json;
};
struct ToldBody {
  std::uint64_t id = 0;
  Result<std::string> json;
};

void write(protocol::Writer& writer, const RunAttemptBody& value);
void write(protocol::Writer& writer, const CancelAttemptBody& value);
void write(protocol::Writer& writer, const AttemptEventsBody& value);
void write(protocol::Writer& writer, const AttemptEndedBody& value);
void write(protocol::Writer& writer, const AskBody& value);
void write(protocol::Writer& writer, const ToldBody& value);
void write(protocol::Writer& writer, const policy::HealthView& value);

void read(protocol::Reader& reader, RunAttemptBody& value);
void read(protocol::Reader& reader, CancelAttemptBody& value);
void read(protocol::Reader& reader, AttemptEventsBody& value);
void read(protocol::Reader& reader, AttemptEndedBody& value);
void read(protocol::Reader& reader, AskBody& value);
void read(protocol::Reader& reader, ToldBody& value);
void read(protocol::Reader& reader, policy::HealthView& value);

template <class Body>
std::string body_bytes(const Body& body) {
  protocol::Writer writer;
  write(writer, body);
  return std::move(writer).take();
}
/// invalid_input when the bytes are not a whole Body.
template <class Body>
Result<Body> body_from(std::string_view bytes) {
  protocol::Reader reader(bytes);
  Body body;
  read(reader, body);
  if (!reader.ok() || !reader.rest().empty()) return fail(Errc::invalid_input, "malformed message body");
  return body;
}

}  // namespace troupe::actors
