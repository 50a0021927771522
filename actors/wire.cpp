#include "actors/wire.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace troupe::actors {
namespace {

using protocol::Reader;
using protocol::RecordReader;
using protocol::Writer;

// No honest sender batches more; a larger count is an attempt to make us allocate.
constexpr std::size_t kEventsMax = 65'536;
constexpr auto kLastCause = static_cast<std::uint64_t>(Cause::judge);
constexpr auto kLastState = static_cast<std::uint64_t>(policy::BreakerState::partial);
constexpr auto kLastReason = static_cast<std::uint64_t>(policy::kLastTripReason);

template <class Enum>
Enum read_enum(Reader& reader, std::uint64_t last) {
  auto value = reader.unsigned_integer();
  if (value > last) reader.fail();
  return static_cast<Enum>(std::min(value, last));
}

// Routing sorts by these: what is no number must not get in.
double read_figure(Reader& reader) {
  auto value = reader.real();
  if (std::isfinite(value) && value >= 0) return value;
  reader.fail();
  return 0;
}

// Negative when over, infinite when unlimited.
double read_headroom(Reader& reader) {
  auto value = reader.real();
  if (std::isnan(value)) reader.fail();
  return value;
}

std::uint32_t read_count(Reader& reader) {
  auto value = reader.unsigned_integer();
  if (value > std::numeric_limits<std::uint32_t>::max()) reader.fail();
  return static_cast<std::uint32_t>(value);
}

void write_wall(Writer& writer, WallTime time) { writer.integer(time.ms); }

}  // namespace

void write(Writer& writer, const RunAttemptBody& value) {
  writer.array(7);
  writer.unsigned_integer(value.id);
  writer.text(value.endpoint);
  writer.unsigned_integer(static_cast<std::uint64_t>(value.cause));
  writer.integer(std::chrono::duration_cast<std::chrono::milliseconds>(value.time_left).count());
  writer.boolean(value.wants_events);
  protocol::write(writer, value.request);
  writer.text(value.boundary);
}

void read(Reader& reader, RunAttemptBody& value) {
  RecordReader record(reader, 6);
  value.id = reader.unsigned_integer();
  value.endpoint = reader.text();
  value.cause = read_enum<Cause>(reader, kLastCause);
  value.time_left = std::chrono::milliseconds(std::clamp<std::int64_t>(reader.integer(), 0, 86'400'000));
  value.wants_events = reader.boolean();
  protocol::read(reader, value.request);
  if (record.next()) value.boundary = reader.text();
  record.finish();
}

void write(Writer& writer, const CancelAttemptBody& value) {
  writer.array(1);
  writer.unsigned_integer(value.id);
}

void read(Reader& reader, CancelAttemptBody& value) {
  RecordReader record(reader, 1);
  value.id = reader.unsigned_integer();
  record.finish();
}

void write(Writer& writer, const AttemptEventsBody& value) {
  writer.array(2);
  writer.unsigned_integer(value.id);
  writer.array(value.events.size());
  for (const auto& event : value.events) protocol::write(writer, event);
}

void read(Reader& reader, AttemptEventsBody& value) {
  RecordReader record(reader, 2);
  value.id = reader.unsigned_integer();
  auto count = reader.array();
  if (count > kEventsMax) reader.fail();
  for (std::size_t i = 0; i < count && reader.ok(); ++i) protocol::read(reader, value.events.emplace_back());
  record.finish();
}

void write(Writer& writer, const AttemptEndedBody& value) {
  const auto& result = value.result;
  writer.array(6);
  writer.unsigned_integer(value.id);
  if (result.error)
    protocol::write(writer, *result.error);
  else
    writer.nil();
  protocol::write(writer, result.completion);
  protocol::write(writer, result.record);
  writer.boolean(result.content_seen);
  writer.boolean(result.not_sent);
}

void read(Reader& reader, AttemptEndedBody& value) {
  auto& result = value.result;
  RecordReader record(reader, 6);
  value.id = reader.unsigned_integer();
  if (!reader.nil()) protocol::read(reader, result.error.emplace());
  protocol::read(reader, result.completion);
  protocol::read(reader, result.record);
  result.content_seen = reader.boolean();
  result.not_sent = reader.boolean();
  record.finish();
}

void write(Writer& writer, const AskBody& value) {
  writer.array(3);
  writer.unsigned_integer(value.id);
  writer.text(value.verb);
  writer.text(value.json);
}

void read(Reader& reader, AskBody& value) {
  RecordReader record(reader, 3);
  value.id = reader.unsigned_integer();
  value.verb = reader.text();
  value.json = reader.text();
  record.finish();
}

void write(Writer& writer, const ToldBody& value) {
  writer.array(3);
  writer.unsigned_integer(value.id);
  writer.boolean(value.json.has_value());
  if (value.json)
    writer.text(*value.json);
  else
    protocol::write(writer, value.json.error());
}

void read(Reader& reader, ToldBody& value) {
  RecordReader record(reader, 3);
  value.id = reader.unsigned_integer();
  if (reader.boolean()) {
    value.json = std::string(reader.text());
  } else {
    Error error;
    protocol::read(reader, error);
    value.json = std::unexpected(std::move(error));
  }
  record.finish();
}

void write(Writer& writer, const policy::HealthView& value) {
  writer.array(28);
  writer.text(value.endpoint);
  writer.unsigned_integer(value.version);
  writer.unsigned_integer(static_cast<std::uint64_t>(value.state));
  writer.unsigned_integer(static_cast<std::uint64_t>(value.reason));
  for (double figure : {value.share, value.ttft_p50, value.ttft_p90, value.total_p50, value.total_p90,
                        value.error_share, value.throttle_share})
    writer.real(figure);
  writer.unsigned_integer(value.samples);
  write_wall(writer, value.since);
  write_wall(writer, value.cool_until);
  writer.unsigned_integer(value.in_flight);
  writer.unsigned_integer(value.in_flight_max);
  writer.real(value.input_headroom);
  writer.real(value.output_headroom);
  write_wall(writer, value.throttled_until);
  writer.boolean(value.reachable);
  for (double figure : {value.itl_p50, value.itl_p90, value.timeout_share, value.break_share})
    writer.real(figure);
  writer.unsigned_integer(value.probes);
  write_wall(writer, value.measured);
  writer.boolean(value.proven);
  writer.real(value.ttft_slow);
}

namespace {

// What older neighbours do not write.
void read_newer(RecordReader& record, Reader& reader, policy::HealthView& value) {
  for (auto* figure : {&value.itl_p50, &value.itl_p90, &value.timeout_share, &value.break_share})
    if (record.next()) *figure = read_figure(reader);
  if (record.next()) value.probes = reader.unsigned_integer();
  if (record.next()) value.measured.ms = reader.integer();
  if (record.next()) value.proven = reader.boolean();
  if (record.next()) value.ttft_slow = read_figure(reader);
}

}  // namespace

void read(Reader& reader, policy::HealthView& value) {
  RecordReader record(reader, 20);
  value.endpoint = reader.text();
  value.version = reader.unsigned_integer();
  value.state = read_enum<policy::BreakerState>(reader, kLastState);
  value.reason = read_enum<policy::TripReason>(reader, kLastReason);
  value.share = std::min(read_figure(reader), 1.0);
  for (auto* figure : {&value.ttft_p50, &value.ttft_p90, &value.total_p50, &value.total_p90,
                       &value.error_share, &value.throttle_share})
    *figure = read_figure(reader);
  value.samples = reader.unsigned_integer();
  value.since.ms = reader.integer();
  value.cool_until.ms = reader.integer();
  value.in_flight = read_count(reader);
  value.in_flight_max = read_count(reader);
  value.input_headroom = read_headroom(reader);
  value.output_headroom = read_headroom(reader);
  value.throttled_until.ms = reader.integer();
  value.reachable = reader.boolean();
  read_newer(record, reader, value);
  record.finish();
}

}  // namespace troupe::actors
