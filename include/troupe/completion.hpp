// What comes back: a normalised stream of events, and the whole answer they add up to.
#pragma once

#include <troupe/request.hpp>

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace troupe {

/// Tokens of one attempt. Input is split so that no token is counted twice:
/// total input = input + cache_read + cache_write (WIRE 6.3).
struct Usage {
  std::int64_t input = 0;        ///< uncached input tokens
  std::int64_t output = 0;       ///< generated tokens, reasoning included
  std::int64_t cache_read = 0;   ///< input tokens served from the provider's prompt cache
  std::int64_t cache_write = 0;  ///< input tokens written to it
  std::int64_t reasoning = 0;    ///< part of `output`
  /// Part of cache_write that is kept an hour, at a price of its own; the rest is kept five minutes.
  std::int64_t cache_write_1h = 0;
  /// True when the provider did not say and we counted ourselves (cut streams, silent dialects).
  bool estimated = false;
  /// All tokens of the request, cached or not: what people mean by "input", and what long-context steps of a
  /// price count.
  std::int64_t input_total() const { return input + cache_read + cache_write; }
  friend bool operator==(const Usage&, const Usage&) = default;
};

enum class StopReason {
  stop,
  stop_sequence,
  length,
  tool_calls,
  content_filter,
  context_length,
  pause,
  model_error
};
const char* to_string(StopReason reason);
StopReason stop_reason_from_string(const std::string& name);

/// The provider has begun to answer; no content yet.
struct StreamStarted {
  std::string model;
  friend bool operator==(const StreamStarted&, const StreamStarted&) = default;
};
struct TextDelta {
  std::string text;
  friend bool operator==(const TextDelta&, const TextDelta&) = default;
};
struct ReasoningDelta {
  std::string text;
  std::string signature;
  /// A whole redacted part of its own; then the others are empty.
  std::string redacted;
  friend bool operator==(const ReasoningDelta&, const ReasoningDelta&) = default;
};
/// A tool call opens. Calls are numbered from 0 in order of appearance; deltas name them by index.
struct ToolUseStarted {
  int index = 0;
  std::string id;
  std::string name;
  std::string signature;
  friend bool operator==(const ToolUseStarted&, const ToolUseStarted&) = default;
};
struct ToolInputDelta {
  int index = 0;
  std::string json;
  friend bool operator==(const ToolInputDelta&, const ToolInputDelta&) = default;
};
struct StreamStopped {
  StopReason reason = StopReason::stop;
  /// The provider's word when we do not know it; `reason` is then model_error.
  std::string unrecognised;
  friend bool operator==(const StreamStopped&, const StreamStopped&) = default;
};
struct UsageReported {
  Usage usage;
  friend bool operator==(const UsageReported&, const UsageReported&) = default;
};

/// What the answer says besides its content. At most one, after StreamStopped.
struct DetailsReported {
  std::string tier;
  JsonText extra;
  friend bool operator==(const DetailsReported&, const DetailsReported&) = default;
};

/// A stream is whole only if it held a StreamStopped. Order: Started, deltas, Stopped, then at most one
/// UsageReported and one DetailsReported.
using StreamEvent = std::variant<StreamStarted, TextDelta, ReasoningDelta, ToolUseStarted, ToolInputDelta,
                                 StreamStopped, UsageReported, DetailsReported>;

/// Is this content a user would see (so that switching endpoints after it would repeat or lose text)?
bool is_content(const StreamEvent& event);

/// A whole answer.
struct Completion {
  /// Text, reasoning and tool-use parts, in the order they came.
  std::vector<Part> parts;
  StopReason stop = StopReason::stop;
  Usage usage;
  /// The model id the provider reported; empty when it did not.
  std::string model;
  /// The kind of capacity that served it, in the provider's word ("PROVISIONED_THROUGHPUT", "priority");
  /// empty when it did not say.
  std::string tier;
  /// A JSON object of the answer's members that have no place of their own here; empty when there are none.
  JsonText extra;
  /// The provider's word for `stop` when we do not know it.
  std::string unrecognised_stop;

  /// All text parts joined.
  std::string text() const;
  friend bool operator==(const Completion&, const Completion&) = default;
};

/// Adds stream events up to a Completion. One per attempt; not thread-safe.
class CompletionBuilder {
 public:
  void add(const StreamEvent& event);
  /// Has the final event been seen? Without it the answer is truncated and must not look whole.
  bool whole() const { return stopped_; }
  /// The sum so far. Tool inputs that stayed empty become "{}".
  Completion take() &&;
  const Completion& peek() const { return sum_; }

 private:
  Completion sum_;
  std::vector<std::size_t> tool_part_;  // tool index -> position in sum_.parts
  bool stopped_ = false;
};

}  // namespace troupe
