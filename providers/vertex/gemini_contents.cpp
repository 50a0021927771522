#include "providers/vertex/gemini_contents.hpp"

#include "providers/request_rules.hpp"
#include "providers/text.hpp"
#include "providers/vertex/gemini_encode.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace troupe::providers::vertex {
namespace {

// One call of the history, so that results can name it and stand in its order.
struct PastCall {
  std::string id, name;
};

struct PlacedResult {
  std::size_t call = 0;
  Json part;
};

bool travels(std::string_view id) { return !id.empty() && !is_made_call_id(id); }

// As itself when it is an object that reading back yields the very text, otherwise wrapped.
Json result_response(const ToolResultPart& result) {
  Json wrapped = Json::object();
  wrapped[result.is_error ? "error" : "output"] = result.text;
  if (result.is_error) return wrapped;
  auto value = parse_json(result.text);
  bool plain = value && value->is_object() && dump_json(*value) == result.text;
  bool ambiguous = plain && value->size() == 1 && (value->contains("output") || value->contains("error"));
  return plain && !ambiguous ? std::move(*value) : wrapped;
}

class ContentsWriter {
 public:
  Result<void> add(const Message& message) {
    const char* role = message.role == Role::assistant ? "model" : "user";
    auto& parts = message.role == Role::system ? system_ : turn_of(role);
    std::vector<PlacedResult> results;
    for (const auto& part : message.parts)
      if (auto ok = add_part(part, parts, results); !ok) return ok;
    place(std::move(results), parts);
    return {};
  }

  Result<Json> take() && {
    for (const auto& content : contents_)
      if (content["parts"].empty()) return fail(Errc::bad_request, "a message is left without content");
    if (contents_.empty()) return fail(Errc::bad_request, "a request needs a message of the user's");
    Json out = Json::object();
    out["contents"] = std::move(contents_);
    if (!system_.empty()) {
      out["systemInstruction"]["parts"] = std::move(system_);
      out["systemInstruction"]["role"] = "user";
    }
    return out;
  }

 private:
  Json& turn_of(const char* role) {
    if (contents_.empty() || contents_.back()["role"] != role) {
      contents_.push_back({{"parts", Json::array()}, {"role", role}});
      results_placed_ = 0;
    }
    return contents_.back()["parts"];
  }

  Result<void> add_part(const Part& part, Json& parts, std::vector<PlacedResult>& results) {
    if (const auto* text = std::get_if<TextPart>(&part)) {
      if (!text->text.empty()) parts.push_back(text_part(text->text));
    } else if (const auto* image = std::get_if<ImagePart>(&part)) {
      return add_image(*image, parts);
    } else if (const auto* use = std::get_if<ToolUsePart>(&part)) {
      return add_call(*use, parts);
    } else if (const auto* said = std::get_if<ReasoningPart>(&part)) {
      if (!said->text.empty())
        parts.push_back(thought_part(*said));
      else if (!said->signature.empty())
        sign_last(parts, said->signature);
    } else {
      return add_result(std::get<ToolResultPart>(part), results);
    }
    return {};
  }

  Result<void> add_image(const ImagePart& image, Json& parts) {
    if (image.media_type == "image/gif") return fail(Errc::unsupported, "Gemini takes no GIF images");
    Json data{{"mimeType", image.media_type}, {"data", base64_encode(image.bytes)}};
    Json part = Json::object();
    part["inlineData"] = std::move(data);
    parts.push_back(std::move(part));
    return {};
  }

  Result<void> add_call(const ToolUsePart& use, Json& parts) {
    if (auto input = parse_object(use.input, "a tool use's input"); !input)
      return std::unexpected(input.error());
    calls_.push_back({use.id, use.name});
    parts.push_back(call_part(use));
    return {};
  }

  Result<void> add_result(const ToolResultPart& result, std::vector<PlacedResult>& results) {
    // The last one: answers number their calls from 0, so an id may come again in a later turn.
    auto call = std::find_if(calls_.rbegin(), calls_.rend(),
                             [&](const PastCall& past) { return past.id == result.tool_use_id; });
    if (call == calls_.rend()) return fail(Errc::bad_request, "a tool result answers no tool use");
    Json response = Json::object();
    if (travels(call->id)) response["id"] = call->id;
    response["name"] = call->name;
    response["response"] = result_response(result);
    Json part = Json::object();
    part["functionResponse"] = std::move(response);
    results.push_back({static_cast<std::size_t>(calls_.rend() - call), std::move(part)});
    return {};
  }

  void place(std::vector<PlacedResult> results, Json& parts) {
    std::ranges::stable_sort(results, {}, &PlacedResult::call);
    for (auto& result : results)
      parts.insert(parts.begin() + static_cast<std::ptrdiff_t>(results_placed_++), std::move(result.part));
  }

  Json contents_ = Json::array();
  Json system_ = Json::array();
  std::vector<PastCall> calls_;
  /// How many results the turn being written begins with.
  std::size_t results_placed_ = 0;
};

}  // namespace

Result<Json> write_gemini_contents(const std::vector<Message>& messages) {
  ContentsWriter writer;
  for (const auto& message : messages)
    if (auto ok = writer.add(message); !ok) return std::unexpected(ok.error());
  return std::move(writer).take();
}

Json text_part(const std::string& text) {
  Json part = Json::object();
  part["text"] = text;
  return part;
}

Json thought_part(const ReasoningPart& part) {
  auto out = text_part(part.text);
  out["thought"] = true;
  if (!part.signature.empty()) out["thoughtSignature"] = part.signature;
  return out;
}

Json call_part(const ToolUsePart& part) {
  auto args = parse_json(part.input.text);
  Json call = Json::object();
  if (travels(part.id)) call["id"] = part.id;
  call["name"] = part.name;
  call["args"] = args && args->is_object() ? std::move(*args) : Json::object();
  Json out = Json::object();
  out["functionCall"] = std::move(call);
  if (!part.signature.empty()) out["thoughtSignature"] = part.signature;
  return out;
}

void sign_last(Json& parts, const std::string& signature) {
  bool signable = !parts.empty() && parts.back().contains("text") && !parts.back().contains("thought") &&
                  !parts.back().contains("thoughtSignature");
  if (!signable) parts.push_back(text_part({}));
  parts.back()["thoughtSignature"] = signature;
}

}  // namespace troupe::providers::vertex
