// Reads a ConverseStream answer: event-stream frames become stream events (WIRE 1.5).
#pragma once

#include "providers/bedrock/decode.hpp"
#include "providers/dialect.hpp"
#include "providers/eventstream.hpp"
#include "runtime/json/json.hpp"

#include <map>
#include <optional>

namespace troupe::providers::bedrock {

/// StreamStarted (without a model: the service names none) comes with messageStart, StreamStopped with
/// messageStop, UsageReported with metadata, DetailsReported with the end of the stream. Unknown events and
/// the padding member "p" are ignored.
/// Exceptions and error frames end the stream with their class and maybe_billed.
class ConverseStreamDecoder final : public StreamDecoder {
 public:
  Result<void> feed(std::string_view bytes, std::vector<StreamEvent>& out) override;
  Result<void> finish(std::vector<StreamEvent>& out) override;

 private:
  Result<void> on_frame(const Frame& frame, std::vector<StreamEvent>& out);
  Result<void> on_event(std::string_view type, const Json& payload, std::vector<StreamEvent>& out);
  void on_message_stop(const Json& payload, std::vector<StreamEvent>& out);
  void on_metadata(const Json& payload, std::vector<StreamEvent>& out);
  Result<void> on_block_start(const Json& payload, std::vector<StreamEvent>& out);
  Result<void> on_delta(const Json& payload, std::vector<StreamEvent>& out);
  Result<void> on_tool_input(std::int64_t block, std::string json, std::vector<StreamEvent>& out);

  FrameDecoder frames_;
  std::optional<Error> failed_;
  /// contentBlockIndex -> our number of the tool call.
  std::map<std::int64_t, int> tool_index_;
  bool stopped_ = false;
  bool usage_seen_ = false;
  /// Usage that came before messageStop.
  std::optional<Usage> early_usage_;
  ConverseDetails details_;
};

}  // namespace troupe::providers::bedrock
