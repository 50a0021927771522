#include "providers/anthropic/encode_blocks.hpp"

#include "providers/request_rules.hpp"
#include "providers/text.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace troupe::providers::anthropic {
namespace {

constexpr int kCachePointsMax = 4;

bool is_tool_id_character(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

Result<std::string> wire_tool_id(std::string id) {
  if (id.empty()) return fail(Errc::bad_request, "a tool call has no id");
  for (char& c : id)
    if (!is_tool_id_character(c)) c = '_';
  return id;
}

bool is_thinking(const Json& block) {
  auto type = get_string(block, "type");
  return type == "thinking" || type == "redacted_thinking";
}

// The signature that stands alone behind parts[i], when parts[i] is reasoning that lacks one.
const std::string* signature_behind(const std::vector<Part>& parts, std::size_t i) {
  const auto* said = std::get_if<ReasoningPart>(&parts[i]);
  const auto* next = i + 1 < parts.size() ? std::get_if<ReasoningPart>(&parts[i + 1]) : nullptr;
  if (said == nullptr || next == nullptr || !said->signature.empty() || said->text.empty()) return nullptr;
  return next->text.empty() && next->redacted.empty() ? &next->signature : nullptr;
}

// A bare signature behind a text is Gemini's: Anthropic signs thinking only.
bool is_foreign_signature(const std::vector<Part>& parts, std::size_t i) {
  const auto* part = std::get_if<ReasoningPart>(&parts[i]);
  bool bare = part != nullptr && part->text.empty() && part->redacted.empty();
  return bare && i > 0 && std::holds_alternative<TextPart>(parts[i - 1]);
}

/// Appends the blocks of parts; one overload for each kind of part.
struct MessageBlockWriter {
  Json& out;
  /// Cache points from here to the end of the conversation.
  int& cache_points_left;

  Result<void> operator()(const TextPart& part) {
    if (!part.text.empty()) out.push_back({{"type", "text"}, {"text", part.text}});
    if (!part.cache_point) return {};
    bool kept = cache_points_left-- <= kCachePointsMax;
    if (kept && !out.empty() && !is_thinking(out.back()))
      out.back()["cache_control"] = Json{{"type", "ephemeral"}};
    return {};
  }
  Result<void> operator()(const ImagePart& part) {
    Json source{{"type", "base64"}, {"media_type", part.media_type}, {"data", base64_encode(part.bytes)}};
    out.push_back({{"type", "image"}, {"source", std::move(source)}});
    return {};
  }
  Result<void> operator()(const ToolUsePart& part) {
    auto id = wire_tool_id(part.id);
    if (!id) return std::unexpected(id.error());
    auto input = parse_object(part.input, "a tool use's input");
    if (!input) return std::unexpected(input.error());
    out.push_back({{"type", "tool_use"}, {"id", *id}, {"name", part.name}, {"input", std::move(*input)}});
    return {};
  }
  Result<void> operator()(const ToolResultPart& part) {
    auto id = wire_tool_id(part.tool_use_id);
    if (!id) return std::unexpected(id.error());
    Json block{{"type", "tool_result"}, {"tool_use_id", *id}};
    if (!part.text.empty()) block["content"] = part.text;
    block["is_error"] = part.is_error;
    out.push_back(std::move(block));
    return {};
  }
  Result<void> operator()(const ReasoningPart& part) {
    if (!part.redacted.empty())
      out.push_back({{"type", "redacted_thinking"}, {"data", part.redacted}});
    else if (!part.signature.empty())
      out.push_back({{"type", "thinking"}, {"thinking", part.text}, {"signature", part.signature}});
    return {};
  }
};

Result<void> write_parts(const std::vector<Part>& parts, int& cache_points_left, Json& out) {
  MessageBlockWriter writer{out, cache_points_left};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto* signature = signature_behind(parts, i);
    if (signature != nullptr) {
      const auto& text = std::get<ReasoningPart>(parts[i++]).text;
      if (auto ok = writer(ReasoningPart{text, *signature, {}}); !ok) return ok;
      continue;
    }
    if (is_foreign_signature(parts, i)) continue;
    if (auto ok = std::visit(writer, parts[i]); !ok) return ok;
  }
  return {};
}

int count_cache_points(const CompletionRequest& request) {
  int n = 0;
  for (const auto& message : request.messages)
    for (const auto& part : message.parts)
      if (const auto* text = std::get_if<TextPart>(&part)) n += text->cache_point;
  return n;
}

// Results first, as the API wants; one plain text as a string, as the official clients' callers write it.
void tidy_content(Json& content) {
  std::stable_partition(content.begin(), content.end(),
                        [](const Json& block) { return get_string(block, "type") == "tool_result"; });
  if (content.size() != 1 || get_string(content[0], "type") != "text" || content[0].size() != 2) return;
  Json text = content[0]["text"];
  content = std::move(text);
}

}  // namespace

Result<Conversation> write_conversation(const CompletionRequest& request) {
  Conversation out;
  int cache_points_left = count_cache_points(request);
  for (const auto& message : request.messages) {
    if (message.role == Role::system) {
      if (auto ok = write_parts(message.parts, cache_points_left, out.system); !ok)
        return std::unexpected(ok.error());
      continue;
    }
    const char* role = message.role == Role::user ? "user" : "assistant";
    if (out.messages.empty() || out.messages.back()["role"] != role)
      out.messages.push_back({{"role", role}, {"content", Json::array()}});
    auto& content = out.messages.back()["content"];
    if (auto ok = write_parts(message.parts, cache_points_left, content); !ok)
      return std::unexpected(ok.error());
    if (content.empty()) out.messages.erase(out.messages.size() - 1);
  }
  if (out.messages.empty()) return fail(Errc::bad_request, "no message with content is left");
  for (auto& message : out.messages) tidy_content(message["content"]);
  return out;
}

}  // namespace troupe::providers::anthropic
