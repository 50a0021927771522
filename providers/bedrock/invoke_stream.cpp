#include "providers/bedrock/invoke_stream.hpp"

#include "providers/anthropic/errors.hpp"
#include "providers/bedrock/errors.hpp"
#include "providers/bedrock/stream_writer.hpp"
#include "providers/text.hpp"

#include <chrono>

namespace troupe::providers::bedrock {
namespace {

std::unexpected<Error> broken_invoke_stream(const char* what) { return fail(Errc::stream_broken, what); }

Json invocation_metrics(const Usage& usage, Duration latency) {
  auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(latency).count();
  Json metrics{{"inputTokenCount", usage.input}, {"outputTokenCount", usage.output}};
  metrics["invocationLatency"] = ms;
  metrics["firstByteLatency"] = ms;
  if (usage.cache_read > 0) metrics["cacheReadInputTokenCount"] = usage.cache_read;
  if (usage.cache_write > 0) metrics["cacheWriteInputTokenCount"] = usage.cache_write;
  return metrics;
}

// The service pads chunks with a beginning of this, of random length, to hide the length of what they say.
std::string padding(std::size_t n) {
  constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  return std::string(letters.substr(0, 1 + n * 17 % letters.size()));
}

}  // namespace

InvokeStreamDecoder::InvokeStreamDecoder() : events_(anthropic::classify_event) {}

Result<void> InvokeStreamDecoder::feed(std::string_view bytes, std::vector<StreamEvent>& out) {
  return read_frames(frames_, bytes, failed_, [&](const Frame& frame) { return on_frame(frame, out); });
}

Result<void> InvokeStreamDecoder::finish(std::vector<StreamEvent>&) {
  if (failed_) return std::unexpected(*failed_);
  if (!frames_.between_frames()) return broken_invoke_stream("the stream ended inside a frame");
  if (!events_.stopped()) return broken_invoke_stream("the stream ended without message_stop");
  return {};
}

Result<void> InvokeStreamDecoder::on_frame(const Frame& frame, std::vector<StreamEvent>& out) {
  auto type = string_header(frame, ":message-type");
  if (type == "exception" || type == "error") return std::unexpected(classify_frame(frame));
  if (type != "event" || string_header(frame, ":event-type") != "chunk") return {};
  return on_chunk(frame, out);
}

Result<void> InvokeStreamDecoder::on_chunk(const Frame& frame, std::vector<StreamEvent>& out) {
  auto payload = parse_json(frame.payload);
  if (!payload || !payload->is_object()) return broken_invoke_stream("a chunk is not a JSON object");
  // Bedrock wraps the event in base64; some compatible servers send it bare.
  if (find(*payload, "bytes") == nullptr && find(*payload, "type") != nullptr)
    return events_.read(*payload, out);
  auto bytes = base64_decode(get_string(*payload, "bytes"));
  auto event = bytes ? parse_json(*bytes) : std::unexpected(bytes.error());
  if (!event || !event->is_object()) return broken_invoke_stream("a chunk does not hold a JSON object");
  return events_.read(*event, out);
}

std::string InvokeStreamWriter::write(const StreamEvent& event) {
  std::vector<Json> events;
  events_.write(event, events);
  return chunks(events);
}

std::string InvokeStreamWriter::finish() {
  std::vector<Json> events;
  events_.finish(events);
  if (!events.empty())
    events.back()["amazon-bedrock-invocationMetrics"] = invocation_metrics(events_.usage(), latency_);
  return chunks(events);
}

std::string InvokeStreamWriter::write_error(const Error& error) {
  return ConverseStreamWriter(latency_).write_error(error);
}

std::string InvokeStreamWriter::chunks(const std::vector<Json>& events) {
  std::string out;
  for (const auto& event : events) {
    if (broken_) break;
    Frame frame;
    frame.headers = {{":event-type", std::string("chunk")},
                     {":content-type", std::string("application/json")},
                     {":message-type", std::string("event")}};
    Json payload{{"bytes", base64_encode(dump_json(event))}};
    payload["p"] = padding(chunks_written_++);
    frame.payload = dump_json(payload);
    auto bytes = encode_frame(frame);
    broken_ = !bytes;
    out += bytes ? *bytes : write_error(make_error(Errc::transient_server, "an event exceeds a frame"));
  }
  return out;
}

}  // namespace troupe::providers::bedrock
