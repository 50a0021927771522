// The envelope as bytes.
#include "runtime/protocol/envelope.hpp"

namespace troupe::protocol {
namespace {

constexpr std::size_t kEnvelopeFields = 12;
constexpr std::size_t kSourceBytesMax = 255;

// Version 0 was never written.
bool is_version_we_read(std::uint64_t version) { return version >= 1 && version <= kVersion + 1; }

EnvelopeView view_of(const Envelope& e) {
  return {.version = e.version,
          .lane = e.lane,
          .source = e.source,
          .epoch = e.epoch,
          .incarnation = e.incarnation,
          .seq = e.seq,
          .ack = e.ack,
          .credit = e.credit,
          .kind = e.kind,
          .deadline_ms = e.deadline_ms,
          .trace = e.trace,
          .body = e.body};
}

Envelope copy_of(const EnvelopeView& v) {
  return {.version = v.version,
          .lane = v.lane,
          .source = std::string(v.source),
          .epoch = v.epoch,
          .incarnation = v.incarnation,
          .seq = v.seq,
          .ack = v.ack,
          .credit = v.credit,
          .kind = v.kind,
          .deadline_ms = v.deadline_ms,
          .trace = std::string(v.trace),
          .body = std::string(v.body)};
}

}  // namespace

void write(Writer& writer, const EnvelopeView& envelope) {
  writer.array(kEnvelopeFields);
  writer.unsigned_integer(envelope.version);
  writer.unsigned_integer(static_cast<std::uint64_t>(envelope.lane));
  writer.text(envelope.source);
  writer.unsigned_integer(envelope.epoch);
  writer.unsigned_integer(envelope.incarnation);
  writer.unsigned_integer(envelope.seq);
  writer.unsigned_integer(envelope.ack);
  writer.unsigned_integer(envelope.credit);
  writer.unsigned_integer(envelope.kind);
  writer.integer(envelope.deadline_ms);
  writer.text(envelope.trace);
  writer.bytes(envelope.body);
}

EnvelopeView read_envelope(Reader& reader) {
  RecordReader record(reader, kEnvelopeFields);
  auto version = reader.unsigned_integer();
  auto lane = reader.unsigned_integer();
  EnvelopeView out;
  out.source = reader.text();
  out.epoch = reader.unsigned_integer();
  out.incarnation = reader.unsigned_integer();
  out.seq = reader.unsigned_integer();
  out.ack = reader.unsigned_integer();
  out.credit = reader.unsigned_integer();
  auto kind = reader.unsigned_integer();
  out.deadline_ms = reader.integer();
  out.trace = reader.text();
  out.body = reader.bytes();
  record.finish();
  bool sane = is_version_we_read(version) && lane < kLanes && kind <= UINT32_MAX &&
              out.source.size() <= kSourceBytesMax;
  if (!sane) reader.fail();
  if (!reader.ok()) return {};
  out.version = static_cast<std::uint32_t>(version);
  out.lane = static_cast<Lane>(lane);
  out.kind = static_cast<std::uint32_t>(kind);
  return out;
}

std::string encode(const Envelope& envelope) {
  Writer writer;
  write(writer, view_of(envelope));
  return std::move(writer).take();
}

Result<Envelope> decode_envelope(std::string_view bytes) {
  Reader reader(bytes);
  auto view = read_envelope(reader);
  if (!reader.ok() || !reader.rest().empty()) return fail(Errc::invalid_input, "not an envelope we read");
  return copy_of(view);
}

}  // namespace troupe::protocol
