// Answers, events, errors and attempts as bytes.
#include "runtime/protocol/values.hpp"

#include "runtime/base/overloaded.hpp"
#include "runtime/protocol/fields.hpp"

#include <initializer_list>
#include <string_view>

namespace troupe::protocol {
namespace {

// Tags of StreamEvent on the wire. Numbers are never reused.
enum EventTag : std::uint64_t {
  kStarted = 0,
  kText = 1,
  kReasoning = 2,
  kToolStarted = 3,
  kToolInput = 4,
  kStopped = 5,
  kUsage = 6,
  kDetails = 7
};

StreamEvent read_tool_started(Reader& reader) {
  ToolUseStarted event;
  read_number(reader, event.index);
  event.id = reader.text();
  event.name = reader.text();
  return event;
}

StreamEvent read_tool_input(Reader& reader) {
  ToolInputDelta event;
  read_number(reader, event.index);
  event.json = reader.text();
  return event;
}

StreamEvent read_reasoning(Reader& reader) {
  ReasoningDelta event;
  event.text = reader.text();
  event.signature = reader.text();
  return event;
}

StreamEvent read_details(Reader& reader) {
  DetailsReported event;
  event.tier = reader.text();
  event.extra.text = reader.text();
  return event;
}

// What was added to events later, behind the fields every version writes.
void read_event_tail(Reader& reader, RecordReader& record, StreamEvent& value) {
  if (auto* e = std::get_if<ReasoningDelta>(&value); e != nullptr && record.next())
    e->redacted = reader.text();
  if (auto* e = std::get_if<ToolUseStarted>(&value); e != nullptr && record.next())
    e->signature = reader.text();
  if (auto* e = std::get_if<StreamStopped>(&value); e != nullptr && record.next())
    e->unrecognised = reader.text();
}

StreamEvent read_usage_event(Reader& reader) {
  UsageReported event;
  read(reader, event.usage);
  return event;
}

StreamEvent read_event_body(Reader& reader, RecordReader& record, std::uint64_t tag) {
  constexpr std::size_t kFieldsOf[] = {1, 1, 2, 3, 2, 1, 1, 2};
  if (tag > kDetails) {
    reader.fail();
    return {};
  }
  record.expect(kFieldsOf[tag]);
  switch (tag) {
    case kStarted: return StreamStarted{std::string(reader.text())};
    case kText: return TextDelta{std::string(reader.text())};
    case kReasoning: return read_reasoning(reader);
    case kToolStarted: return read_tool_started(reader);
    case kToolInput: return read_tool_input(reader);
    case kStopped: return StreamStopped{stop_reason_from_string(std::string(reader.text()))};
    case kUsage: return read_usage_event(reader);
    default: return read_details(reader);
  }
}

void begin_event(Writer& writer, EventTag tag, std::size_t fields) {
  writer.array(1 + fields);
  writer.unsigned_integer(tag);
}

void write_texts(Writer& writer, EventTag tag, std::initializer_list<std::string_view> texts) {
  begin_event(writer, tag, texts.size());
  for (auto text : texts) writer.text(text);
}

}  // namespace

void write(Writer& writer, const StreamEvent& value) {
  std::visit(Overloaded{
                 [&](const StreamStarted& e) { write_texts(writer, kStarted, {e.model}); },
                 [&](const TextDelta& e) { write_texts(writer, kText, {e.text}); },
                 [&](const ReasoningDelta& e) {
                   write_texts(writer, kReasoning, {e.text, e.signature, e.redacted});
                 },
                 [&](const ToolUseStarted& e) {
                   begin_event(writer, kToolStarted, 4);
                   writer.integer(e.index);
                   for (const auto* text : {&e.id, &e.name, &e.signature}) writer.text(*text);
                 },
                 [&](const ToolInputDelta& e) {
                   begin_event(writer, kToolInput, 2);
                   writer.integer(e.index);
                   writer.text(e.json);
                 },
                 [&](const StreamStopped& e) {
                   write_texts(writer, kStopped, {to_string(e.reason), e.unrecognised});
                 },
                 [&](const UsageReported& e) {
                   begin_event(writer, kUsage, 1);
                   write(writer, e.usage);
                 },
                 [&](const DetailsReported& e) {
                   write_texts(writer, kDetails, {e.tier, e.extra.text});
                 },
             },
             value);
}

void read(Reader& reader, StreamEvent& value) {
  RecordReader record(reader, 1);
  auto tag = reader.unsigned_integer();
  value = read_event_body(reader, record, tag);
  read_event_tail(reader, record, value);
  record.finish();
}

void write(Writer& writer, const Usage& value) {
  writer.array(7);
  for (auto n : {value.input, value.output, value.cache_read, value.cache_write, value.reasoning})
    writer.integer(n);
  writer.boolean(value.estimated);
  writer.integer(value.cache_write_1h);
}

void read(Reader& reader, Usage& value) {
  RecordReader record(reader, 6);
  for (auto* n : {&value.input, &value.output, &value.cache_read, &value.cache_write, &value.reasoning}) {
    *n = reader.integer();
  }
  value.estimated = reader.boolean();
  if (record.next()) value.cache_write_1h = reader.integer();
  record.finish();
}

void write(Writer& writer, const Completion& value) {
  writer.array(7);
  write_list(writer, value.parts, write_part);
  writer.text(to_string(value.stop));
  write(writer, value.usage);
  writer.text(value.model);
  for (const auto* text : {&value.tier, &value.extra.text, &value.unrecognised_stop}) writer.text(*text);
}

void read(Reader& reader, Completion& value) {
  RecordReader record(reader, 4);
  read_list(reader, value.parts, read_part);
  value.stop = stop_reason_from_string(std::string(reader.text()));
  read(reader, value.usage);
  value.model = reader.text();
  for (auto* text : {&value.tier, &value.extra.text, &value.unrecognised_stop})
    if (record.next()) *text = reader.text();
  record.finish();
}

void write(Writer& writer, const Error& value) {
  writer.array(9);
  writer.text(to_string(value.code));
  writer.text(value.what);
  writer.unsigned_integer(static_cast<std::uint64_t>(value.fault));
  writer.boolean(value.retryable);
  writer.boolean(value.failover);
  writer.boolean(value.counts_for_breaker);
  write_optional(writer, value.retry_after, [](Writer& w, Duration d) { w.integer(d.count()); });
  writer.boolean(value.maybe_billed);
  writer.boolean(value.unrecognised);
}

void read(Reader& reader, Error& value) {
  RecordReader record(reader, 8);
  value.code = errc_from_string(std::string(reader.text()));
  value.what = reader.text();
  value.fault = read_enum(reader, Fault::network);
  value.retryable = reader.boolean();
  value.failover = reader.boolean();
  value.counts_for_breaker = reader.boolean();
  read_optional(reader, value.retry_after, [](Reader& r, Duration& d) { d = Duration(r.integer()); });
  value.maybe_billed = reader.boolean();
  if (record.next()) value.unrecognised = reader.boolean();
  record.finish();
}

void write(Writer& writer, const AttemptRecord& value) {
  writer.array(12);
  writer.text(value.endpoint);
  writer.text(value.model);
  writer.unsigned_integer(static_cast<std::uint64_t>(value.cause));
  writer.integer(value.started.ms);
  writer.integer(value.ttft.count());
  writer.integer(value.total.count());
  write(writer, value.usage);
  writer.real(value.usd);
  writer.text(value.error);
  writer.text(value.price);
  writer.real(value.unit_hours);
  writer.text(value.decision);
}

void read(Reader& reader, AttemptRecord& value) {
  RecordReader record(reader, 9);
  value.endpoint = reader.text();
  value.model = reader.text();
  value.cause = read_enum(reader, Cause::judge);
  value.started.ms = reader.integer();
  value.ttft = Duration(reader.integer());
  value.total = Duration(reader.integer());
  read(reader, value.usage);
  value.usd = reader.real();
  value.error = reader.text();
  if (record.next()) value.price = reader.text();
  if (record.next()) value.unit_hours = reader.real();
  if (record.next()) value.decision = reader.text();
  record.finish();
}

void write(Writer& writer, const Answer& value) {
  writer.array(3);
  write(writer, value.completion);
  write_list(writer, value.attempts, [](Writer& w, const AttemptRecord& a) { write(w, a); });
  writer.boolean(value.replayed);
}

void read(Reader& reader, Answer& value) {
  RecordReader record(reader, 3);
  read(reader, value.completion);
  read_list(reader, value.attempts, [](Reader& r, AttemptRecord& a) { read(r, a); });
  value.replayed = reader.boolean();
  record.finish();
}

}  // namespace troupe::protocol
