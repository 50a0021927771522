#include "providers/vertex/gemini_read_contents.hpp"

#include "providers/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace troupe::providers::vertex {
namespace {

struct ReadCall {
  std::string id, name;
  bool answered = false;
};

std::string text_member(const Json& object, std::string_view name) {
  const auto* value = gemini_member(object, name);
  return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
}

bool is_our_image(std::string_view type) {
  return type == "image/png" || type == "image/jpeg" || type == "image/webp" || type == "image/gif";
}

class ContentsReader {
 public:
  Result<void> add(Role role, const Json& content) {
    const auto* parts = gemini_member(content, "parts");
    if (parts == nullptr || !parts->is_array() || parts->empty())
      return invalid_gemini_argument(
          "Unable to submit request because it must have at least one parts field.");
    Message message{role, {}};
    for (const auto& part : *parts)
      if (auto ok = add_part(part, message); !ok) return ok;
    messages_.push_back(std::move(message));
    return {};
  }
  std::vector<Message> take() && { return std::move(messages_); }

 private:
  Result<void> add_part(const Json& part, Message& message) {
    bool from_model = message.role == Role::assistant;
    const auto* text = gemini_member(part, "text");
    if (const auto* call = gemini_member(part, "functionCall"); call != nullptr && from_model)
      return add_call(*call, text_member(part, "thoughtSignature"), message);
    if (const auto* answer = gemini_member(part, "functionResponse");
        answer != nullptr && message.role == Role::user)
      return add_result(*answer, message);
    if (const auto* data = gemini_member(part, "inlineData"); data != nullptr && message.role == Role::user)
      return add_image(*data, message);
    if (text != nullptr && text->is_string()) {
      add_text(text->get<std::string>(), part, message);
      return {};
    }
    if (!part.is_object() || part.empty())
      return invalid_gemini_argument(
          "contents.parts: required oneof field 'data' must have one initialized field");
    return fail(Errc::unsupported, "a part is of a kind we do not hold, or stands where it cannot");
  }

  static void add_text(std::string text, const Json& part, Message& message) {
    const auto* thought = gemini_member(part, "thought");
    bool is_thought = thought != nullptr && thought->is_boolean() && thought->get<bool>();
    auto signature = text_member(part, "thoughtSignature");
    // Only a model has thoughts and signatures; elsewhere they are plain words.
    if (message.role != Role::assistant) {
      message.parts.emplace_back(TextPart{std::move(text)});
    } else if (is_thought) {
      message.parts.emplace_back(ReasoningPart{std::move(text), std::move(signature), {}});
    } else {
      if (!text.empty() || signature.empty()) message.parts.emplace_back(TextPart{std::move(text)});
      if (!signature.empty()) message.parts.emplace_back(ReasoningPart{{}, std::move(signature), {}});
    }
  }

  Result<void> add_call(const Json& call, std::string signature, Message& message) {
    auto name = text_member(call, "name");
    if (name.empty()) return invalid_gemini_argument("function_call.name: must not be empty.");
    auto id = text_member(call, "id");
    if (id.empty()) id = fmt::format("call_{}", calls_.size());
    calls_.push_back({id, name});
    const auto* args = gemini_member(call, "args");
    JsonText input{args != nullptr && args->is_object() ? dump_json(*args) : "{}"};
    message.parts.emplace_back(
        ToolUsePart{std::move(id), std::move(name), std::move(input), std::move(signature)});
    return {};
  }

  Result<void> add_result(const Json& answer, Message& message) {
    auto name = text_member(answer, "name");
    auto id = text_member(answer, "id");
    auto call = std::ranges::find_if(calls_, [&](const ReadCall& past) {
      return id.empty() ? !past.answered && past.name == name : past.id == id;
    });
    if (call != calls_.end()) {
      call->answered = true;
      id = call->id;
    }
    if (id.empty()) return invalid_gemini_argument("A function response must follow its function call.");
    message.parts.emplace_back(read_result(std::move(id), gemini_member(answer, "response")));
    return {};
  }

  // "output" and "error" are what the service takes for a result's text; another object is all result.
  static ToolResultPart read_result(std::string id, const Json* response) {
    ToolResultPart part{std::move(id), {}, false};
    if (response == nullptr || !response->is_object()) return part;
    const auto* error = find(*response, "error");
    const auto* output = find(*response, "output");
    const auto* only = response->size() == 1 ? (error != nullptr ? error : output) : nullptr;
    part.is_error = only != nullptr && only == error;
    if (only != nullptr && only->is_string())
      part.text = only->get<std::string>();
    else
      part.text = dump_json(only != nullptr ? *only : *response);
    return part;
  }

  static Result<void> add_image(const Json& data, Message& message) {
    auto type = text_member(data, "mimeType");
    if (!is_our_image(type)) return fail(Errc::unsupported, "inline data is of a type we do not hold");
    auto bytes = base64_decode(text_member(data, "data"));
    if (!bytes) return invalid_gemini_argument("inline_data.data: Base64 decoding failed.");
    message.parts.emplace_back(ImagePart{std::move(type), std::move(*bytes)});
    return {};
  }

  std::vector<Message> messages_;
  std::vector<ReadCall> calls_;
};

}  // namespace

const Json* gemini_member(const Json& object, std::string_view name) {
  const auto* value = find(object, name);
  if (value == nullptr) {
    std::string snake;
    for (char c : name) {
      bool upper = c >= 'A' && c <= 'Z';
      if (upper) snake += '_';
      snake += upper ? static_cast<char>(c - 'A' + 'a') : c;
    }
    value = find(object, snake);
  }
  return value != nullptr && !value->is_null() ? value : nullptr;
}

std::unexpected<Error> invalid_gemini_argument(std::string text) {
  auto error = make_error(Errc::bad_request, text);
  error.vendor_text = std::move(text);
  return std::unexpected(std::move(error));
}

Result<std::vector<Message>> read_gemini_contents(const Json& body) {
  ContentsReader reader;
  if (const auto* system = gemini_member(body, "systemInstruction"))
    if (auto ok = reader.add(Role::system, *system); !ok) return std::unexpected(ok.error());
  const auto* contents = gemini_member(body, "contents");
  if (contents == nullptr || !contents->is_array() || contents->empty())
    return invalid_gemini_argument("contents is not specified");
  for (const auto& content : *contents) {
    auto role = text_member(content, "role");
    if (!role.empty() && role != "user" && role != "model" && role != "function")
      return invalid_gemini_argument("Please use a valid role: user, model.");
    auto ok = reader.add(role == "model" ? Role::assistant : Role::user, content);
    if (!ok) return std::unexpected(ok.error());
  }
  return std::move(reader).take();
}

}  // namespace troupe::providers::vertex
