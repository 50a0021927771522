// Reads a streamGenerateContent answer: server-sent chunks, and errors that come bare (WIRE 4.2).
#pragma once

#include "providers/dialect.hpp"
#include "providers/sse.hpp"
#include "providers/vertex/gemini_decode.hpp"

#include <optional>
#include <string>

namespace troupe::providers::vertex {

/// The end of one JSON value in bytes that come in pieces of any size: counts brackets outside strings.
class JsonEnd {
 public:
  /// Bytes up to and including the end; npos when it is not among these.
  std::size_t find_in(std::string_view bytes);

 private:
  int depth_ = 0;
  bool in_string_ = false, escaped_ = false;
};

/// There is no final event: the stream is whole when the body ended after a chunk with a finishReason. A line
/// that begins a JSON value instead of a field is an error without its "data:"; at most 1 MiB of it is read.
class GeminiStreamDecoder final : public StreamDecoder {
 public:
  Result<void> feed(std::string_view bytes, std::vector<StreamEvent>& out) override;
  Result<void> finish(std::vector<StreamEvent>& out) override;

 private:
  Result<void> on_sse(std::string_view bytes, std::vector<StreamEvent>& out);
  Result<void> on_bare(std::string_view bytes);
  /// How many bytes come before a line that begins a bare JSON value; all when there is none.
  std::size_t before_bare(std::string_view bytes);

  SseParser sse_;
  std::vector<SseEvent> events_;
  GeminiReader reader_;
  bool line_begins_ = true;
  bool bare_ = false;
  std::string bare_text_;
  JsonEnd bare_end_;
  std::optional<Error> failed_;
};

}  // namespace troupe::providers::vertex
