// Gemini's answers: chunks of a stream, and a whole answer as the one chunk it is (WIRE 4.2, 6.2, 6.3).
#pragma once

#include "providers/extra_members.hpp"
#include "runtime/json/json.hpp"

#include <troupe/completion.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::providers::vertex {

/// Adds up the chunks of one answer. Calls without an id are named "call_0_X", "call_1_X" … in order of
/// appearance, X of the answer's responseId: other providers want ids to be unique in a conversation. Without
/// a responseId they are "call_0" …. Part kinds we do not carry (code execution, media) are skipped. Usage,
/// trafficType and the unknown members of several chunks: the later says it. Not thread-safe.
class GeminiReader {
 public:
  /// Fails with the class of an `error` inside (maybe_billed), content_filtered for a blocked prompt, and
  /// stream_broken for a chunk of another shape or content after the finishReason.
  Result<void> on_chunk(const Json& chunk, std::vector<StreamEvent>& out);
  /// The answer is over: UsageReported and DetailsReported. stream_broken unless a finishReason was seen.
  Result<void> finish(std::vector<StreamEvent>& out);

 private:
  Result<void> on_candidate(const Json& candidate, std::vector<StreamEvent>& out);
  Result<void> on_part(const Json& part, std::vector<StreamEvent>& out);
  Result<void> on_call(const Json& call, std::string signature, std::vector<StreamEvent>& out);
  void on_usage(const Json& usage);

  bool started_ = false;
  bool stopped_ = false;
  int calls_ = 0;
  /// What ids made here end with.
  std::string id_ending_;
  std::optional<Usage> usage_;
  std::string tier_;
  UnknownMembers extra_;
};

/// A whole answer; fails as the reader does.
Result<Completion> read_gemini_answer(const Json& body);

/// There is no word for tool calls: STOP with a call is tool_calls. A word we do not know is model_error and
/// kept.
StreamStopped read_gemini_finish(std::string_view word, bool has_calls);
const char* gemini_finish_word(StopReason reason);

/// input = prompt + tool use prompt - cached, output = candidates + thoughts. Never negative.
Usage read_gemini_usage(const Json& usage);
/// The inverse, with totalTokenCount. Cache writes count as prompt: the wire has no word for them.
Json write_gemini_usage(const Usage& usage, const std::string& tier);

}  // namespace troupe::providers::vertex
