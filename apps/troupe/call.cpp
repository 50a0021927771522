// troupe call: one request to one endpoint, to see whether it answers and what it says.
#include "actors/one_call.hpp"
#include "apps/troupe/command.hpp"
#include "apps/troupe/inputs.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/config/config.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <iostream>
#include <iterator>

namespace troupe::app {
namespace {

struct CallOptions {
  std::string config, endpoint, prompt, system, tool, log_level = "warn";
  int output_tokens_max = 1024;
  bool no_stream = false, json = false;
};

std::string prompt_of(const CallOptions& options) {
  if (options.prompt != "-") return options.prompt;
  return {std::istreambuf_iterator<char>(std::cin), {}};
}

CompletionRequest request_of(const CallOptions& options) {
  CompletionRequest request;
  request.feature = "call";
  request.stream = !options.no_stream;
  request.output_tokens_max = options.output_tokens_max;
  if (!options.system.empty()) request.messages.push_back({Role::system, {TextPart{.text = options.system}}});
  request.messages.push_back({Role::user, {TextPart{.text = prompt_of(options)}}});
  if (options.tool.empty()) return request;
  JsonText schema{R"({"type":"object","properties":{"query":{"type":"string"}},"required":["query"]})"};
  request.tools.push_back({options.tool, "Finds what the query asks for.", std::move(schema)});
  request.forced_tool = options.tool;
  return request;
}

Json usage_json(const Usage& usage) {
  return {{"input", usage.input},           {"output", usage.output},
          {"cache_read", usage.cache_read}, {"cache_write", usage.cache_write},
          {"reasoning", usage.reasoning},   {"estimated", usage.estimated}};
}

Json error_json(const Error& error) {
  Json out{{"code", to_string(error.code)},      {"what", error.what},
           {"fault", to_string(error.fault)},    {"retryable", error.retryable},
           {"failover", error.failover},         {"counts_for_breaker", error.counts_for_breaker},
           {"maybe_billed", error.maybe_billed}, {"vendor_text", error.vendor_text}};
  out["retry_after_s"] = error.retry_after ? Json(seconds(*error.retry_after)) : Json(nullptr);
  return out;
}

Json result_json(const actors::AttemptResult& result) {
  const auto& completion = result.completion;
  Json tools = Json::array();
  for (const auto& part : completion.parts)
    if (const auto* use = std::get_if<ToolUsePart>(&part))
      tools.push_back({{"id", use->id}, {"name", use->name}, {"input", use->input.text}});
  Json out{{"endpoint", result.record.endpoint},
           {"text", completion.text()},
           {"stop", to_string(completion.stop)},
           {"model", completion.model},
           {"tier", completion.tier},
           {"usage", usage_json(completion.usage)}};
  out["tools"] = std::move(tools);
  out["ttft_s"] = seconds(result.record.ttft);
  out["total_s"] = seconds(result.record.total);
  out["error"] = result.error ? error_json(*result.error) : Json(nullptr);
  return out;
}

void print_text(std::span<const StreamEvent> events) {
  for (const auto& event : events)
    if (const auto* text = std::get_if<TextDelta>(&event)) std::fputs(text->text.c_str(), stdout);
  std::fflush(stdout);
}

void print_figures(const actors::AttemptResult& result, bool streamed) {
  if (!streamed) std::fputs(result.completion.text().c_str(), stdout);
  std::fputs("\n", stdout);
  for (const auto& part : result.completion.parts)
    if (const auto* use = std::get_if<ToolUsePart>(&part))
      std::printf("calls %s(%s)\n", use->name.c_str(), use->input.text.c_str());
  const auto& usage = result.completion.usage;
  std::fprintf(stderr, "%s: %s; %lld tokens in, %lld out%s; first token after %s, all after %s\n",
               result.record.endpoint.c_str(), to_string(result.completion.stop),
               static_cast<long long>(usage.input_total()), static_cast<long long>(usage.output),
               usage.estimated ? " (estimated)" : "", to_human(result.record.ttft).c_str(),
               to_human(result.record.total).c_str());
}

int call(const CallOptions& options) {
  auto config = config_from(options.config, {});
  if (!config) return report_error(config.error());
  bool shown = !options.json && !options.no_stream;
  std::function<void(std::span<const StreamEvent>)> hear;
  if (shown) hear = print_text;
  auto result = actors::call_once(config->values(), options.endpoint, request_of(options), hear);
  if (!result) return report_error(result.error());
  const auto& told = **result;
  if (options.json) {
    std::printf("%s\n", dump_json(result_json(told)).c_str());
    return told.error ? exit_for(*told.error) : kDone;
  }
  if (told.error) {
    // On a terminal of one's own: the provider's words are what one asks for.
    if (!told.error->vendor_text.empty())
      std::fprintf(stderr, "the provider says: %s\n", told.error->vendor_text.c_str());
    return report_error(*told.error);
  }
  print_figures(told, shown);
  return kDone;
}

}  // namespace

void add_call(CLI::App& app, Action& action) {
  auto options = std::make_shared<CallOptions>();
  auto* verb = app.add_subcommand(
      "call", "One request to one endpoint, past queues and breakers: does it answer, and what does it say?");
  verb->add_option("--config", options->config, "Configuration file (default: the demo clouds)");
  verb->add_option("--endpoint", options->endpoint, "Its id in the configuration")->required();
  verb->add_option("--prompt", options->prompt, "The user's message; - reads it from stdin")->required();
  verb->add_option("--system", options->system, "A system message before it");
  verb->add_option("--tool", options->tool, "Offers a tool of this name and makes the model call it");
  verb->add_option("--max-tokens", options->output_tokens_max, "Most tokens to generate")
      ->check(CLI::Range(1, 1'000'000));
  verb->add_flag("--no-stream", options->no_stream, "Asks for the answer in one piece");
  verb->add_flag("--json", options->json, "The whole result, errors included, as one JSON line");
  verb->add_option("--log", options->log_level, "debug, info, warn, error or off")
      ->check(CLI::IsMember({"debug", "info", "warn", "error", "off"}))
      ->capture_default_str();
  verb->callback([options, &action] {
    action = [options] {
      log_to_stderr(options->log_level);
      return call(*options);
    };
  });
}

}  // namespace troupe::app
