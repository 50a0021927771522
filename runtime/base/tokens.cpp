#include "runtime/base/tokens.hpp"

#include "runtime/base/overloaded.hpp"

namespace troupe {
namespace {

std::uint64_t part_tokens(const Part& part) {
  return std::visit(
      Overloaded{
          [](const TextPart& p) { return estimate_tokens(p.text); },
          [](const ImagePart&) { return std::uint64_t{1000}; },
          [](const ToolUsePart& p) { return estimate_tokens(p.name) + estimate_tokens(p.input.text); },
          [](const ToolResultPart& p) { return estimate_tokens(p.text); },
          [](const ReasoningPart& p) { return estimate_tokens(p.text); },
      },
      part);
}

}  // namespace

std::uint64_t estimate_input_tokens(const CompletionRequest& request) {
  std::uint64_t sum = 0;
  for (const auto& message : request.messages) {
    sum += 4;
    for (const auto& part : message.parts) sum += part_tokens(part);
  }
  for (const auto& tool : request.tools)
    sum += estimate_tokens(tool.name) + estimate_tokens(tool.description) +
           estimate_tokens(tool.input_schema.text);
  if (request.response_schema) sum += estimate_tokens(request.response_schema->schema.text);
  return sum;
}

Usage estimate_usage(const CompletionRequest& request, const Completion& so_far) {
  Usage usage;
  usage.input = static_cast<std::int64_t>(estimate_input_tokens(request));
  for (const auto& part : so_far.parts) usage.output += static_cast<std::int64_t>(part_tokens(part));
  usage.estimated = true;
  return usage;
}

}  // namespace troupe
