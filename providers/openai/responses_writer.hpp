// Stream events as the events of an OpenAI response, and as the response they add up to (WIRE 5.2, 5.6).
#pragma once

#include "providers/serve.hpp"
#include "runtime/json/json.hpp"

#include <map>
#include <optional>
#include <string_view>
#include <vector>

namespace troupe::providers::openai {

/// Writes the order official clients accepted: created, in_progress, then per item added, deltas and done,
/// and last the whole response. Text and reasoning items close when another begins; function calls stay open
/// until the end, since calls may interleave. Shown reasoning is a summary; a redacted part is the
/// encrypted_content of the item it follows, or of one of its own. Signatures have no place here.
/// Ways to stop without a status of their own: context_length is incomplete by max_output_tokens,
/// stop_sequence and pause are completed, model_error is failed without an error, or incomplete by the word
/// that no table of ours knew.
class ResponseStreamWriter final : public StreamWriter {
 public:
  explicit ResponseStreamWriter(AnswerHead head);
  std::string write(const StreamEvent& event) override;
  std::string finish() override;
  std::string write_error(const Error& error) override;
  /// The whole response, once StreamStopped was written.
  Json response() const;

 private:
  enum class Kind { message, reasoning, call };
  struct Item {
    Kind kind = Kind::message;
    std::string id, text, encrypted, call_id, name;
    bool open = true;
    /// Has the reasoning item a summary part?
    bool shown = false;
  };

  std::string started(const StreamStarted& event);
  std::string said(const std::string& text);
  std::string thought(const ReasoningDelta& event);
  std::string call_started(const ToolUseStarted& event);
  std::string call_input(const ToolInputDelta& event);
  std::string stopped(const StreamStopped& event);
  /// The open item of this kind, opened (into `out`) when there is none.
  std::size_t open_item(Kind kind, std::string& out);
  std::string close(std::size_t index);
  std::string close_but_calls();
  std::string event(std::string_view type, Json fields);
  Json item_json(const Item& item, bool done) const;
  Json object(const char* status, Json output, Json usage) const;
  std::string next_id(const char* prefix) const;

  AnswerHead head_;
  std::string model_;
  std::vector<Item> items_;
  std::map<int, std::size_t> call_item_;
  std::int64_t sequence_ = 0;
  StreamStopped stop_;
  std::optional<Usage> usage_;
  DetailsReported details_;
};

}  // namespace troupe::providers::openai
