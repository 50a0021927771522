#include "providers/openai/stream_writer.hpp"

#include "providers/openai/errors.hpp"
#include "providers/openai/extra.hpp"
#include "providers/sse.hpp"
#include "runtime/base/overloaded.hpp"

#include <utility>

namespace troupe::providers::openai {
namespace {

Json one_choice(Json fields, Json finish) {
  Json one{{"index", 0}, {"delta", std::move(fields)}, {"logprobs", nullptr}};
  one["finish_reason"] = std::move(finish);
  Json choices = Json::array();
  choices.push_back(std::move(one));
  return choices;
}

}  // namespace

std::string finish_word(const StreamStopped& stopped) {
  switch (stopped.reason) {
    case StopReason::length:
    case StopReason::context_length: return "length";
    case StopReason::tool_calls: return "tool_calls";
    case StopReason::content_filter: return "content_filter";
    default: return stopped.unrecognised.empty() ? "stop" : stopped.unrecognised;
  }
}

Json write_chat_usage(const Usage& usage) {
  auto prompt = usage.input_total();
  Json cached{{"cached_tokens", usage.cache_read}, {"audio_tokens", 0}};
  if (usage.cache_write > 0) cached["cache_write_tokens"] = usage.cache_write;
  Json spent{{"reasoning_tokens", usage.reasoning},
             {"audio_tokens", 0},
             {"accepted_prediction_tokens", 0},
             {"rejected_prediction_tokens", 0}};
  Json out{{"prompt_tokens", prompt},
           {"completion_tokens", usage.output},
           {"total_tokens", prompt + usage.output}};
  out["prompt_tokens_details"] = std::move(cached);
  out["completion_tokens_details"] = std::move(spent);
  return out;
}

Json chat_envelope(const char* object, const std::string& model, const AnswerHead& head) {
  return {{"id", head.id}, {"object", object}, {"created", head.created.ms / 1000}, {"model", model}};
}

std::string ChatStreamWriter::write(const StreamEvent& event) {
  return std::visit(Overloaded{
                        [&](const StreamStarted& e) { return start(e); },
                        [&](const TextDelta& e) {
                          return delta({{"content", e.text}});
                        },
                        [&](const ReasoningDelta& e) {
                          return e.text.empty() ? "" : delta({{"reasoning_content", e.text}});
                        },
                        [&](const ToolUseStarted& e) { return tool_started(e); },
                        [&](const ToolInputDelta& e) {
                          Json function{{"arguments", e.json}};
                          return tool_delta({{"index", e.index}, {"function", std::move(function)}});
                        },
                        [&](const StreamStopped& e) { return choice(Json::object(), finish_word(e)); },
                        [&](const UsageReported& e) {
                          usage_ = e.usage;
                          return std::string();
                        },
                        [&](const DetailsReported& e) {
                          details_ = e;
                          return std::string();
                        },
                    },
                    event);
}

std::string ChatStreamWriter::finish() {
  std::string out;
  if (usage_ || details_) {
    auto last = usage_ ? chunk(Json::array(), write_chat_usage(*usage_))
                       : chunk(one_choice(Json::object(), nullptr), nullptr);
    if (details_ && !details_->tier.empty()) last["service_tier"] = details_->tier;
    if (details_) put_extra(details_->extra, last);
    out = write_sse(dump_json(last));
  }
  return out + write_sse("[DONE]");
}

std::string ChatStreamWriter::write_error(const Error& error) {
  return write_sse(dump_json(error_body(shape_of(error.code), error.vendor_text)));
}

std::string ChatStreamWriter::start(const StreamStarted& event) {
  if (!event.model.empty()) model_ = event.model;
  return delta({{"role", "assistant"}, {"content", ""}, {"refusal", nullptr}});
}

std::string ChatStreamWriter::tool_started(const ToolUseStarted& event) {
  Json function{{"name", event.name}, {"arguments", ""}};
  return tool_delta(
      {{"index", event.index}, {"id", event.id}, {"type", "function"}, {"function", std::move(function)}});
}

std::string ChatStreamWriter::tool_delta(Json call) {
  Json calls = Json::array();
  calls.push_back(std::move(call));
  Json fields = Json::object();
  fields["tool_calls"] = std::move(calls);
  return delta(std::move(fields));
}

std::string ChatStreamWriter::delta(Json fields) { return choice(std::move(fields), nullptr); }

std::string ChatStreamWriter::choice(Json fields, Json finish) {
  return write_sse(dump_json(chunk(one_choice(std::move(fields), std::move(finish)), nullptr)));
}

Json ChatStreamWriter::chunk(Json choices, Json usage) const {
  auto out = chat_envelope("chat.completion.chunk", model_, head_);
  out["choices"] = std::move(choices);
  out["usage"] = std::move(usage);
  return out;
}

}  // namespace troupe::providers::openai
