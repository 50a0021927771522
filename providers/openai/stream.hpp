// Reads a streamed OpenAI chat completion: SSE chunks become stream events (WIRE 5.1).
#pragma once

#include "providers/dialect.hpp"
#include "providers/extra_members.hpp"
#include "providers/openai/errors.hpp"
#include "providers/sse.hpp"
#include "runtime/json/json.hpp"

#include <map>
#include <optional>

namespace troupe::providers::openai {

/// StreamStarted comes with the first chunk that has a choice (Azure sends one without before it);
/// StreamStopped with the finish_reason; UsageReported and DetailsReported at [DONE], or at the end of the
/// body for servers that leave [DONE] out. Choices beyond the first are ignored. An `error` in the stream
/// ends it with its class and maybe_billed.
class ChatStreamDecoder final : public StreamDecoder {
 public:
  /// What an error inside the stream means; containers have words of their own.
  using ReadError = Error (*)(const Json& chunk);
  explicit ChatStreamDecoder(ReadError read_error = classify_in_stream) : read_error_(read_error) {}
  Result<void> feed(std::string_view bytes, std::vector<StreamEvent>& out) override;
  Result<void> finish(std::vector<StreamEvent>& out) override;

 private:
  Result<void> on_data(std::string_view data, std::vector<StreamEvent>& out);
  Result<void> on_chunk(const Json& chunk, std::vector<StreamEvent>& out);
  Result<void> on_choice(const Json& choice, std::vector<StreamEvent>& out);
  Result<void> on_delta(const Json& delta, std::vector<StreamEvent>& out);
  Result<void> on_tool_fragment(const Json& fragment, std::vector<StreamEvent>& out);
  void report_rest(std::vector<StreamEvent>& out);

  ReadError read_error_;
  SseParser sse_;
  std::vector<SseEvent> events_;
  std::optional<Error> failed_;
  /// The provider's tool-call index -> ours, in order of appearance.
  std::map<std::int64_t, int> tool_index_;
  std::int64_t last_tool_ = 0;
  std::optional<Usage> usage_;
  std::string tier_;
  UnknownMembers extra_;
  bool started_ = false;
  bool stopped_ = false;
  bool done_ = false;
  bool refused_ = false;
};

}  // namespace troupe::providers::openai
