#include "providers/sagemaker/tgi.hpp"

#include "providers/openai/decode.hpp"
#include "providers/openai/extra.hpp"
#include "providers/openai/read_request.hpp"
#include "providers/request_rules.hpp"
#include "providers/sagemaker/errors.hpp"
#include "providers/sagemaker/tgi_prompt.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace troupe::providers::sagemaker {
namespace {

using Name = std::string_view;

constexpr std::array kAnswerNames{Name("index"), Name("token"), Name("generated_text"), Name("details"),
                                  Name("top_tokens")};
constexpr std::array kDetailNames{Name("finish_reason"), Name("generated_tokens"), Name("input_length"),
                                  Name("inputs"),        Name("prefill"),          Name("tokens"),
                                  Name("top_tokens")};

bool holds_more_than_text(const CompletionRequest& request) {
  for (const auto& message : request.messages)
    for (const auto& part : message.parts)
      if (!std::holds_alternative<TextPart>(part) && !std::holds_alternative<ReasoningPart>(part))
        return true;
  return false;
}

Result<void> check_generate(const CompletionRequest& request) {
  if (auto ok = check_request(request); !ok) return ok;
  if (!request.tools.empty() || holds_more_than_text(request))
    return fail(Errc::unsupported, "TGI's generate call takes text only: no tools and no images");
  if (request.response_schema)
    return fail(Errc::unsupported, "TGI's generate call is not asked for a schema here");
  if (request.reasoning_tokens_max)
    return fail(Errc::unsupported, "TGI's generate call has no limit of reasoning tokens");
  return {};
}

Json write_parameters(const CompletionRequest& request) {
  const auto& sampling = request.sampling;
  Json out{{"max_new_tokens", request.output_tokens_max}};
  bool greedy = sampling.temperature && *sampling.temperature <= 0;
  if (sampling.temperature && !greedy) out["temperature"] = *sampling.temperature;
  if (sampling.top_p && *sampling.top_p < 1) out["top_p"] = *sampling.top_p;
  bool sampled = sampling.temperature || sampling.top_p || sampling.seed;
  if (sampled) out["do_sample"] = !greedy;
  if (!sampling.stop.empty()) out["stop"] = sampling.stop;
  out["return_full_text"] = false;
  out["details"] = true;
  if (sampling.seed) out["seed"] = *sampling.seed;
  return out;
}

Result<void> read_parameters(const Json& parameters, CompletionRequest& request) {
  if (auto ok = openai::read_numbers(parameters, {"max_new_tokens"}, request); !ok) return ok;
  bool greedy = !get_bool(parameters, "do_sample", true) && !request.sampling.temperature;
  if (greedy) request.sampling.temperature = 0;
  if (const auto* seed = find(parameters, "seed"); seed != nullptr && seed->is_number_integer())
    request.sampling.seed = seed->get<std::int64_t>();
  if (const auto* stop = find(parameters, "stop"); stop != nullptr && stop->is_array())
    for (const auto& word : *stop)
      if (word.is_string()) request.sampling.stop.push_back(word.get<std::string>());
  return {};
}

const char* stop_word(StopReason reason) {
  if (reason == StopReason::stop_sequence) return "stop_sequence";
  bool cut = reason == StopReason::length || reason == StopReason::context_length;
  return cut ? "length" : "eos_token";
}

std::unexpected<Error> not_generated(const char* what) {
  auto error = make_error(Errc::stream_broken, what);
  error.maybe_billed = true;
  return std::unexpected(std::move(error));
}

}  // namespace

Result<Json> write_generate_request(const CompletionRequest& request) {
  if (auto ok = check_generate(request); !ok) return std::unexpected(ok.error());
  auto prompt = render_prompt(request.messages);
  if (!prompt) return std::unexpected(prompt.error());
  Json body{{"inputs", std::move(*prompt)}};
  body["parameters"] = write_parameters(request);
  body["stream"] = request.stream;
  return body;
}

Result<ServedCall> read_generate_request(const Json& body) {
  const auto* inputs = find(body, "inputs");
  if (inputs == nullptr || !inputs->is_string()) return openai::wrong_field("inputs");
  ServedCall call;
  call.request.messages = read_prompt(inputs->get_ref<const std::string&>());
  const auto* parameters = find(body, "parameters");
  if (parameters != nullptr && !parameters->is_null())
    if (auto ok = read_parameters(*parameters, call.request); !ok) return std::unexpected(ok.error());
  return call;
}

StreamStopped read_generate_stop(const Json* details) {
  auto word = details != nullptr ? get_string(*details, "finish_reason") : std::string();
  if (word.empty() || word == "eos_token") return {StopReason::stop, {}};
  if (word == "length") return {StopReason::length, {}};
  if (word == "stop_sequence") return {StopReason::stop_sequence, {}};
  return {StopReason::model_error, openai::unrecognised_word(word)};
}

Usage read_generate_usage(const Json& details) {
  Usage out;
  out.output = std::max<std::int64_t>(0, get_int(details, "generated_tokens"));
  auto input = get_int(details, "input_length", -1);
  const auto* prefill = find(details, "prefill");
  if (input < 0 && prefill != nullptr && prefill->is_array() && !prefill->empty())
    input = static_cast<std::int64_t>(prefill->size());
  out.input = std::max<std::int64_t>(0, input);
  out.estimated = input < 0;
  return out;
}

void keep_generate_extra(const Json& answer, UnknownMembers& extra) {
  extra.keep(answer, kAnswerNames);
  if (const auto* details = find(answer, "details")) extra.keep(*details, kDetailNames);
}

Result<Completion> read_generated(const Json& body) {
  const auto& answer = body.is_array() && !body.empty() ? body.front() : body;
  if (const auto* error = find(answer, "error"); error != nullptr && !error->is_null())
    return std::unexpected(classify_container_error(answer));
  const auto* text = find(answer, "generated_text");
  if (text == nullptr || !text->is_string()) return not_generated("not a whole answer: generated_text");
  const auto* details = find(answer, "details");
  if (details != nullptr && get_string(*details, "finish_reason") == "error")
    return std::unexpected(container_failed());
  Completion out;
  if (!text->get_ref<const std::string&>().empty())
    out.parts.emplace_back(TextPart{text->get<std::string>()});
  auto stopped = read_generate_stop(details);
  out.stop = stopped.reason;
  out.unrecognised_stop = std::move(stopped.unrecognised);
  if (details != nullptr && details->is_object()) out.usage = read_generate_usage(*details);
  UnknownMembers extra;
  keep_generate_extra(answer, extra);
  out.extra = extra.text();
  return out;
}

Json write_generate_details(const StreamStopped& stop, const Usage& usage, const JsonText& extra) {
  Json out{{"finish_reason", stop.unrecognised.empty() ? stop_word(stop.reason) : stop.unrecognised},
           {"generated_tokens", usage.output},
           {"seed", nullptr}};
  if (!usage.estimated) out["input_length"] = usage.input_total();
  openai::put_extra(extra, out);
  return out;
}

Json write_generated(const Completion& completion) {
  Json answer{{"generated_text", completion.text()}};
  answer["details"] = write_generate_details({completion.stop, completion.unrecognised_stop},
                                             completion.usage, completion.extra);
  Json out = Json::array();
  out.push_back(std::move(answer));
  return out;
}

}  // namespace troupe::providers::sagemaker
