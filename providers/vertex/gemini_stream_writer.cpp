#include "providers/vertex/gemini_stream_writer.hpp"

#include "providers/extra_members.hpp"
#include "providers/sse.hpp"
#include "providers/vertex/gemini_contents.hpp"
#include "providers/vertex/gemini_decode.hpp"
#include "providers/vertex/google_error.hpp"
#include "runtime/base/overloaded.hpp"

#include <fmt/format.h>

#include <chrono>
#include <utility>

namespace troupe::providers::vertex {
namespace {

// RFC 3339 in UTC; years a WallTime can hold beyond four digits are written as they are.
std::string rfc3339(WallTime time) {
  namespace chrono = std::chrono;
  auto since = chrono::milliseconds(time.ms);
  auto days = chrono::floor<chrono::days>(since);
  chrono::year_month_day date{chrono::sys_days(days)};
  chrono::hh_mm_ss clock{since - days};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count() * 1000);
}

Json reasoning_part(const ReasoningDelta& said) {
  if (!said.text.empty()) return thought_part({said.text, said.signature, {}});
  auto part = text_part({});
  part["thoughtSignature"] = said.signature;
  return part;
}

}  // namespace

void put_gemini_envelope(Json& body, const std::string& model, const AnswerHead& head) {
  if (!model.empty()) body["modelVersion"] = model;
  body["createTime"] = rfc3339(head.created);
  body["responseId"] = head.id;
}

Json write_answer_parts(const std::vector<Part>& parts) {
  Json out = Json::array();
  for (const auto& part : parts) {
    if (const auto* text = std::get_if<TextPart>(&part)) out.push_back(text_part(text->text));
    if (const auto* use = std::get_if<ToolUsePart>(&part)) out.push_back(call_part(*use));
    const auto* said = std::get_if<ReasoningPart>(&part);
    if (said == nullptr) continue;
    if (!said->text.empty())
      out.push_back(thought_part(*said));
    else if (!said->signature.empty())
      sign_last(out, said->signature);
  }
  return out;
}

std::string GeminiStreamWriter::write(const StreamEvent& event) {
  std::visit(Overloaded{
                 [&](const StreamStarted& e) {
                   if (!e.model.empty()) model_ = e.model;
                 },
                 [&](const ToolUseStarted&) { holds_ = true; },
                 [&](const StreamStopped& e) { stopped_ = e; },
                 [&](const UsageReported& e) { usage_ = e.usage; },
                 [&](const DetailsReported& e) { details_ = e; },
                 [](const auto&) {},
             },
             event);
  if (!is_content(event)) return {};
  if (!holds_) return content(event);
  held_.add(event);
  return {};
}

std::string GeminiStreamWriter::content(const StreamEvent& event) {
  Json parts = Json::array();
  if (const auto* text = std::get_if<TextDelta>(&event)) parts.push_back(text_part(text->text));
  const auto* said = std::get_if<ReasoningDelta>(&event);
  if (said != nullptr && said->text.size() + said->signature.size() > 0)
    parts.push_back(reasoning_part(*said));
  return parts.empty() ? std::string() : chunk(std::move(parts), {});
}

std::string GeminiStreamWriter::finish() {
  if (!stopped_) return {};
  auto parts = write_answer_parts(std::move(held_).take().parts);
  if (parts.empty()) parts.push_back(text_part({}));
  bool known = stopped_->unrecognised.empty();
  return chunk(std::move(parts), known ? gemini_finish_word(stopped_->reason) : stopped_->unrecognised);
}

std::string GeminiStreamWriter::write_error(const Error& error) {
  return write_sse(dump_json(google_error_body(google_shape_of(error.code), error)));
}

std::string GeminiStreamWriter::chunk(Json parts, const std::string& finish) {
  Json candidate = Json::object();
  candidate["content"]["role"] = "model";
  candidate["content"]["parts"] = std::move(parts);
  if (!finish.empty()) candidate["finishReason"] = finish;
  Json body = Json::object();
  body["candidates"] = Json::array();
  body["candidates"].push_back(std::move(candidate));
  if (!finish.empty() && usage_) body["usageMetadata"] = write_gemini_usage(*usage_, details_.tier);
  if (!finish.empty() && !usage_ && !details_.tier.empty())
    body["usageMetadata"]["trafficType"] = details_.tier;
  put_gemini_envelope(body, model_, head_);
  if (!finish.empty()) write_unknown_members(details_.extra, body);
  return write_sse(dump_json(body));
}

}  // namespace troupe::providers::vertex
