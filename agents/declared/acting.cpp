#include "agents/declared/acting.hpp"

#include "agents/declared/ask.hpp"
#include "runtime/base/clock.hpp"

#include <fmt/format.h>

#include <charconv>

namespace troupe::declared {

/// A step whose templates are filled in: what to ask for, and again if it must be.
struct Prepared {
  CompletionRequest request;
  ChildSpec child;
  /// Of a value, and of a signal that did not come in time.
  Json value;
};

namespace {

StepKey key_of(const Step& step, const Place& place, const std::string& more = {}) {
  StepKey key{step.id, place.key_id};
  if (!more.empty()) key.id += (key.id.empty() ? "" : "/") + more;
  return key;
}

Message text_message(Role role, std::string text) {
  Message message{role, {}};
  message.parts.push_back(TextPart{std::move(text)});
  return message;
}

Result<void> prepare(const PromptStep& prompt, const Step& step, const Scope& scope, Prepared& out) {
  auto text = prompt.prompt.text(scope);
  if (!text) return std::unexpected(text.error());
  auto system = prompt.system.text(scope);
  if (!system) return std::unexpected(system.error());
  auto tenant = prompt.tenant.text(scope);
  if (!tenant) return std::unexpected(tenant.error());
  auto& request = out.request;
  request.feature = prompt.feature;
  if (!tenant->empty()) request.tenant = std::move(*tenant);
  if (!system->empty()) request.messages.push_back(text_message(Role::system, std::move(*system)));
  request.messages.push_back(text_message(Role::user, std::move(*text)));
  request.output_tokens_max = prompt.output_tokens_max;
  request.sampling.temperature = prompt.temperature;
  request.deadline = prompt.deadline;
  request.labels["step"] = step.id;
  if (prompt.schema) request.response_schema = ResponseSchema{step.id, *prompt.schema};
  return {};
}

Result<Prepared> prepared(const Step& step, const Scope& scope) {
  Prepared out;
  if (const auto* prompt = std::get_if<PromptStep>(&step.action)) {
    if (auto ready = prepare(*prompt, step, scope, out); !ready) return std::unexpected(ready.error());
  } else if (const auto* child = std::get_if<ChildStep>(&step.action)) {
    auto input = child->input.value(scope);
    if (!input) return std::unexpected(input.error());
    out.child = {child->workflow, {dump_json(*input)}, child->slice};
  } else if (const auto* signal = std::get_if<SignalStep>(&step.action); signal && signal->otherwise) {
    auto value = signal->otherwise->value(scope);
    if (!value) return std::unexpected(value.error());
    out.value = std::move(*value);
  } else if (const auto* plain = std::get_if<ValueStep>(&step.action)) {
    auto value = plain->value.value(scope);
    if (!value) return std::unexpected(value.error());
    out.value = std::move(*value);
  }
  return out;
}

// ---- time ----

// What the clock says now; on a replay what it said then.
Task<Result<WallTime>> moment(Going& going, StepKey key) {
  std::function<Result<JsonText>()> body = [&clock = going.clock]() -> Result<JsonText> {
    return JsonText{std::to_string(clock.wall().ms)};
  };
  auto reading = going.wf.step(std::move(key), std::move(body));
  auto text = co_await reading;
  if (!text) co_return std::unexpected(text.error());
  WallTime out;
  std::from_chars(text->text.data(), text->text.data() + text->text.size(), out.ms);
  co_return out;
}

Task<Result<void>> pause(Going& going, StepKey key, Duration length) {
  auto began = key;
  began.id += (key.id.empty() ? "" : "/") + std::string("began");
  auto asking = moment(going, std::move(began));
  auto now = co_await asking;
  if (!now) co_return std::unexpected(now.error());
  auto when = WallTime{now->ms + std::chrono::duration_cast<std::chrono::milliseconds>(length).count()};
  auto sleeping = going.wf.sleep_until(std::move(key), when);
  auto slept = co_await sleeping;
  co_return slept;
}

// ---- signals ----

Task<Result<std::optional<Json>>> heard(Going& going, StepKey key) {
  auto waiting = going.wf.signal(std::move(key));
  auto json = co_await waiting;
  if (!json) co_return std::unexpected(json.error());
  auto value = parse_json(json->text.empty() ? "null" : json->text);
  if (!value) co_return fail(Errc::invalid_input, "what was signalled is no JSON");
  co_return std::optional<Json>(std::move(*value));
}

Task<Result<std::optional<Json>>> over_after(Going& going, StepKey key, Duration length) {
  auto waiting = pause(going, std::move(key), length);
  auto over = co_await waiting;
  if (!over) co_return std::unexpected(over.error());
  co_return std::optional<Json>();
}

Task<Result<Json>> wait_for_signal(Going& going, const Step& step, Place place, Json otherwise) {
  const auto& signal = std::get<SignalStep>(step.action);
  std::vector<Task<Result<std::optional<Json>>>> racing;
  StepKey waits{signal.name, step.id};
  racing.push_back(heard(going, std::move(waits)));
  if (signal.timeout) racing.push_back(over_after(going, key_of(step, place, "timeout"), *signal.timeout));
  auto race = any(std::move(racing));
  auto won = co_await race;
  if (!won->value) co_return std::unexpected(won->value.error());
  if (*won->value) co_return std::move(**won->value);
  if (signal.otherwise) co_return otherwise;
  co_return fail(Errc::deadline_exceeded, "nobody signalled " + signal.name + " in time");
}

// ---- once, and again ----

Task<Result<Json>> sleep_through(Going& going, StepKey key, Duration length) {
  auto sleeping = pause(going, std::move(key), length);
  auto slept = co_await sleeping;
  if (!slept) co_return std::unexpected(slept.error());
  co_return Json(nullptr);
}

Task<Result<Json>> run_child(Going& going, StepKey key, ChildSpec spec) {
  auto call = going.wf.child(std::move(key), std::move(spec));
  auto ended = co_await call;
  if (!ended) co_return std::unexpected(ended.error());
  co_return parse_json(ended->output.text.empty() ? "null" : ended->output.text);
}

Task<Result<Json>> act_once(Going& going, const Step& step, Place place, Prepared what, std::string attempt) {
  auto key = key_of(step, place, attempt);
  if (const auto* prompt = std::get_if<PromptStep>(&step.action)) {
    auto asking = prompt->schema ? ask_json(going.wf, std::move(key), std::move(what.request))
                                 : ask_text(going.wf, std::move(key), std::move(what.request));
    auto answer = co_await asking;
    co_return answer;
  }
  if (std::holds_alternative<ChildStep>(step.action)) {
    auto child = run_child(going, std::move(key), std::move(what.child));
    auto output = co_await child;
    co_return output;
  }
  if (std::holds_alternative<SignalStep>(step.action)) {
    auto waiting = wait_for_signal(going, step, std::move(place), std::move(what.value));
    auto value = co_await waiting;
    co_return value;
  }
  if (const auto* nap = std::get_if<SleepStep>(&step.action)) {
    auto sleeping = sleep_through(going, std::move(key), nap->length);
    auto slept = co_await sleeping;
    co_return slept;
  }
  co_return std::move(what.value);
}

// Asking again changes nothing about what our side or the caller decided.
bool may_end_otherwise(const Error& error) {
  switch (error.code) {
    case Errc::cancelled:
    case Errc::refused:
    case Errc::bad_request:
    case Errc::context_length_exceeded:
    case Errc::storage:
    case Errc::internal: return false;
    default: return true;
  }
}

Error of_step(Error error, const Step& step) {
  error.what = "step " + step.id + ": " + error.what;
  return error;
}

}  // namespace

Scope scope_of(const Going& going, const Place* place) {
  Scope scope{{"inputs", &going.inputs}, {"steps", &going.steps}, {"run", &going.run}};
  if (place == nullptr || place->index.is_null()) return scope;
  scope.emplace_back("item", &place->item);
  scope.emplace_back("index", &place->index);
  return scope;
}

Task<Result<Json>> act(Going& going, const Step& step, Place place) {
  if (going.failed) co_return std::unexpected(*going.failed);
  auto what = prepared(step, scope_of(going, &place));
  if (!what) co_return std::unexpected(of_step(what.error(), step));
  for (int attempt = 1;; ++attempt) {
    auto name = attempt == 1 ? std::string() : fmt::format("try-{}", attempt);
    auto acting = act_once(going, step, place, *what, std::move(name));
    auto value = co_await acting;
    if (value) co_return value;
    if (attempt >= step.retry.attempts || !may_end_otherwise(value.error())) {
      auto error = of_step(value.error(), step);
      if (step.on_error == OnError::fail) going.failed = error;
      co_return std::unexpected(std::move(error));
    }
    auto pausing = pause(going, key_of(step, place, fmt::format("pause-{}", attempt)), step.retry.pause);
    auto paused = co_await pausing;
    if (!paused) co_return std::unexpected(of_step(paused.error(), step));
  }
}

}  // namespace troupe::declared
