#include "agents/declared/ask.hpp"

#include <fmt/format.h>

namespace troupe::declared {
namespace {

std::optional<Error> unusable(const Completion& completion, int tokens_max) {
  if (completion.stop == StopReason::content_filter)
    return make_error(Errc::content_filtered, "the provider's safety system ended the answer");
  if (completion.stop == StopReason::context_length)
    return make_error(Errc::context_length_exceeded, "the model's window was too small for the answer");
  if (completion.stop == StopReason::length)
    return make_error(Errc::invalid_input,
                      fmt::format("the answer was cut at {} tokens; raise output_tokens_max", tokens_max));
  return std::nullopt;
}

CompletionRequest asked_once_more(CompletionRequest request, const std::string& answer,
                                  const std::string& why) {
  Message said{Role::assistant, {TextPart{answer.empty() ? "(nothing)" : answer}}};
  Message again{Role::user, {TextPart{why + ". Answer once more, with the JSON alone."}}};
  request.messages.push_back(std::move(said));
  request.messages.push_back(std::move(again));
  return request;
}

}  // namespace

Result<Json> json_in_answer(std::string_view text) {
  auto whole = parse_json(text);
  if (whole) return whole;
  if (auto fence = text.find("```"); fence != std::string_view::npos) {
    auto begin = text.find('\n', fence);
    auto end = begin == std::string_view::npos ? begin : text.find("```", begin);
    if (end != std::string_view::npos)
      if (auto inside = parse_json(text.substr(begin, end - begin))) return inside;
  }
  auto begin = text.find_first_of("{["), end = text.find_last_of("}]");
  if (begin == std::string_view::npos || end == std::string_view::npos || end < begin)
    return fail(Errc::invalid_input, "there is no JSON in the answer");
  return parse_json(text.substr(begin, end - begin + 1));
}

Task<Result<Json>> ask_text(Workflow& wf, StepKey key, CompletionRequest request) {
  auto tokens_max = request.output_tokens_max;
  auto call = wf.complete(std::move(key), std::move(request));
  auto answer = co_await call;
  if (!answer) co_return std::unexpected(answer.error());
  if (auto error = unusable(answer->completion, tokens_max)) co_return std::unexpected(*error);
  co_return Json(answer->completion.text());
}

Task<Result<Json>> ask_json(Workflow& wf, StepKey key, CompletionRequest request, int repairs_max) {
  std::string why;
  for (int repair = 0; repair <= repairs_max; ++repair) {
    auto now = key;
    if (repair > 0) now.id += fmt::format("{}repair-{}", key.id.empty() ? "" : "/", repair);
    auto asking = ask_text(wf, std::move(now), request);
    auto text = co_await asking;
    if (!text) co_return std::unexpected(text.error());
    const auto& said = text->get_ref<const std::string&>();
    auto value = json_in_answer(said);
    if (value) co_return value;
    why = "That was no JSON: " + value.error().what;
    request = asked_once_more(std::move(request), said, why);
  }
  co_return fail(Errc::invalid_input, fmt::format("no JSON in {} answers", repairs_max + 1));
}

}  // namespace troupe::declared
