// Stream events as the chunks of an OpenAI chat completion (WIRE 5.1, 5.6), and the pieces answers share.
#pragma once

#include "providers/serve.hpp"
#include "runtime/json/json.hpp"

#include <optional>

namespace troupe::providers::openai {

/// The finish_reason for a way to stop. What OpenAI has no word for becomes the nearest: stop_sequence, pause
/// and model_error are "stop", context_length is "length"; a word that no table of ours knew is said again.
std::string finish_word(const StreamStopped& stopped);

/// Our counts as prompt and completion tokens: prompt_tokens include the cached ones (WIRE 6.3).
Json write_chat_usage(const Usage& usage);

/// id, object, created and model.
Json chat_envelope(const char* object, const std::string& model, const AnswerHead& head);

/// Usage and details wait for finish() and leave in one chunk, the last: clients keep the last usage they
/// see, and the order on the wire is content, finish_reason, rest. Without usage the rest goes with an empty
/// choice, which older clients read.
class ChatStreamWriter final : public StreamWriter {
 public:
  explicit ChatStreamWriter(AnswerHead head) : head_(std::move(head)), model_(head_.model) {}
  std::string write(const StreamEvent& event) override;
  std::string finish() override;
  std::string write_error(const Error& error) override;

 private:
  std::string start(const StreamStarted& event);
  std::string tool_started(const ToolUseStarted& event);
  std::string tool_delta(Json call);
  std::string delta(Json fields);
  std::string choice(Json fields, Json finish);
  Json chunk(Json choices, Json usage) const;

  AnswerHead head_;
  std::string model_;
  std::optional<Usage> usage_;
  std::optional<DetailsReported> details_;
};

}  // namespace troupe::providers::openai
