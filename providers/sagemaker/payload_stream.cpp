#include "providers/sagemaker/payload_stream.hpp"

#include "providers/sagemaker/errors.hpp"

#include <algorithm>
#include <utility>

namespace troupe::providers::sagemaker {
namespace {

constexpr std::size_t kPartMax = 1024 * 1024;

std::string in_parts(std::string_view bytes) {
  std::string out;
  auto half = std::clamp<std::size_t>(bytes.size() / 2, 1, kPartMax);
  while (!bytes.empty()) {
    out += payload_part(bytes.substr(0, half));
    bytes.remove_prefix(std::min(half, bytes.size()));
    half = kPartMax;
  }
  return out;
}

}  // namespace

Result<void> PayloadStreamDecoder::feed(std::string_view bytes, std::vector<StreamEvent>& out) {
  return read_frames(frames_, bytes, failed_, [&](const Frame& frame) { return on_frame(frame, out); });
}

Result<void> PayloadStreamDecoder::finish(std::vector<StreamEvent>& out) {
  if (failed_) return std::unexpected(*failed_);
  if (!frames_.between_frames()) return fail(Errc::stream_broken, "the stream ended inside a frame");
  return container_->finish(out);
}

Result<void> PayloadStreamDecoder::on_frame(const Frame& frame, std::vector<StreamEvent>& out) {
  auto type = string_header(frame, ":message-type");
  if (type == "exception" || type == "error") return std::unexpected(classify_frame(frame));
  if (type != "event" || string_header(frame, ":event-type") != "PayloadPart") return {};
  return container_->feed(frame.payload, out);
}

std::string PayloadStreamWriter::write(const StreamEvent& event) {
  return in_parts(container_->write(event));
}

std::string PayloadStreamWriter::finish() { return in_parts(container_->finish()); }

std::string PayloadStreamWriter::write_error(const Error& error) { return write_stream_error(error); }

}  // namespace troupe::providers::sagemaker
