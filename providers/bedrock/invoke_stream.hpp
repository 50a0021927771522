// InvokeModelWithResponseStream's frames, both ways: `chunk` events that hold a Messages event in base64
// (WIRE 1.6, 1.7).
#pragma once

#include "providers/anthropic/stream.hpp"
#include "providers/anthropic/stream_writer.hpp"
#include "providers/dialect.hpp"
#include "providers/eventstream.hpp"
#include "providers/serve.hpp"

#include <optional>

namespace troupe::providers::bedrock {

/// The padding member "p" and unknown event types are ignored. Exceptions, modelTimeoutException included,
/// and error frames end the stream with their class and maybe_billed. Whole with message_stop.
class InvokeStreamDecoder final : public StreamDecoder {
 public:
  InvokeStreamDecoder();
  Result<void> feed(std::string_view bytes, std::vector<StreamEvent>& out) override;
  Result<void> finish(std::vector<StreamEvent>& out) override;

 private:
  Result<void> on_frame(const Frame& frame, std::vector<StreamEvent>& out);
  Result<void> on_chunk(const Frame& frame, std::vector<StreamEvent>& out);

  FrameDecoder frames_;
  anthropic::MessageEvents events_;
  std::optional<Error> failed_;
};

/// message_stop carries amazon-bedrock-invocationMetrics with the tokens and the head's latency. An event too
/// large for a frame is written as an internalServerException, and nothing after it: the stream must not look
/// whole without it.
class InvokeStreamWriter final : public StreamWriter {
 public:
  explicit InvokeStreamWriter(AnswerHead head) : latency_(head.latency), events_(std::move(head)) {}
  std::string write(const StreamEvent& event) override;
  std::string finish() override;
  std::string write_error(const Error& error) override;

 private:
  std::string chunks(const std::vector<Json>& events);

  Duration latency_;
  anthropic::MessageEventWriter events_;
  std::size_t chunks_written_ = 0;
  bool broken_ = false;
};

}  // namespace troupe::providers::bedrock
