// Sums stream events up to a whole answer, and names the reasons for stopping.
#include <troupe/completion.hpp>

#include "runtime/base/overloaded.hpp"

#include <array>
#include <utility>

namespace troupe {
namespace {

constexpr std::array kStopNames{"stop",           "stop_sequence",  "length", "tool_calls",
                                "content_filter", "context_length", "pause",  "model_error"};

// A signature closes a part of reasoning, and what is redacted is a part of its own.
bool begins_reasoning(const std::vector<Part>& parts, const ReasoningDelta& delta) {
  const auto* last = parts.empty() ? nullptr : std::get_if<ReasoningPart>(&parts.back());
  if (last == nullptr || !last->redacted.empty() || !delta.redacted.empty()) return true;
  return !last->signature.empty() && !delta.text.empty();
}

}  // namespace

const char* to_string(StopReason reason) { return kStopNames[static_cast<std::size_t>(reason)]; }

StopReason stop_reason_from_string(const std::string& name) {
  for (std::size_t i = 0; i < kStopNames.size(); ++i)
    if (name == kStopNames[i]) return static_cast<StopReason>(i);
  return StopReason::model_error;
}

bool is_content(const StreamEvent& event) {
  return std::holds_alternative<TextDelta>(event) || std::holds_alternative<ReasoningDelta>(event) ||
         std::holds_alternative<ToolUseStarted>(event) || std::holds_alternative<ToolInputDelta>(event);
}

std::string Completion::text() const {
  std::string out;
  for (const auto& part : parts)
    if (const auto* text = std::get_if<TextPart>(&part)) out += text->text;
  return out;
}

void CompletionBuilder::add(const StreamEvent& event) {
  auto& parts = sum_.parts;
  std::visit(Overloaded{
                 [&](const StreamStarted& e) { sum_.model = e.model; },
                 [&](const TextDelta& e) {
                   if (parts.empty() || !std::holds_alternative<TextPart>(parts.back()))
                     parts.emplace_back(TextPart{});
                   std::get<TextPart>(parts.back()).text += e.text;
                 },
                 [&](const ReasoningDelta& e) {
                   if (begins_reasoning(parts, e)) parts.emplace_back(ReasoningPart{});
                   auto& part = std::get<ReasoningPart>(parts.back());
                   part.text += e.text;
                   part.signature += e.signature;
                   part.redacted += e.redacted;
                 },
                 [&](const ToolUseStarted& e) {
                   auto index = static_cast<std::size_t>(e.index);
                   if (tool_part_.size() <= index) tool_part_.resize(index + 1);
                   tool_part_[index] = parts.size();
                   parts.emplace_back(ToolUsePart{e.id, e.name, {}, e.signature});
                 },
                 [&](const ToolInputDelta& e) {
                   auto index = static_cast<std::size_t>(e.index);
                   if (index < tool_part_.size())
                     std::get<ToolUsePart>(parts[tool_part_[index]]).input.text += e.json;
                 },
                 [&](const StreamStopped& e) {
                   sum_.stop = e.reason;
                   sum_.unrecognised_stop = e.unrecognised;
                   stopped_ = true;
                 },
                 [&](const UsageReported& e) { sum_.usage = e.usage; },
                 [&](const DetailsReported& e) {
                   sum_.tier = e.tier;
                   sum_.extra = e.extra;
                 },
             },
             event);
}

Completion CompletionBuilder::take() && {
  for (auto& part : sum_.parts)
    if (auto* tool = std::get_if<ToolUsePart>(&part); tool != nullptr && tool->input.text.empty())
      tool->input.text = "{}";
  return std::move(sum_);
}

}  // namespace troupe
