#include "providers/sagemaker/tgi_stream.hpp"

#include "providers/sagemaker/errors.hpp"
#include "providers/sagemaker/tgi.hpp"

#include <utility>

namespace troupe::providers::sagemaker {
namespace {

std::unexpected<Error> broken_generate_stream(const char* what) { return fail(Errc::stream_broken, what); }

std::string generate_event(const Json& data) { return "data:" + dump_json(data) + "\n\n"; }

}  // namespace

Result<void> GenerateStreamDecoder::feed(std::string_view bytes, std::vector<StreamEvent>& out) {
  if (failed_) return std::unexpected(*failed_);
  auto result = feed_form(bytes, out);
  if (!result) failed_ = result.error();
  return result;
}

Result<void> GenerateStreamDecoder::feed_form(std::string_view bytes, std::vector<StreamEvent>& out) {
  if (form_ == Form::unknown) {
    auto first = bytes.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) return {};
    bytes.remove_prefix(first);
    form_ = bytes.front() == '{' ? Form::lines : Form::events;
  }
  if (form_ == Form::lines) return feed_lines(bytes, out);
  events_.clear();
  auto result = sse_.feed(bytes, events_);
  for (const auto& event : events_)
    if (auto read = on_data(event.data, out); !read) return read;
  return result;
}

Result<void> GenerateStreamDecoder::feed_lines(std::string_view bytes, std::vector<StreamEvent>& out) {
  while (!bytes.empty()) {
    auto end = bytes.find('\n');
    auto piece = bytes.substr(0, end);
    if (line_.size() + piece.size() > line_bytes_max_)
      return broken_generate_stream("a line of the stream exceeds the size limit");
    line_ += piece;
    if (end == std::string_view::npos) return {};
    bytes.remove_prefix(end + 1);
    if (auto ok = end_line(out); !ok) return ok;
  }
  return {};
}

Result<void> GenerateStreamDecoder::end_line(std::vector<StreamEvent>& out) {
  auto line = std::exchange(line_, {});
  bool blank = line.find_first_not_of(" \t\r") == std::string::npos;
  return blank ? Result<void>() : on_data(line, out);
}

Result<void> GenerateStreamDecoder::finish(std::vector<StreamEvent>& out) {
  if (failed_) return std::unexpected(*failed_);
  // A last line needs no line end; half a one is no JSON.
  if (auto ok = end_line(out); !ok) return ok;
  if (!stopped_) return broken_generate_stream("the stream ended before its last token");
  return {};
}

Result<void> GenerateStreamDecoder::on_data(std::string_view data, std::vector<StreamEvent>& out) {
  if (data == "[DONE]") return {};
  auto answer = parse_json(data);
  if (!answer || !answer->is_object())
    return broken_generate_stream("an event of the stream is not a JSON object");
  return on_answer(*answer, out);
}

Result<void> GenerateStreamDecoder::on_answer(const Json& answer, std::vector<StreamEvent>& out) {
  if (const auto* error = find(answer, "error"); error != nullptr && !error->is_null())
    return std::unexpected(classify_container_error(answer));
  const auto* token = find(answer, "token");
  const auto* details = find(answer, "details");
  if (details != nullptr && !details->is_object()) details = nullptr;
  bool failed = (token != nullptr && get_int(*token, "id") == -1) ||
                (details != nullptr && get_string(*details, "finish_reason") == "error");
  if (failed) return std::unexpected(container_failed());
  const auto* whole = find(answer, "generated_text");
  bool ends = details != nullptr || (whole != nullptr && whole->is_string());
  if (token == nullptr && !ends) return {};
  if (stopped_) return broken_generate_stream("tokens after the last one");
  if (!std::exchange(started_, true)) out.push_back(StreamStarted{});
  auto text = token != nullptr && !get_bool(*token, "special") ? get_string(*token, "text") : std::string();
  if (!text.empty()) {
    said_ = true;
    out.push_back(TextDelta{std::move(text)});
  }
  keep_generate_extra(answer, extra_);
  if (ends) on_end(answer, details, out);
  return {};
}

void GenerateStreamDecoder::on_end(const Json& answer, const Json* details, std::vector<StreamEvent>& out) {
  // A server that streams no tokens says its text here.
  if (auto text = get_string(answer, "generated_text"); !said_ && !text.empty())
    out.push_back(TextDelta{std::move(text)});
  stopped_ = true;
  out.push_back(read_generate_stop(details));
  if (details != nullptr) out.push_back(UsageReported{read_generate_usage(*details)});
  if (auto extra = extra_.text(); !extra.text.empty()) out.push_back(DetailsReported{{}, std::move(extra)});
}

std::string GenerateStreamWriter::write(const StreamEvent& event) {
  if (const auto* text = std::get_if<TextDelta>(&event)) return token(*text);
  if (const auto* stop = std::get_if<StreamStopped>(&event)) stop_ = *stop;
  if (const auto* usage = std::get_if<UsageReported>(&event)) usage_ = usage->usage;
  if (const auto* details = std::get_if<DetailsReported>(&event)) extra_ = details->extra;
  return {};
}

std::string GenerateStreamWriter::token(const TextDelta& event) {
  text_ += event.text;
  ++index_;
  Json said{{"id", index_ + 100}, {"text", event.text}, {"logprob", -0.1}, {"special", false}};
  Json data{{"index", index_}};
  data["token"] = std::move(said);
  data["generated_text"] = nullptr;
  data["details"] = nullptr;
  return generate_event(data);
}

std::string GenerateStreamWriter::finish() {
  Usage unknown{.output = index_, .estimated = true};
  Json last{{"id", 2}, {"text", "</s>"}, {"logprob", -0.01}, {"special", true}};
  Json data{{"index", index_ + 1}};
  data["token"] = std::move(last);
  data["generated_text"] = text_;
  data["details"] = write_generate_details(stop_, usage_.value_or(unknown), extra_);
  return generate_event(data);
}

std::string GenerateStreamWriter::write_error(const Error& error) {
  auto text = error.vendor_text.empty() ? std::string("Request failed during generation") : error.vendor_text;
  return generate_event({{"error", text}, {"error_type", "generation"}});
}

}  // namespace troupe::providers::sagemaker
