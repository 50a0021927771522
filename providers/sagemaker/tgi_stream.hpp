// TGI's stream of tokens, as server-sent events or as DJL-LMI's JSON lines (WIRE 3).
#pragma once

#include "providers/dialect.hpp"
#include "providers/extra_members.hpp"
#include "providers/serve.hpp"
#include "providers/sse.hpp"
#include "runtime/json/json.hpp"

#include <optional>

namespace troupe::providers::sagemaker {

/// Lines are told from events by the first character, '{'. Special tokens ("</s>") are no content. The event
/// with details or the generated text ends the answer: there is no [DONE]. Token id -1, finish_reason "error"
/// and {"error"} end the stream with their class.
class GenerateStreamDecoder final : public StreamDecoder {
 public:
  explicit GenerateStreamDecoder(std::size_t line_bytes_max = 16 * 1024 * 1024)
      : line_bytes_max_(line_bytes_max), sse_(line_bytes_max) {}
  Result<void> feed(std::string_view bytes, std::vector<StreamEvent>& out) override;
  Result<void> finish(std::vector<StreamEvent>& out) override;

 private:
  enum class Form { unknown, events, lines };
  Result<void> feed_form(std::string_view bytes, std::vector<StreamEvent>& out);
  Result<void> feed_lines(std::string_view bytes, std::vector<StreamEvent>& out);
  Result<void> end_line(std::vector<StreamEvent>& out);
  Result<void> on_data(std::string_view data, std::vector<StreamEvent>& out);
  Result<void> on_answer(const Json& answer, std::vector<StreamEvent>& out);
  void on_end(const Json& answer, const Json* details, std::vector<StreamEvent>& out);

  std::size_t line_bytes_max_;
  Form form_ = Form::unknown;
  SseParser sse_;
  std::vector<SseEvent> events_;
  std::string line_;
  std::optional<Error> failed_;
  UnknownMembers extra_;
  bool started_ = false;
  bool said_ = false;
  bool stopped_ = false;
};

/// Server-sent events as TGI writes them. Text, stop reason and usage have a place; reasoning and tool calls
/// have none and are dropped. The last event waits for finish(), since it holds the usage.
class GenerateStreamWriter final : public StreamWriter {
 public:
  std::string write(const StreamEvent& event) override;
  std::string finish() override;
  std::string write_error(const Error& error) override;

 private:
  std::string token(const TextDelta& event);

  int index_ = 0;
  std::string text_;
  StreamStopped stop_;
  std::optional<Usage> usage_;
  JsonText extra_;
};

}  // namespace troupe::providers::sagemaker
