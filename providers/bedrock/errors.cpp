#include "providers/bedrock/errors.hpp"

#include "providers/aws_exception.hpp"
#include "providers/classify.hpp"
#include "providers/text.hpp"
#include "runtime/json/json.hpp"

#include <fmt/format.h>

#include <array>
#include <optional>

namespace troupe::providers::bedrock {
namespace {

constexpr const char* kTooLong = "Input is too long for requested model.";
// No text of Bedrock's own for this is known [K]; it usually filters through a stop reason.
constexpr const char* kFiltered = "This request has been blocked by our content filters.";

// What an error says, wherever it was said. Status 0 inside a stream.
struct Said {
  int status = 0;
  std::string type, message;
  std::optional<std::int64_t> original_status;
};

void read_body(const Json& body, Said& said) {
  if (said.type.empty()) said.type = bare_exception_name(get_string(body, "code"));
  if (said.type.empty()) said.type = bare_exception_name(get_string(body, "__type"));
  said.message = get_string(body, "message", get_string(body, "Message"));
  const auto* original = find(body, "originalStatusCode");
  if (original != nullptr && original->is_number_integer())
    said.original_status = original->get<std::int64_t>();
}

Error classify_model_error(std::int64_t original, std::string what) {
  // 0 is a container that gave no answer in time.
  if (original == 0) return make_error(Errc::timeout, std::move(what));
  bool sane = original >= 400 && original < 600;
  return error_of_status(sane ? static_cast<int>(original) : 500, std::move(what));
}

Error classify_validation(const Said& said, std::string what) {
  auto text = to_lower(said.message.substr(0, 4096));
  // The status is implied by the type, so it holds inside streams too.
  if (says_context_too_long(text, 400)) return make_error(Errc::context_length_exceeded, std::move(what));
  if (contains_in_order(text, {"model identifier is invalid"}))
    return make_error(Errc::not_found, std::move(what));
  if (contains_in_order(text, {"blocked by our content filters"}))
    return make_error(Errc::content_filtered, std::move(what));
  auto error = make_error(Errc::bad_request, std::move(what));
  // The model is only reachable through an inference profile: our configuration, which another endpoint may
  // have right.
  if (contains_in_order(text, {"on-demand throughput isn", "t supported"})) error.failover = true;
  return error;
}

Error classify_said(const Said& said, std::string what) {
  auto code = class_of_exception(said.type);
  if (!code) {
    if (says_context_too_long(said.message, said.status))
      return make_error(Errc::context_length_exceeded, std::move(what));
    auto error = error_of_status(said.status, std::move(what));
    error.unrecognised = !said.type.empty();
    return error;
  }
  if (*code == Errc::bad_request) return classify_validation(said, std::move(what));
  bool daily = *code == Errc::rate_limited && contains_in_order(to_lower(said.message), {"per day"});
  if (daily) return make_error(Errc::quota_exhausted, std::move(what));
  bool model_error = to_lower(said.type).starts_with("modelerror");
  if (!model_error) return make_error(*code, std::move(what));
  auto error = classify_model_error(said.original_status.value_or(500), std::move(what));
  // The official clients try a failing model once only; a throttled one may be tried again.
  error.retryable = error.code == Errc::rate_limited;
  return error;
}

}  // namespace

Error classify_answer(const http::Response& response, WallTime wall) {
  Said said{.status = response.status};
  if (const auto* type = http::find_header(response.headers, "x-amzn-errortype"))
    said.type = bare_exception_name(*type);
  auto body = parse_json(response.body);
  if (body) read_body(*body, said);
  auto error =
      classify_said(said, fmt::format("answered {} ({})", response.status, printable_type(said.type)));
  error.vendor_text = clip_vendor_text(body ? said.message : response.body);
  apply_retry_headers(error, response.headers, wall);
  return error;
}

Error classify_frame(const Frame& frame) {
  Said said;
  said.type = bare_exception_name(string_header(frame, ":exception-type"));
  if (said.type.empty()) said.type = bare_exception_name(string_header(frame, ":error-code"));
  if (auto body = parse_json(frame.payload)) read_body(*body, said);
  if (said.message.empty()) said.message = string_header(frame, ":error-message");
  auto error = classify_said(said, fmt::format("error inside the stream ({})", printable_type(said.type)));
  error.maybe_billed = true;
  error.vendor_text = clip_vendor_text(said.message);
  return error;
}

ErrorShape shape_of(Errc code) {
  switch (code) {
    case Errc::rate_limited:
      return {429, "ThrottlingException", "Too many tokens, please wait before trying again."};
    case Errc::overloaded:
    case Errc::no_endpoint:
    case Errc::refused:
    case Errc::unreachable:
      return {503, "ServiceUnavailableException", "Bedrock is unable to process your request."};
    case Errc::quota_exhausted: return {400, "ServiceQuotaExceededException", "Your quota is used up."};
    case Errc::timeout:
    case Errc::deadline_exceeded: return {408, "ModelTimeoutException", "Model timed out"};
    case Errc::model_not_ready:
      return {429, "ModelNotReadyException", "Model is not ready for inference. Wait and try again."};
    case Errc::bad_request:
    case Errc::invalid_input:
    case Errc::unsupported:
      return {400, "ValidationException",
              "Malformed input request, please reformat your input and try again."};
    case Errc::context_length_exceeded: return {400, "ValidationException", kTooLong, true};
    case Errc::content_filtered: return {400, "ValidationException", kFiltered, true};
    case Errc::auth:
      return {403, "UnrecognizedClientException", "The security token included in the request is invalid."};
    case Errc::permission:
      return {403, "AccessDeniedException",
              "You don't have access to the model with the specified model ID."};
    case Errc::not_found:
      return {404, "ResourceNotFoundException",
              "Could not resolve the foundation model from the provided model identifier."};
    case Errc::stream_broken:
      return {424, "ModelStreamErrorException",
              "The system encountered an unexpected error during processing."};
    default:
      return {500, "InternalServerException",
              "The system encountered an unexpected error during processing."};
  }
}

std::string message_of(const ErrorShape& shape, const Error& error) {
  if (error.vendor_text.empty()) return shape.message;
  return shape.message_tells ? std::string(shape.message) + " " + error.vendor_text : error.vendor_text;
}

}  // namespace troupe::providers::bedrock
