// What surrounds every message between nodes (RUNTIME 5.6).
#pragma once

#include "runtime/protocol/pack.hpp"

#include <troupe/error.hpp>
#include <troupe/time.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace troupe::protocol {

/// The version this build writes. It reads this one and its neighbours; unknown tail fields are ignored.
inline constexpr std::uint32_t kVersion = 1;

/// Control is never dropped and never waits behind data.
enum class Lane : std::uint8_t { control = 0, data = 1, bulk = 2 };
inline constexpr std::size_t kLanes = 3;

/// msgpack array [version, lane, source, epoch, incarnation, seq, ack, credit, kind, deadline_ms, trace,
/// body].
struct Envelope {
  std::uint32_t version = kVersion;
  Lane lane = Lane::data;
  /// Sending node's id. The receiver trusts the key's owner (ZAP User-Id), never this alone.
  std::string source;
  /// The receiver's incarnation as the sender knows it; 0: the sender does not hear the receiver. A stream
  /// belongs to one life of each side, so what was meant for an earlier life is never taken for this one's.
  std::uint64_t epoch = 0;
  /// Grows each time the sending node starts: tells an old life from a new one.
  std::uint64_t incarnation = 0;
  /// Position in this lane's stream to this peer, from 1; 0 for messages outside it (hello, ack).
  std::uint64_t seq = 0;
  /// Highest seq received in order on this lane from the peer (cumulative).
  std::uint64_t ack = 0;
  /// Highest seq the peer may send on this lane (absolute, so a lost or repeated grant does no harm).
  std::uint64_t credit = 0;
  /// What the body is; numbers belong to the sender's layer.
  std::uint32_t kind = 0;
  /// Wall milliseconds after which the receiver drops it unread; 0: never.
  std::int64_t deadline_ms = 0;
  std::string trace;
  std::string body;
};

/// The same fields by reference: what is written from a queue and read from a frame without copying the body.
/// Valid as long as what it was made from.
struct EnvelopeView {
  std::uint32_t version = kVersion;
  Lane lane = Lane::data;
  std::string_view source;
  std::uint64_t epoch = 0;
  std::uint64_t incarnation = 0;
  std::uint64_t seq = 0;
  std::uint64_t ack = 0;
  std::uint64_t credit = 0;
  std::uint32_t kind = 0;
  std::int64_t deadline_ms = 0;
  std::string_view trace;
  std::string_view body;
};

/// Appends; a frame is any number of envelopes one after the other.
void write(Writer& writer, const EnvelopeView& envelope);
/// Reads one envelope. The reader has failed afterwards when the bytes are not one of a version we read: a
/// lane we do not know, a source of more than 255 bytes, a version that is no neighbour.
EnvelopeView read_envelope(Reader& reader);

std::string encode(const Envelope& envelope);
/// invalid_input for anything that is not an envelope of a version we read.
Result<Envelope> decode_envelope(std::string_view bytes);

}  // namespace troupe::protocol
