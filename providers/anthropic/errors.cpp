#include "providers/anthropic/errors.hpp"

#include "providers/anthropic/rate_limit.hpp"
#include "providers/classify.hpp"
#include "providers/text.hpp"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <optional>

namespace troupe::providers::anthropic {
namespace {

struct ErrorWord {
  std::string_view word;
  Errc code;
};

constexpr std::array kErrorTypes{
    ErrorWord{"invalid_request_error", Errc::bad_request}, ErrorWord{"request_too_large", Errc::bad_request},
    ErrorWord{"authentication_error", Errc::auth},         ErrorWord{"billing_error", Errc::quota_exhausted},
    ErrorWord{"permission_error", Errc::permission},       ErrorWord{"not_found_error", Errc::not_found},
    ErrorWord{"conflict_error", Errc::transient_server},   ErrorWord{"rate_limit_error", Errc::rate_limited},
    ErrorWord{"api_error", Errc::transient_server},        ErrorWord{"timeout_error", Errc::timeout},
    ErrorWord{"overloaded_error", Errc::overloaded},
};
constexpr std::array kErrorCodes{
    ErrorWord{"ramp_limit_exceeded", Errc::rate_limited},
    ErrorWord{"enforced_spend_limit_reached", Errc::quota_exhausted},
    ErrorWord{"contract_spend_limit_reached", Errc::quota_exhausted},
    ErrorWord{"model_not_ready", Errc::model_not_ready},
};

constexpr const char* kTooLongText = "prompt is too long for this model's context window";
// How the API words a refusal that is an error [K]; it usually comes as a stop reason.
constexpr const char* kFilteredText = "Output blocked by content filtering policy";

std::optional<Errc> look_up(const auto& words, std::string_view word) {
  for (const auto& row : words)
    if (row.word == word) return row.code;
  return std::nullopt;
}

struct ErrorSaid {
  std::string type, code, message;
};

ErrorSaid read_said(const Json& body) {
  const auto* error = find(body, "error");
  if (error == nullptr || !error->is_object()) return {{}, {}, get_string(body, "message")};
  const auto* details = find(*error, "details");
  return {get_string(*error, "type"), details != nullptr ? get_string(*details, "error_code") : std::string(),
          get_string(*error, "message")};
}

// What only the text tells. invalid_request_error implies its status, so it holds inside streams too.
std::optional<Errc> class_of_text(std::string_view message, int status) {
  if (says_context_too_long(message, status)) return Errc::context_length_exceeded;
  auto text = to_lower(message.substr(0, 4096));
  if (contains_in_order(text, {"credit balance is too low"})) return Errc::quota_exhausted;
  if (contains_in_order(text, {"reached your", "usage limit"})) return Errc::quota_exhausted;
  if (contains_in_order(text, {"content filtering policy"})) return Errc::content_filtered;
  return std::nullopt;
}

Error classify_words(const ErrorSaid& said, int status, std::string what) {
  auto type = look_up(kErrorTypes, said.type);
  auto coded = look_up(kErrorCodes, said.code);
  auto known = coded ? coded : type;
  if (!known || *known == Errc::bad_request)
    if (auto told = class_of_text(said.message, type ? 400 : status)) known = told;
  if (!known && status == 402) known = Errc::quota_exhausted;
  auto error = known ? make_error(*known, std::move(what)) : error_of_status(status, std::move(what));
  error.unrecognised = (!type && !said.type.empty()) || (!coded && !said.code.empty());
  if (said.type == "conflict_error") error.counts_for_breaker = false;
  // Unlike a model that timed out elsewhere: the official clients retry every 504 of this API.
  if (error.code == Errc::timeout) error.retryable = true;
  return error;
}

std::string_view word_of(const ErrorSaid& said) { return said.code.empty() ? said.type : said.code; }

}  // namespace

bool is_error_body(const Json& body) {
  const auto* error = find(body, "error");
  return get_string(body, "type") == "error" && error != nullptr && error->is_object();
}

Error classify_answer(const http::Response& response, WallTime wall) {
  auto body = parse_json(response.body);
  auto said = body ? read_said(*body) : ErrorSaid{};
  auto error = classify_words(
      said, response.status, fmt::format("answered {} ({})", response.status, printable_type(word_of(said))));
  error.vendor_text = clip_vendor_text(body ? said.message : response.body);
  apply_retry_headers(error, response.headers, wall);
  if (!error.retry_after && error.code == Errc::rate_limited)
    error.retry_after = read_limit_reset(response.headers, wall);
  if (!error.retry_after && error.code == Errc::quota_exhausted)
    error.retry_after = read_regain_date(said.message, wall);
  return error;
}

Error classify_event(const Json& event) {
  auto said = read_said(event);
  auto error =
      classify_words(said, 500, fmt::format("error inside the stream ({})", printable_type(word_of(said))));
  error.maybe_billed = true;
  error.vendor_text = clip_vendor_text(said.message);
  return error;
}

ErrorShape shape_of(Errc code) {
  switch (code) {
    case Errc::rate_limited:
      return {429, "rate_limit_error", "", "This request would exceed your organization's rate limit."};
    case Errc::overloaded:
    case Errc::no_endpoint:
    case Errc::refused:
    case Errc::unreachable: return {529, "overloaded_error", "", "Overloaded"};
    case Errc::quota_exhausted: return {402, "billing_error", "", "Your quota is used up."};
    case Errc::timeout:
    case Errc::deadline_exceeded: return {504, "timeout_error", "", "The request timed out."};
    case Errc::model_not_ready:
      return {529, "overloaded_error", "model_not_ready", "The model is still loading."};
    case Errc::bad_request:
    case Errc::invalid_input:
    case Errc::unsupported: return {400, "invalid_request_error", "", "The request is invalid."};
    case Errc::context_length_exceeded: return {400, "invalid_request_error", "", kTooLongText, true};
    case Errc::content_filtered: return {400, "invalid_request_error", "", kFilteredText, true};
    case Errc::auth: return {401, "authentication_error", "", "invalid x-api-key"};
    case Errc::permission: return {403, "permission_error", "", "You are not allowed to do this."};
    case Errc::not_found: return {404, "not_found_error", "", "The model does not exist."};
    default: return {500, "api_error", "", "Internal server error"};
  }
}

Json error_body(const Error& error) {
  auto shape = shape_of(error.code);
  std::string message = shape.message;
  if (!error.vendor_text.empty())
    message = shape.message_tells ? message + ": " + error.vendor_text : error.vendor_text;
  Json said{{"type", shape.type}, {"message", std::move(message)}};
  if (*shape.code != '\0') said["details"]["error_code"] = shape.code;
  Json body{{"type", "error"}};
  body["error"] = std::move(said);
  body["request_id"] = nullptr;
  return body;
}

http::Response write_error_answer(const Error& error) {
  http::Response out{shape_of(error.code).status, {{"content-type", "application/json"}}, {}};
  if (error.retry_after) {
    auto seconds = std::chrono::ceil<std::chrono::seconds>(*error.retry_after).count();
    auto ms = std::chrono::ceil<std::chrono::milliseconds>(*error.retry_after).count();
    out.headers.emplace_back("retry-after", fmt::to_string(seconds));
    out.headers.emplace_back("retry-after-ms", fmt::to_string(ms));
  }
  bool pointless = error.code == Errc::quota_exhausted || error.code == Errc::deadline_exceeded;
  if (pointless) out.headers.emplace_back("x-should-retry", "false");
  out.body = dump_json(error_body(error));
  return out;
}

}  // namespace troupe::providers::anthropic
