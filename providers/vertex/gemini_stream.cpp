#include "providers/vertex/gemini_stream.hpp"

#include "providers/vertex/google_error.hpp"

#include <utility>

namespace troupe::providers::vertex {
namespace {

constexpr std::size_t kBareErrorMax = 1024 * 1024;

std::unexpected<Error> broken_gemini_stream(const char* what) { return fail(Errc::stream_broken, what); }

}  // namespace

std::size_t JsonEnd::find_in(std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    char c = bytes[i];
    if (in_string_) {
      in_string_ = escaped_ || c != '"';
      escaped_ = !escaped_ && c == '\\';
      continue;
    }
    if (c == '"') in_string_ = true;
    depth_ += c == '{' || c == '[' ? 1 : c == '}' || c == ']' ? -1 : 0;
    if (depth_ == 0) return i + 1;
  }
  return std::string_view::npos;
}

Result<void> GeminiStreamDecoder::feed(std::string_view bytes, std::vector<StreamEvent>& out) {
  if (failed_) return std::unexpected(*failed_);
  auto fields = bare_ ? 0 : before_bare(bytes);
  auto result = on_sse(bytes.substr(0, fields), out);
  if (result && bare_) result = on_bare(bytes.substr(fields));
  if (!result) failed_ = result.error();
  return result;
}

Result<void> GeminiStreamDecoder::finish(std::vector<StreamEvent>& out) {
  if (failed_) return std::unexpected(*failed_);
  if (bare_) return broken_gemini_stream("the stream ended inside an error");
  return reader_.finish(out);
}

std::size_t GeminiStreamDecoder::before_bare(std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    char c = bytes[i];
    if (line_begins_ && (c == '{' || c == '[')) {
      bare_ = true;
      return i;
    }
    line_begins_ = c == '\n' || c == '\r';
  }
  return bytes.size();
}

Result<void> GeminiStreamDecoder::on_sse(std::string_view bytes, std::vector<StreamEvent>& out) {
  events_.clear();
  auto result = sse_.feed(bytes, events_);
  for (const auto& event : events_) {
    auto chunk = parse_json(event.data);
    if (!chunk) return broken_gemini_stream("a chunk of the stream is not JSON");
    if (auto read = reader_.on_chunk(*chunk, out); !read) return read;
  }
  return result;
}

Result<void> GeminiStreamDecoder::on_bare(std::string_view bytes) {
  auto end = bare_end_.find_in(bytes);
  bare_text_ += bytes.substr(0, end);
  if (bare_text_.size() > kBareErrorMax) return broken_gemini_stream("an error exceeds the size limit");
  if (end == std::string_view::npos) return {};
  auto body = parse_json(bare_text_);
  const auto* error = body ? find_google_error(*body) : nullptr;
  if (error == nullptr) return broken_gemini_stream("the stream holds no server-sent events");
  return std::unexpected(classify_google_chunk(*error));
}

}  // namespace troupe::providers::vertex
