#include "providers/request_rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

namespace troupe::providers {
namespace {

constexpr std::size_t kToolNameMax = 64;
constexpr std::array kMediaTypes{"image/png", "image/jpeg", "image/gif", "image/webp"};

bool is_tool_name(std::string_view name) {
  auto allowed = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  return !name.empty() && name.size() <= kToolNameMax && std::ranges::all_of(name, allowed);
}

bool may_hold(Role role, const Part& part) {
  bool from_user = std::holds_alternative<ImagePart>(part) || std::holds_alternative<ToolResultPart>(part);
  bool from_assistant =
      std::holds_alternative<ToolUsePart>(part) || std::holds_alternative<ReasoningPart>(part);
  return (!from_user || role == Role::user) && (!from_assistant || role == Role::assistant);
}

Result<void> check_part(Role role, const Part& part) {
  if (!may_hold(role, part)) return fail(Errc::bad_request, "a message holds a part its role cannot have");
  if (const auto* image = std::get_if<ImagePart>(&part);
      image != nullptr && std::ranges::find(kMediaTypes, image->media_type) == kMediaTypes.end())
    return fail(Errc::bad_request, "an image is not png, jpeg, gif or webp");
  if (const auto* use = std::get_if<ToolUsePart>(&part); use != nullptr && !is_tool_name(use->name))
    return fail(Errc::bad_request, "a tool use names no valid tool");
  return {};
}

}  // namespace

Result<void> check_request(const CompletionRequest& request) {
  if (request.messages.empty()) return fail(Errc::bad_request, "a request needs messages");
  if (request.output_tokens_max < 1) return fail(Errc::bad_request, "output_tokens_max must be at least 1");
  std::set<std::string_view> names;
  for (const auto& tool : request.tools)
    if (!is_tool_name(tool.name) || !names.insert(tool.name).second)
      return fail(Errc::bad_request, "a tool's name is malformed or used twice");
  if (!request.forced_tool.empty() && !names.contains(request.forced_tool))
    return fail(Errc::bad_request, "the forced tool is none of the request's tools");
  for (const auto& message : request.messages)
    for (const auto& part : message.parts)
      if (auto ok = check_part(message.role, part); !ok) return ok;
  return {};
}

Result<Json> parse_object(const JsonText& json, std::string_view where) {
  auto value = parse_json(json.text);
  if (!value || !value->is_object())
    return fail(Errc::bad_request, fmt::format("{} is not a JSON object", where));
  return value;
}

}  // namespace troupe::providers
