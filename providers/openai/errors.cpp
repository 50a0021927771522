#include "providers/openai/errors.hpp"

#include "providers/classify.hpp"
#include "providers/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

namespace troupe::providers::openai {
namespace {

struct Word {
  std::string_view word;
  Errc code;
};

// Codes and types, in lower case.
constexpr std::array kWords{
    Word{"insufficient_quota", Errc::quota_exhausted},
    Word{"billing_hard_limit_reached", Errc::quota_exhausted},
    Word{"rate_limit_exceeded", Errc::rate_limited},
    Word{"ratelimitreached", Errc::rate_limited},
    Word{"slow_down", Errc::rate_limited},
    Word{"server_is_overloaded", Errc::overloaded},
    Word{"serviceunavailable", Errc::overloaded},
    Word{"service_unavailable_error", Errc::overloaded},
    Word{"context_length_exceeded", Errc::context_length_exceeded},
    Word{"content_policy_violation", Errc::content_filtered},
    Word{"content_filter", Errc::content_filtered},
    Word{"invalid_prompt", Errc::content_filtered},
    Word{"invalid_api_key", Errc::auth},
    Word{"permissiondenied", Errc::permission},
    Word{"permission_denied", Errc::permission},
    Word{"model_not_found", Errc::not_found},
    Word{"deploymentnotfound", Errc::not_found},
    Word{"model_not_ready", Errc::model_not_ready},
    Word{"timeout", Errc::timeout},
    Word{"responsibleaipolicyviolation", Errc::content_filtered},
};

// Words that come with many statuses and say less than these do: known, but no class of their own. "error" is
// the type of a Responses event.
constexpr std::array<std::string_view, 17> kPlainWords{"server_error",
                                                       "invalid_request_error",
                                                       "request_forbidden",
                                                       "tokens",
                                                       "requests",
                                                       "conflict",
                                                       "error",
                                                       "api_error",
                                                       "not_found_error",
                                                       "permission_error",
                                                       "authentication_error",
                                                       "badrequest",
                                                       "badrequesterror",
                                                       "notfounderror",
                                                       "internalservererror",
                                                       "internal_server_error",
                                                       "unprocessableentityerror"};

std::optional<Errc> class_of_word(std::string_view word) {
  auto lower = to_lower(word);
  for (const auto& row : kWords)
    if (row.word == lower) return row.code;
  return std::nullopt;
}

// The parts of an error body; all empty when it is no JSON. `code` may be a number (vLLM, Azure).
struct Said {
  std::string code, type, message, inner;
};

Said read_error(const Json& body) {
  // An envelope-less body ({"statusCode":401,"message":…}) is its own error object.
  const auto* error = find(body, "error");
  if (error == nullptr || error->is_null()) error = &body;
  if (error->is_string()) return {{}, {}, error->get<std::string>(), {}};
  Said said{get_string(*error, "code"), get_string(*error, "type"), get_string(*error, "message"), {}};
  if (auto number = get_int(*error, "code"); said.code.empty() && number > 0 && number < 1000)
    said.code = fmt::to_string(number);
  const auto* inner = find(*error, "innererror");
  if (inner != nullptr) said.inner = get_string(*inner, "code");
  return said;
}

std::optional<Errc> class_of_words(const Said& said, int status) {
  if (auto code = class_of_word(said.code)) return code;
  if (auto code = class_of_word(said.type)) return code;
  if (auto code = class_of_word(said.inner)) return code;
  if (says_context_too_long(said.message, status)) return Errc::context_length_exceeded;
  return std::nullopt;
}

bool is_plain_word(std::string_view word) {
  bool digits = !word.empty() && word.find_first_not_of("0123456789") == std::string_view::npos;
  return digits || std::ranges::find(kPlainWords, to_lower(word)) != kPlainWords.end();
}

// An error that named itself in words none of which we know; without any word the status says it all.
bool is_unrecognised(const Said& said) {
  bool silent = said.code.empty() && said.type.empty();
  return !silent && !is_plain_word(said.code) && !is_plain_word(said.type);
}

// vLLM and Azure write the status a stream has no other place for as the code.
int status_in_code(const Said& said) {
  bool status =
      said.code.size() == 3 && is_plain_word(said.code) && (said.code[0] == '4' || said.code[0] == '5');
  if (!status) return 0;
  return (said.code[0] - '0') * 100 + (said.code[1] - '0') * 10 + (said.code[2] - '0');
}

Error error_without_class(const Said& said, std::string what) {
  bool ours = said.type == "invalid_request_error" || said.code == "invalid_request_error";
  if (int status = status_in_code(said); status != 0) return error_of_status(status, std::move(what));
  return make_error(ours ? Errc::bad_request : Errc::transient_server, std::move(what));
}

}  // namespace

Error classify_answer(const http::Response& response, WallTime wall) {
  auto body = parse_json(response.body);
  auto said = body ? read_error(*body) : Said{};
  auto word = said.code.empty() ? said.type : said.code;
  auto what = fmt::format("answered {} ({})", response.status, printable_type(word));
  auto code = class_of_words(said, response.status);
  auto error = code ? make_error(*code, std::move(what)) : error_of_status(response.status, std::move(what));
  error.unrecognised = !code && is_unrecognised(said);
  // Unlike Bedrock's, this 408 comes from a gateway that gave up early; the official clients retry it.
  if (response.status == 408) error.retryable = true;
  error.vendor_text = clip_vendor_text(body ? said.message : response.body);
  apply_retry_headers(error, response.headers, wall);
  return error;
}

Error classify_in_stream(const Json& chunk) {
  auto said = read_error(chunk);
  auto word = said.code.empty() ? said.type : said.code;
  auto what = fmt::format("error inside the stream ({})", printable_type(word));
  auto code = class_of_words(said, status_in_code(said));
  auto error = code ? make_error(*code, std::move(what)) : error_without_class(said, std::move(what));
  error.unrecognised = !code && is_unrecognised(said);
  error.maybe_billed = true;
  error.vendor_text = clip_vendor_text(said.message);
  return error;
}

ErrorShape shape_of(Errc code) {
  switch (code) {
    case Errc::rate_limited:
      return {429, "tokens", "rate_limit_exceeded", "Rate limit reached on tokens per min (TPM)."};
    case Errc::overloaded:
    case Errc::no_endpoint:
    case Errc::refused:
    case Errc::unreachable:
      return {503, "service_unavailable_error", "server_is_overloaded",
              "The engine is currently overloaded."};
    case Errc::quota_exhausted:
      return {429, "insufficient_quota", "insufficient_quota", "You exceeded your current quota."};
    case Errc::timeout:
    case Errc::deadline_exceeded: return {408, "timeout", "timeout", "The request timed out."};
    case Errc::model_not_ready:
      return {503, "service_unavailable_error", "model_not_ready", "The model is still loading."};
    case Errc::bad_request:
    case Errc::invalid_input:
    case Errc::unsupported: return {400, "invalid_request_error", "", "The request is invalid."};
    case Errc::context_length_exceeded:
      return {400, "invalid_request_error", "context_length_exceeded",
              "This model's maximum context length is exceeded. Please reduce the length of the messages."};
    case Errc::content_filtered:
      return {400, "invalid_request_error", "content_policy_violation",
              "The request was refused by a safety system."};
    case Errc::auth: return {401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided."};
    case Errc::permission:
      return {403, "request_forbidden", "permission_denied", "You are not allowed to do this."};
    case Errc::not_found:
      return {404, "invalid_request_error", "model_not_found", "The model does not exist."};
    default: return {500, "server_error", "", "The server had an error while processing your request."};
  }
}

Json error_body(const ErrorShape& shape, const std::string& message) {
  Json error{
      {"message", message.empty() ? shape.message : message}, {"type", shape.type}, {"param", nullptr}};
  error["code"] = *shape.code == '\0' ? Json(nullptr) : Json(shape.code);
  return {{"error", std::move(error)}};
}

}  // namespace troupe::providers::openai
