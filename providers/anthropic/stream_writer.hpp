// Stream events as Messages events: the events themselves, and server-sent events of them (WIRE 5.4).
#pragma once

#include "providers/serve.hpp"
#include "runtime/json/json.hpp"

#include <map>
#include <string>
#include <vector>

namespace troupe::providers::anthropic {

/// The events of one answer, in the order the API sends them: a block is closed before the next one opens.
/// Only a tool call whose input is still incomplete stays open beside others, for calls may interleave.
/// message_delta and message_stop wait for finish, since usage and details come after StreamStopped and
/// belong into them.
class MessageEventWriter {
 public:
  explicit MessageEventWriter(AnswerHead head) : head_(std::move(head)) {}
  void write(const StreamEvent& event, std::vector<Json>& out);
  /// Nothing unless a StreamStopped was written.
  void finish(std::vector<Json>& out);
  const Usage& usage() const { return usage_; }

 private:
  enum class Open { nothing, text, reasoning };
  struct Call {
    int block = 0;
    std::string input;
    bool open = true;
  };
  void start(const StreamStarted& event, std::vector<Json>& out);
  void text(const TextDelta& event, std::vector<Json>& out);
  void reasoning(const ReasoningDelta& event, std::vector<Json>& out);
  void redacted(const ReasoningDelta& event, std::vector<Json>& out);
  void tool_started(const ToolUseStarted& event, std::vector<Json>& out);
  void tool_input(const ToolInputDelta& event, std::vector<Json>& out);
  void switch_to(Open kind, std::vector<Json>& out);
  void close_open(std::vector<Json>& out);
  /// Closes the calls whose input is complete; with `all`, every one.
  void close_calls(bool all, std::vector<Json>& out);

  AnswerHead head_;
  Open open_ = Open::nothing;
  int open_block_ = 0;
  int next_block_ = 0;
  bool signed_ = false;
  bool stopped_ = false;
  std::map<int, Call> calls_;
  StreamStopped stop_;
  Usage usage_;
  DetailsReported details_;
};

class MessagesStreamWriter final : public StreamWriter {
 public:
  explicit MessagesStreamWriter(AnswerHead head) : events_(std::move(head)) {}
  std::string write(const StreamEvent& event) override;
  std::string finish() override;
  std::string write_error(const Error& error) override;

 private:
  MessageEventWriter events_;
};

}  // namespace troupe::providers::anthropic
