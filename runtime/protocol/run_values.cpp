#include "runtime/protocol/run_values.hpp"

#include "runtime/protocol/fields.hpp"

namespace troupe::protocol {

void write(Writer& writer, const Span& value) {
  writer.array(3);
  writer.text(value.doc);
  writer.unsigned_integer(value.start);
  writer.unsigned_integer(value.end);
}

void read(Reader& reader, Span& value) {
  RecordReader record(reader, 3);
  value.doc = reader.text();
  value.start = reader.unsigned_integer();
  value.end = reader.unsigned_integer();
  record.finish();
}

void write(Writer& writer, const ToolOutput& value) {
  writer.array(3);
  writer.bytes(value.text);
  writer.boolean(value.is_error);
  write_list(writer, value.sources, [](Writer& w, const Span& span) { write(w, span); });
}

void read(Reader& reader, ToolOutput& value) {
  RecordReader record(reader, 3);
  value.text = reader.bytes();
  value.is_error = reader.boolean();
  read_list(reader, value.sources, [](Reader& r, Span& span) { read(r, span); });
  record.finish();
}

void write(Writer& writer, const Budget& value) {
  writer.array(7);
  writer.real(value.usd);
  writer.integer(value.tokens);
  writer.integer(value.calls);
  writer.integer(value.tool_calls);
  writer.integer(value.subagents);
  writer.integer(value.depth);
  writer.integer(value.wall.count());
}

void read(Reader& reader, Budget& value) {
  RecordReader record(reader, 7);
  value.usd = reader.real();
  value.tokens = reader.integer();
  value.calls = reader.integer();
  value.tool_calls = reader.integer();
  value.subagents = reader.integer();
  value.depth = reader.integer();
  value.wall = Duration(reader.integer());
  record.finish();
}

void write(Writer& writer, const ChildEnd& value) {
  writer.array(2);
  writer.text(value.output.text);
  write(writer, value.spent);
}

void read(Reader& reader, ChildEnd& value) {
  RecordReader record(reader, 2);
  value.output.text = reader.text();
  read(reader, value.spent);
  record.finish();
}

}  // namespace troupe::protocol
