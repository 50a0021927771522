#include "providers/vertex/gemini_decode.hpp"

#include "providers/classify.hpp"
#include "providers/vertex/google_error.hpp"

#include "runtime/base/rng.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace troupe::providers::vertex {
namespace {

using GeminiName = std::string_view;

constexpr int kCallsMax = 1024;
constexpr std::size_t kFinishWordMax = 64;
constexpr std::array kGeminiAnswerNames{GeminiName("candidates"), GeminiName("usageMetadata"),
                                        GeminiName("modelVersion"), GeminiName("createTime"),
                                        GeminiName("responseId")};
constexpr std::array kGeminiCandidateNames{GeminiName("content"), GeminiName("finishReason"),
                                           GeminiName("index")};
constexpr std::array kGeminiUsageNames{GeminiName("promptTokenCount"),
                                       GeminiName("cachedContentTokenCount"),
                                       GeminiName("candidatesTokenCount"),
                                       GeminiName("thoughtsTokenCount"),
                                       GeminiName("toolUsePromptTokenCount"),
                                       GeminiName("totalTokenCount"),
                                       GeminiName("trafficType")};

struct GeminiFinishWord {
  GeminiName word;
  StopReason reason;
};

// The first word of a reason is the one written back.
constexpr std::array kGeminiFinishWords{
    GeminiFinishWord{"STOP", StopReason::stop},
    GeminiFinishWord{"MAX_TOKENS", StopReason::length},
    GeminiFinishWord{"SAFETY", StopReason::content_filter},
    GeminiFinishWord{"RECITATION", StopReason::content_filter},
    GeminiFinishWord{"BLOCKLIST", StopReason::content_filter},
    GeminiFinishWord{"PROHIBITED_CONTENT", StopReason::content_filter},
    GeminiFinishWord{"SPII", StopReason::content_filter},
    GeminiFinishWord{"IMAGE_SAFETY", StopReason::content_filter},
    GeminiFinishWord{"IMAGE_PROHIBITED_CONTENT", StopReason::content_filter},
    GeminiFinishWord{"IMAGE_RECITATION", StopReason::content_filter},
    GeminiFinishWord{"IMAGE_OTHER", StopReason::content_filter},
    GeminiFinishWord{"CONTINUATION", StopReason::pause},
    GeminiFinishWord{"OTHER", StopReason::model_error},
    GeminiFinishWord{"MALFORMED_FUNCTION_CALL", StopReason::model_error},
    GeminiFinishWord{"UNEXPECTED_TOOL_CALL", StopReason::model_error},
    GeminiFinishWord{"TOO_MANY_TOOL_CALLS", StopReason::model_error},
    GeminiFinishWord{"LANGUAGE", StopReason::model_error},
    GeminiFinishWord{"NO_IMAGE", StopReason::model_error},
    GeminiFinishWord{"FINISH_REASON_UNSPECIFIED", StopReason::model_error},
};

std::unexpected<Error> broken_gemini_answer(std::string_view what) {
  auto error = make_error(Errc::stream_broken, "not a whole Gemini answer: " + std::string(what));
  return std::unexpected(std::move(error));
}

// A token count; hostile ones are cut before they are added up.
std::int64_t gemini_count(const Json& usage, GeminiName key) {
  return std::clamp<std::int64_t>(get_int(usage, key), 0, 1'000'000'000'000);
}

std::unexpected<Error> blocked_prompt(const Json& feedback) {
  auto error = make_error(
      Errc::content_filtered,
      fmt::format("the prompt was blocked ({})", printable_type(get_string(feedback, "blockReason"))));
  error.vendor_text = clip_vendor_text(get_string(feedback, "blockReasonMessage"));
  error.maybe_billed = true;
  return std::unexpected(std::move(error));
}

}  // namespace

StreamStopped read_gemini_finish(std::string_view word, bool has_calls) {
  auto row = std::ranges::find(kGeminiFinishWords, word, &GeminiFinishWord::word);
  if (row == kGeminiFinishWords.end())
    return {StopReason::model_error, to_valid_utf8(word.substr(0, kFinishWordMax))};
  if (row->reason == StopReason::stop && has_calls) return {StopReason::tool_calls, {}};
  return {row->reason, {}};
}

const char* gemini_finish_word(StopReason reason) {
  if (reason == StopReason::context_length) return "MAX_TOKENS";
  auto row = std::ranges::find(kGeminiFinishWords, reason, &GeminiFinishWord::reason);
  return row == kGeminiFinishWords.end() ? "STOP" : row->word.data();
}

Usage read_gemini_usage(const Json& usage) {
  Usage out;
  out.cache_read = gemini_count(usage, "cachedContentTokenCount");
  auto prompt = gemini_count(usage, "promptTokenCount") + gemini_count(usage, "toolUsePromptTokenCount");
  out.input = std::max<std::int64_t>(0, prompt - out.cache_read);
  out.reasoning = gemini_count(usage, "thoughtsTokenCount");
  out.output = gemini_count(usage, "candidatesTokenCount") + out.reasoning;
  return out;
}

Json write_gemini_usage(const Usage& usage, const std::string& tier) {
  auto prompt = usage.input_total();
  Json out{{"promptTokenCount", prompt}};
  if (usage.cache_read > 0) out["cachedContentTokenCount"] = usage.cache_read;
  out["candidatesTokenCount"] = std::max<std::int64_t>(0, usage.output - usage.reasoning);
  if (usage.reasoning > 0) out["thoughtsTokenCount"] = usage.reasoning;
  out["totalTokenCount"] = prompt + usage.output;
  if (!tier.empty()) out["trafficType"] = tier;
  return out;
}

Result<void> GeminiReader::on_chunk(const Json& chunk, std::vector<StreamEvent>& out) {
  if (const auto* error = find_google_error(chunk)) return std::unexpected(classify_google_chunk(*error));
  if (!chunk.is_object()) return broken_gemini_answer("a chunk is no object");
  if (!std::exchange(started_, true)) out.push_back(StreamStarted{get_string(chunk, "modelVersion")});
  if (auto id = get_string(chunk, "responseId"); !id.empty() && id_ending_.empty())
    id_ending_ = fmt::format("_{:08x}", stable_hash(id) & 0xffffffff);
  const auto* feedback = find(chunk, "promptFeedback");
  if (feedback != nullptr && !get_string(*feedback, "blockReason").empty()) return blocked_prompt(*feedback);
  const auto* candidates = find(chunk, "candidates");
  if (candidates != nullptr && candidates->is_array())
    for (const auto& candidate : *candidates)
      if (auto ok = on_candidate(candidate, out); !ok) return ok;
  if (const auto* usage = find(chunk, "usageMetadata")) on_usage(*usage);
  extra_.keep(chunk, kGeminiAnswerNames);
  extra_.keep_within(chunk, "usageMetadata", kGeminiUsageNames);
  return {};
}

Result<void> GeminiReader::finish(std::vector<StreamEvent>& out) {
  if (!stopped_) return broken_gemini_answer("no finishReason");
  if (usage_) out.push_back(UsageReported{*usage_});
  auto extra = extra_.text();
  if (!tier_.empty() || !extra.text.empty()) out.push_back(DetailsReported{tier_, std::move(extra)});
  return {};
}

Result<void> GeminiReader::on_candidate(const Json& candidate, std::vector<StreamEvent>& out) {
  if (get_int(candidate, "index") != 0) return {};
  auto before = out.size();
  const auto* content = find(candidate, "content");
  const auto* parts = content != nullptr ? find(*content, "parts") : nullptr;
  if (parts != nullptr && parts->is_array())
    for (const auto& part : *parts)
      if (auto ok = on_part(part, out); !ok) return ok;
  // The order of events is promised, and content after the end would be lost silently.
  if (stopped_ && out.size() > before) {
    out.resize(before);
    return broken_gemini_answer("content after the finishReason");
  }
  extra_.keep(candidate, kGeminiCandidateNames);
  auto word = get_string(candidate, "finishReason");
  if (word.empty() || std::exchange(stopped_, true)) return {};
  out.push_back(read_gemini_finish(word, calls_ > 0));
  return {};
}

Result<void> GeminiReader::on_part(const Json& part, std::vector<StreamEvent>& out) {
  auto text = get_string(part, "text");
  auto signature = get_string(part, "thoughtSignature");
  if (const auto* call = find(part, "functionCall"); call != nullptr && call->is_object())
    return on_call(*call, std::move(signature), out);
  if (get_bool(part, "thought")) {
    if (!text.empty() || !signature.empty())
      out.push_back(ReasoningDelta{std::move(text), std::move(signature), {}});
    return {};
  }
  if (!text.empty()) out.push_back(TextDelta{std::move(text)});
  if (!signature.empty()) out.push_back(ReasoningDelta{{}, std::move(signature), {}});
  return {};
}

Result<void> GeminiReader::on_call(const Json& call, std::string signature, std::vector<StreamEvent>& out) {
  if (calls_ >= kCallsMax) return broken_gemini_answer("too many tool calls");
  int index = calls_++;
  auto id = get_string(call, "id", fmt::format("call_{}{}", index, id_ending_));
  out.push_back(ToolUseStarted{index, std::move(id), get_string(call, "name"), std::move(signature)});
  const auto* args = find(call, "args");
  if (args != nullptr && args->is_object()) out.push_back(ToolInputDelta{index, dump_json(*args)});
  return {};
}

void GeminiReader::on_usage(const Json& usage) {
  if (auto traffic = get_string(usage, "trafficType"); !traffic.empty()) tier_ = std::move(traffic);
  // Early chunks may name the traffic only.
  bool counted = find(usage, "totalTokenCount") != nullptr || find(usage, "promptTokenCount") != nullptr ||
                 find(usage, "candidatesTokenCount") != nullptr;
  if (counted) usage_ = read_gemini_usage(usage);
}

Result<Completion> read_gemini_answer(const Json& body) {
  GeminiReader reader;
  std::vector<StreamEvent> events;
  if (auto ok = reader.on_chunk(body, events); !ok) return std::unexpected(ok.error());
  if (auto ok = reader.finish(events); !ok) return std::unexpected(ok.error());
  CompletionBuilder builder;
  for (const auto& event : events) builder.add(event);
  return std::move(builder).take();
}

}  // namespace troupe::providers::vertex
