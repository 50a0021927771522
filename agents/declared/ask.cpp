#include "agents/declared/ask.hpp"

#include <troupe/structured.hpp>

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

}  // namespace

Task<Result<Json>> ask_text(Workflow& wf, StepKey key, CompletionRequest request) {
  auto tokens_max = request.output_tokens_max;
  auto call = wf.complete(std::move(key), std::move(request));
  auto answer = co_await call;
  if (!answer) co_return std::unexpected(answer.error());
  if (auto error = unusable(answer->completion, tokens_max)) co_return std::unexpected(*error);
  co_return Json(answer->completion.text());
}

Task<Result<Json>> ask_json(Workflow& wf, StepKey key, CompletionRequest request) {
  auto asking = complete_json(wf, std::move(key), std::move(request));
  auto answer = co_await asking;
  if (!answer) co_return std::unexpected(answer.error());
  co_return parse_json(answer->value.text);
}

}  // namespace troupe::declared
