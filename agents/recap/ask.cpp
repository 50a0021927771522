// Asking, reading, and asking again.
#include "agents/recap/ask.hpp"

#include "agents/recap/prompts.hpp"

#include <fmt/format.h>

namespace troupe::recap {
namespace {

// What concerns this prompt alone: the others may well succeed.
bool concerns_only_the_prompt(Errc code) {
  return code == Errc::content_filtered || code == Errc::context_length_exceeded;
}

std::string refusal(StopReason stop) {
  if (stop == StopReason::content_filter) return "refused by the provider's safety system";
  if (stop == StopReason::context_length) return "too long for the model";
  return {};
}

}  // namespace

Questions::Reading Questions::read_answer(const Completion& completion) {
  Reading reading;
  reading.asked.problem = refusal(completion.stop);
  if (!reading.asked.problem.empty()) return reading;
  if (auto claims = read_claims(completion.text())) {
    reading.asked.claims = std::move(*claims);
  } else {
    reading.unreadable = true;
    reading.cut_short = completion.stop == StopReason::length;
    reading.asked.problem = reading.cut_short ? "the answer was cut short" : claims.error().what;
  }
  return reading;
}

Task<Result<Questions::Reading>> Questions::ask_once(StepKey key, CompletionRequest request) {
  if (failed_) co_return std::unexpected(*failed_);
  auto call = wf_.complete(std::move(key), std::move(request));
  auto answer = co_await call;
  if (answer) co_return read_answer(answer->completion);
  const auto& error = answer.error();
  if (!concerns_only_the_prompt(error.code)) {
    if (!failed_) failed_ = error;
    co_return std::unexpected(error);
  }
  Reading reading;
  reading.asked.problem = fmt::format("{}: {}", to_string(error.code), error.what);
  co_return reading;
}

Task<Result<Asked>> Questions::ask(StepKey key, CompletionRequest request) {
  auto hash = content_hash(request);
  key.id = key.id.empty() ? hash : key.id + "/" + hash;
  auto first_try = ask_once(key, request);
  auto first = co_await first_try;
  if (!first) co_return std::unexpected(first.error());
  if (!first->unreadable) co_return std::move(first->asked);

  key.id += "/again";
  auto second_try = ask_once(key, asked_again(request, first->asked.problem, first->cut_short));
  auto second = co_await second_try;
  if (!second) co_return std::unexpected(second.error());
  if (second->unreadable) second->asked.problem += " (asked twice)";
  co_return std::move(second->asked);
}

}  // namespace troupe::recap
