// The public values in msgpack. Each `write` has a `read`; unknown tail fields are ignored, missing ones
// fail. Durations travel as nanoseconds, error codes and stop reasons by name (a name we do not know reads as
// `internal`, `model_error`), other enumerations as numbers (one we do not know fails).
#pragma once

#include "runtime/protocol/pack.hpp"

#include <troupe/completion.hpp>
#include <troupe/error.hpp>
#include <troupe/workflow.hpp>

namespace troupe::protocol {

void write(Writer& writer, const CompletionRequest& value);
void write(Writer& writer, const StreamEvent& value);
void write(Writer& writer, const Completion& value);
void write(Writer& writer, const Usage& value);
/// `vendor_text` is left out: it may hold user content and no one needs it on another node.
void write(Writer& writer, const Error& value);
void write(Writer& writer, const AttemptRecord& value);
void write(Writer& writer, const Answer& value);

void read(Reader& reader, CompletionRequest& value);
void read(Reader& reader, StreamEvent& value);
void read(Reader& reader, Completion& value);
void read(Reader& reader, Usage& value);
void read(Reader& reader, Error& value);
void read(Reader& reader, AttemptRecord& value);
void read(Reader& reader, Answer& value);

template <class T>
std::string to_bytes(const T& value) {
  Writer writer;
  write(writer, value);
  return std::move(writer).take();
}
/// invalid_input when the bytes are not a whole T.
template <class T>
Result<T> from_bytes(std::string_view bytes) {
  Reader reader(bytes);
  T value;
  read(reader, value);
  if (!reader.ok() || !reader.rest().empty()) return fail(Errc::invalid_input, "malformed msgpack record");
  return value;
}

}  // namespace troupe::protocol
