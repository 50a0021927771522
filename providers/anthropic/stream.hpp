// Reads a streamed message: its events one by one, and the server-sent events they usually come in
// (WIRE 5.4).
#pragma once

#include "providers/anthropic/details.hpp"
#include "providers/dialect.hpp"
#include "providers/sse.hpp"
#include "runtime/json/json.hpp"

#include <map>
#include <optional>

namespace troupe::providers::anthropic {

/// What an `error` event means; classify_event unless another service stands in between.
using EventClassifier = Error (*)(const Json& event);

/// Stream events out of Messages events, however those are framed. StreamStarted comes with message_start;
/// StreamStopped, UsageReported and DetailsReported all come with message_stop, the terminal event, so that a
/// stream cut before it never looks whole. Usage is message_start's, overwritten by every member of
/// message_delta's that is not null; if neither has any, Bedrock's invocation metrics stand in. Pings,
/// unknown events, blocks and deltas are skipped. One per stream; at most 1,024 blocks open at once and as
/// many calls.
class MessageEvents {
 public:
  explicit MessageEvents(EventClassifier classify) : classify_(classify) {}
  /// Appends what `event` says. An error is final.
  Result<void> read(const Json& event, std::vector<StreamEvent>& out);
  bool stopped() const { return stopped_; }

 private:
  /// One open content block. `tool` is our number of the call, -1 for other blocks.
  struct Block {
    int tool = -1;
    /// Input that came whole with the block's start; used if no delta follows.
    std::string whole_input;
  };
  Result<void> on_message_start(const Json& event, std::vector<StreamEvent>& out);
  Result<void> on_block_start(const Json& event, std::vector<StreamEvent>& out);
  Result<void> on_tool_start(const Json& block, Block& opened, std::vector<StreamEvent>& out);
  Result<void> on_delta(const Json& event, std::vector<StreamEvent>& out);
  Result<void> on_input_delta(const Json& event, std::string json, std::vector<StreamEvent>& out);
  void on_block_stop(const Json& event, std::vector<StreamEvent>& out);
  void on_message_delta(const Json& event);
  Result<void> on_message_stop(const Json& event, std::vector<StreamEvent>& out);
  void start_once(std::string model, std::vector<StreamEvent>& out);
  void merge_usage(const Json& usage);
  void read_metrics(const Json& event);

  EventClassifier classify_;
  std::map<std::int64_t, Block> open_;
  int tools_ = 0;
  Json usage_ = Json::object();
  AnswerDetails details_;
  std::string stop_reason_;
  bool started_ = false;
  bool stopped_ = false;
};

/// A message as server-sent events. The `event:` line is not needed; data: is.
class MessagesStreamDecoder final : public StreamDecoder {
 public:
  explicit MessagesStreamDecoder(EventClassifier classify) : events_(classify) {}
  Result<void> feed(std::string_view bytes, std::vector<StreamEvent>& out) override;
  Result<void> finish(std::vector<StreamEvent>& out) override;

 private:
  Result<void> on_data(std::string_view data, std::vector<StreamEvent>& out);

  SseParser sse_;
  std::vector<SseEvent> whole_;
  MessageEvents events_;
  std::optional<Error> failed_;
};

}  // namespace troupe::providers::anthropic
