#include "providers/simulator/tool_answers.hpp"

#include "providers/simulator/tool_choice.hpp"
#include "runtime/base/rng.hpp"
#include "runtime/json/json.hpp"

#include <fmt/format.h>

#include <string>

namespace troupe::providers::simulator {
namespace {

constexpr std::size_t kToolCallsMax = 8;
constexpr std::size_t kWordsBytesMax = 200;

std::string user_words(const CompletionRequest& request) {
  std::string text;
  for (const auto& message : request.messages) {
    if (message.role != Role::user) continue;
    for (const auto& part : message.parts)
      if (const auto* piece = std::get_if<TextPart>(&part)) text = piece->text;
  }
  return text;
}

std::vector<const ToolSpec*> tools_to_call(const CompletionRequest& request) {
  std::vector<const ToolSpec*> out;
  if (request.tools.empty()) return out;
  auto words = user_words(request);
  for (const auto& tool : request.tools) {
    bool forced = tool.name == request.forced_tool;
    bool named = request.tool_choice == ToolChoice::automatic && request.forced_tool.empty() &&
                 words.find(tool.name) != std::string::npos;
    if ((forced || named) && out.size() < kToolCallsMax) out.push_back(&tool);
  }
  bool any = request.tool_choice == ToolChoice::any && request.forced_tool.empty();
  if (any) out.push_back(&request.tools[fitting_tools(request.tools, words).front().tool]);
  if (!request.parallel_tools && out.size() > 1) out.resize(1);
  return out;
}

}  // namespace

std::vector<Part> tool_calls(const CompletionRequest& request, const std::vector<ExtractedPoint>& points) {
  std::vector<Part> out;
  bool unforced = request.forced_tool.empty() && request.tool_choice != ToolChoice::any;
  if (unforced && !repeated_results(request).empty()) return out;
  auto filling = points;
  auto words = user_words(request);
  if (filling.empty()) {
    auto line = readable_sentence(words, LineKind::topic, kWordsBytesMax);
    filling.push_back({.kind = LineKind::topic, .text = line});
  }
  for (const auto* tool : tools_to_call(request)) {
    auto schema = parse_json(tool->input_schema.text);
    auto input = schema ? fill_schema(*schema, filling) : Json::object();
    auto id = fmt::format("call_{:08x}", stable_hash(words + tool->name, out.size()) & 0xffffffff);
    out.emplace_back(ToolUsePart{id, tool->name, {dump_json(input)}, {}});
  }
  return out;
}

std::string repeated_results(const CompletionRequest& request) {
  std::string out;
  if (request.messages.empty()) return out;
  for (const auto& part : request.messages.back().parts) {
    const auto* result = std::get_if<ToolResultPart>(&part);
    if (result == nullptr) continue;
    out += fmt::format("{}{}: {}", out.empty() ? "" : "\n", result->tool_use_id, result->text);
  }
  return out;
}

}  // namespace troupe::providers::simulator
