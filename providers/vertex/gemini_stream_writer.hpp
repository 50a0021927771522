// Stream events as streamGenerateContent chunks (WIRE 4.2).
#pragma once

#include "providers/serve.hpp"
#include "runtime/json/json.hpp"

#include <optional>
#include <string>

namespace troupe::providers::vertex {

/// `modelVersion`, `createTime`, `responseId`: what every chunk and answer says of itself.
void put_gemini_envelope(Json& body, const std::string& model, const AnswerHead& head);

/// The parts of an answer as the model would have said them.
Json write_answer_parts(const std::vector<Part>& parts);

/// Text and thoughts go out as they come. Calls travel whole here and may come interleaved, so from the first
/// call on all content waits for StreamStopped. finishReason, usage and details share the last chunk, which
/// finish() writes.
class GeminiStreamWriter final : public StreamWriter {
 public:
  explicit GeminiStreamWriter(AnswerHead head) : head_(std::move(head)), model_(head_.model) {}
  std::string write(const StreamEvent& event) override;
  std::string finish() override;
  std::string write_error(const Error& error) override;

 private:
  std::string content(const StreamEvent& event);
  std::string chunk(Json parts, const std::string& finish);

  AnswerHead head_;
  std::string model_;
  bool holds_ = false;
  CompletionBuilder held_;
  std::optional<StreamStopped> stopped_;
  std::optional<Usage> usage_;
  DetailsReported details_;
};

}  // namespace troupe::providers::vertex
