// A model call as bytes.
#include "runtime/base/overloaded.hpp"
#include "runtime/protocol/fields.hpp"
#include "runtime/protocol/values.hpp"

namespace troupe::protocol {
namespace {

// Tags of Part on the wire. Numbers are never reused.
enum PartTag : std::uint64_t {
  kTextPart = 0,
  kImagePart = 1,
  kToolUsePart = 2,
  kToolResultPart = 3,
  kReasoningPart = 4
};

void begin_part(Writer& writer, PartTag tag, std::size_t fields) {
  writer.array(1 + fields);
  writer.unsigned_integer(tag);
}

Part read_text_part(Reader& reader) {
  TextPart part;
  part.text = reader.text();
  part.cache_point = reader.boolean();
  return part;
}

Part read_image_part(Reader& reader) {
  ImagePart part;
  part.media_type = reader.text();
  part.bytes = reader.bytes();
  return part;
}

Part read_tool_use_part(Reader& reader) {
  ToolUsePart part;
  part.id = reader.text();
  part.name = reader.text();
  part.input.text = reader.text();
  return part;
}

Part read_tool_result_part(Reader& reader) {
  ToolResultPart part;
  part.tool_use_id = reader.text();
  part.text = reader.text();
  part.is_error = reader.boolean();
  return part;
}

Part read_reasoning_part(Reader& reader) {
  ReasoningPart part;
  part.text = reader.text();
  part.signature = reader.text();
  return part;
}

void write_text(Writer& writer, const std::string& value) { writer.text(value); }
void read_text(Reader& reader, std::string& value) { value = reader.text(); }
void write_real(Writer& writer, double value) { writer.real(value); }
void read_real(Reader& reader, double& value) { value = reader.real(); }

void write_message(Writer& writer, const Message& message) {
  writer.array(2);
  writer.unsigned_integer(static_cast<std::uint64_t>(message.role));
  write_list(writer, message.parts, write_part);
}

void read_message(Reader& reader, Message& message) {
  RecordReader record(reader, 2);
  message.role = read_enum(reader, Role::assistant);
  read_list(reader, message.parts, read_part);
  record.finish();
}

void write_tool(Writer& writer, const ToolSpec& tool) {
  writer.array(3);
  writer.text(tool.name);
  writer.text(tool.description);
  writer.text(tool.input_schema.text);
}

void read_tool(Reader& reader, ToolSpec& tool) {
  RecordReader record(reader, 3);
  tool.name = reader.text();
  tool.description = reader.text();
  tool.input_schema.text = reader.text();
  record.finish();
}

void write_sampling(Writer& writer, const Sampling& sampling) {
  writer.array(4);
  write_optional(writer, sampling.temperature, write_real);
  write_optional(writer, sampling.top_p, write_real);
  write_list(writer, sampling.stop, write_text);
  write_optional(writer, sampling.seed, [](Writer& w, std::int64_t n) { w.integer(n); });
}

void read_sampling(Reader& reader, Sampling& sampling) {
  RecordReader record(reader, 4);
  read_optional(reader, sampling.temperature, read_real);
  read_optional(reader, sampling.top_p, read_real);
  read_list(reader, sampling.stop, read_text);
  read_optional(reader, sampling.seed, [](Reader& r, std::int64_t& n) { n = r.integer(); });
  record.finish();
}

void write_schema(Writer& writer, const ResponseSchema& schema) {
  writer.array(2);
  writer.text(schema.name);
  writer.text(schema.schema.text);
}

void read_schema(Reader& reader, ResponseSchema& schema) {
  RecordReader record(reader, 2);
  schema.name = reader.text();
  schema.schema.text = reader.text();
  record.finish();
}

void write_labels(Writer& writer, const std::map<std::string, std::string>& labels) {
  writer.map(labels.size());
  for (const auto& [name, value] : labels) {
    writer.text(name);
    writer.text(value);
  }
}

void read_labels(Reader& reader, std::map<std::string, std::string>& labels) {
  labels.clear();
  for (auto left = reader.map(); reader.ok() && left > 0; --left) {
    auto name = reader.text();
    labels[std::string(name)] = reader.text();
  }
}

}  // namespace

void write_part(Writer& writer, const Part& part) {
  std::visit(Overloaded{
                 [&](const TextPart& p) {
                   begin_part(writer, kTextPart, 2);
                   writer.text(p.text);
                   writer.boolean(p.cache_point);
                 },
                 [&](const ImagePart& p) {
                   begin_part(writer, kImagePart, 2);
                   writer.text(p.media_type);
                   writer.bytes(p.bytes);
                 },
                 [&](const ToolUsePart& p) {
                   begin_part(writer, kToolUsePart, 4);
                   writer.text(p.id);
                   writer.text(p.name);
                   writer.text(p.input.text);
                   writer.text(p.signature);
                 },
                 [&](const ToolResultPart& p) {
                   begin_part(writer, kToolResultPart, 3);
                   writer.text(p.tool_use_id);
                   writer.text(p.text);
                   writer.boolean(p.is_error);
                 },
                 [&](const ReasoningPart& p) {
                   begin_part(writer, kReasoningPart, 3);
                   writer.text(p.text);
                   writer.text(p.signature);
                   writer.text(p.redacted);
                 },
             },
             part);
}

void read_part(Reader& reader, Part& part) {
  constexpr std::size_t kFieldsOf[] = {2, 2, 3, 3, 2};
  constexpr Part (*kReaders[])(Reader&) = {read_text_part, read_image_part, read_tool_use_part,
                                           read_tool_result_part, read_reasoning_part};
  RecordReader record(reader, 1);
  auto tag = reader.unsigned_integer();
  if (tag > kReasoningPart) return reader.fail();
  record.expect(kFieldsOf[tag]);
  part = kReaders[tag](reader);
  if (auto* use = std::get_if<ToolUsePart>(&part); use != nullptr && record.next())
    use->signature = reader.text();
  if (auto* said = std::get_if<ReasoningPart>(&part); said != nullptr && record.next())
    said->redacted = reader.text();
  record.finish();
}

void write(Writer& writer, const CompletionRequest& value) {
  writer.array(15);
  writer.text(value.feature);
  writer.text(value.tenant);
  writer.text(value.subject);
  write_list(writer, value.messages, write_message);
  write_list(writer, value.tools, write_tool);
  writer.unsigned_integer(static_cast<std::uint64_t>(value.tool_choice));
  write_sampling(writer, value.sampling);
  write_optional(writer, value.response_schema, write_schema);
  writer.integer(value.output_tokens_max);
  writer.integer(value.deadline.count());
  writer.boolean(value.stream);
  write_labels(writer, value.labels);
  writer.text(value.forced_tool);
  writer.boolean(value.parallel_tools);
  write_optional(writer, value.reasoning_tokens_max, [](Writer& w, int n) { w.integer(n); });
}

void read(Reader& reader, CompletionRequest& value) {
  RecordReader record(reader, 12);
  value.feature = reader.text();
  value.tenant = reader.text();
  value.subject = reader.text();
  read_list(reader, value.messages, read_message);
  read_list(reader, value.tools, read_tool);
  value.tool_choice = read_enum(reader, ToolChoice::none);
  read_sampling(reader, value.sampling);
  read_optional(reader, value.response_schema, read_schema);
  read_number(reader, value.output_tokens_max);
  value.deadline = Duration(reader.integer());
  value.stream = reader.boolean();
  read_labels(reader, value.labels);
  if (record.next()) value.forced_tool = reader.text();
  if (record.next()) value.parallel_tools = reader.boolean();
  if (record.next()) read_optional(reader, value.reasoning_tokens_max, read_number);
  record.finish();
}

}  // namespace troupe::protocol
