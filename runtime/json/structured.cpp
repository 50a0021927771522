// Ask, read, validate, ask again.
#include <troupe/structured.hpp>

#include "runtime/base/overloaded.hpp"
#include "runtime/base/rng.hpp"
#include "runtime/json/schema.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe {
namespace {

constexpr int kRepairsMax = 8;
// A wrong answer is shown back to the model only so far: it is the reason that helps.
constexpr std::size_t kShownBackMax = 4000;
constexpr int kOutputTokensMax = 16'384;

std::string_view fenced(std::string_view text) {
  auto open = text.find("```");
  if (open == std::string_view::npos) return {};
  auto line = text.find('\n', open);
  if (line == std::string_view::npos) return {};
  auto close = text.find("```", line);
  return close == std::string_view::npos ? std::string_view{} : text.substr(line + 1, close - line - 1);
}

std::string_view between_braces(std::string_view text) {
  auto open = text.find_first_of("{[");
  auto close = text.find_last_of("}]");
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return {};
  return text.substr(open, close - open + 1);
}

Result<Json> parsed_schema(const CompletionRequest& request) {
  if (!request.response_schema) return fail(Errc::invalid_input, "a typed call needs a response schema");
  auto schema = parse_json(request.response_schema->schema.text);
  if (!schema) return schema;
  if (auto good = check_schema(*schema); !good) return std::unexpected(good.error());
  return schema;
}

// Why this answer can be read no further, whatever its text.
Result<void> check_stop(const Completion& completion) {
  if (completion.stop == StopReason::content_filter)
    return fail(Errc::content_filtered, "refused by the provider's safety system");
  if (completion.stop == StopReason::context_length)
    return fail(Errc::context_length_exceeded, "the prompt is too long for the model");
  return {};
}

Result<JsonText> read_structured(const Completion& completion, const Json& schema) {
  auto found = json_of_answer(completion.text());
  if (!found && completion.stop == StopReason::length)
    return fail(Errc::invalid_input, "the answer was cut short");
  if (!found) return found;
  auto value = parse_json(found->text);
  if (!value) return std::unexpected(value.error());
  if (auto fits = validate_json(*value, schema); !fits) return std::unexpected(fits.error());
  return JsonText{dump_json(*value)};
}

CompletionRequest repair_of(CompletionRequest request, const Completion& answer, const std::string& reason) {
  auto shown = answer.text().substr(0, kShownBackMax);
  // Providers refuse empty messages, and half a character.
  shown = shown.empty() ? "(nothing)" : to_valid_utf8(shown);
  request.messages.push_back({Role::assistant, {TextPart{.text = std::move(shown)}}});
  auto ask = fmt::format(
      "That answer cannot be used: {}. Answer again with JSON only, of exactly the asked shape{}.", reason,
      answer.stop == StopReason::length ? ", and shorter" : "");
  request.messages.push_back({Role::user, {TextPart{.text = std::move(ask)}}});
  if (answer.stop == StopReason::length)
    request.output_tokens_max = std::min(request.output_tokens_max * 2, kOutputTokensMax);
  return request;
}

std::uint64_t part_hash(const Part& part, std::uint64_t salt) {
  return std::visit(Overloaded{
                        [&](const TextPart& p) { return stable_hash(p.text, salt); },
                        [&](const ImagePart& p) { return stable_hash(p.bytes, salt + 1); },
                        [&](const ToolUsePart& p) {
                          return stable_hash(p.input.text, stable_hash(p.name, stable_hash(p.id, salt + 2)));
                        },
                        [&](const ToolResultPart& p) {
                          return stable_hash(p.text, stable_hash(p.tool_use_id, salt + (p.is_error ? 4 : 3)));
                        },
                        [&](const ReasoningPart& p) { return stable_hash(p.text, salt + 5); },
                    },
                    part);
}

}  // namespace

Result<JsonText> json_of_answer(std::string_view text) {
  for (auto piece : {text, fenced(text), between_braces(text)}) {
    if (piece.empty()) continue;
    if (auto value = parse_json(piece); value && (value->is_object() || value->is_array()))
      return JsonText{dump_json(*value)};
  }
  return fail(Errc::invalid_input, "the answer holds no JSON");
}

std::string request_hash(const CompletionRequest& request) {
  auto hash = stable_hash(request.feature);
  for (const auto& message : request.messages) {
    hash = stable_hash("message", hash + static_cast<std::uint64_t>(message.role));
    for (const auto& part : message.parts) hash = part_hash(part, hash);
  }
  for (const auto& tool : request.tools)
    hash = stable_hash(tool.input_schema.text, stable_hash(tool.description, stable_hash(tool.name, hash)));
  hash = stable_hash(request.forced_tool, hash + static_cast<std::uint64_t>(request.tool_choice));
  if (request.response_schema) hash = stable_hash(request.response_schema->schema.text, hash);
  hash = stable_hash(
      fmt::format("{}/{}", request.output_tokens_max, request.reasoning_tokens_max.value_or(0)), hash);
  return fmt::format("{:016x}", hash);
}

Task<Result<StructuredAnswer>> complete_json(Workflow& wf, StepKey key, CompletionRequest request,
                                             int repairs_max) {
  auto schema = parsed_schema(request);
  if (!schema) co_return std::unexpected(schema.error());
  StructuredAnswer out;
  std::string problem;
  auto first_id = key.id;
  int tries = 1 + std::clamp(repairs_max, 0, kRepairsMax);
  for (int i = 0; i < tries; ++i) {
    if (i > 0) {
      request = repair_of(std::move(request), out.answers.back().completion, problem);
      key.id = fmt::format("{}{}repair-{}", first_id, first_id.empty() ? "" : "/", i);
    }
    auto call = wf.complete(key, request);
    auto answer = co_await call;
    if (!answer) co_return std::unexpected(answer.error());
    out.answers.push_back(std::move(*answer));
    const auto& completion = out.answers.back().completion;
    if (auto whole = check_stop(completion); !whole) co_return std::unexpected(whole.error());
    auto value = read_structured(completion, *schema);
    if (value) {
      out.value = std::move(*value);
      co_return out;
    }
    problem = value.error().what;
  }
  co_return fail(Errc::invalid_input, fmt::format("no usable answer in {} tries: {}", tries, problem));
}

}  // namespace troupe
