// Reads a streamed OpenAI response: typed server-sent events become stream events (WIRE 5.2).
#pragma once

#include "providers/dialect.hpp"
#include "providers/openai/responses_decode.hpp"
#include "providers/sse.hpp"

#include <map>
#include <optional>
#include <set>
#include <utility>

namespace troupe::providers::openai {

/// StreamStarted comes with the first event that holds a response or content; StreamStopped, UsageReported
/// and DetailsReported with response.completed, .incomplete or .failed, which hold the whole response once
/// more. An `error` event, and a failed response that says why, end the stream with their class and
/// maybe_billed. Events are told by the `type` in their data, so missing `event:` lines do no harm; unknown
/// types are skipped. Servers that leave deltas out and send only the finished text, arguments or item are
/// understood.
class ResponseStreamDecoder final : public StreamDecoder {
 public:
  Result<void> feed(std::string_view bytes, std::vector<StreamEvent>& out) override;
  Result<void> finish(std::vector<StreamEvent>& out) override;

 private:
  /// Output index, and content or summary index within the item.
  using Place = std::pair<std::int64_t, std::int64_t>;

  Result<void> on_sse(const SseEvent& event, std::vector<StreamEvent>& out);
  Result<void> on_event(const std::string& type, const Json& data, std::vector<StreamEvent>& out);
  void on_started(const Json& data, bool content, std::vector<StreamEvent>& out);
  Result<void> on_item_added(const Json& data, std::vector<StreamEvent>& out);
  Result<void> on_arguments(const Json& data, std::string json, bool whole, std::vector<StreamEvent>& out);
  void on_text(const Json& data, std::string text, bool whole, std::vector<StreamEvent>& out);
  void on_reasoning(const Json& data, std::vector<StreamEvent>& out);
  Result<void> on_item_done(const Json& data, std::vector<StreamEvent>& out);
  Result<void> on_ended(const Json& data, std::vector<StreamEvent>& out);

  SseParser sse_;
  std::vector<SseEvent> events_;
  std::optional<Error> failed_;
  /// Output index -> our number of the tool call.
  std::map<std::int64_t, int> tool_index_;
  /// Where something was said already, so that what repeats it whole is not content again.
  std::set<Place> spoken_;
  std::optional<Place> last_summary_;
  int tools_ = 0;
  ResponseSeen seen_;
  bool started_ = false;
  bool stopped_ = false;
};

}  // namespace troupe::providers::openai
