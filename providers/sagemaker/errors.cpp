#include "providers/sagemaker/errors.hpp"

#include "providers/aws_exception.hpp"
#include "providers/classify.hpp"
#include "providers/openai/errors.hpp"
#include "providers/text.hpp"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <utility>

namespace troupe::providers::sagemaker {
namespace {

// What an error says, wherever it was said.
struct Said {
  int status = 0;
  std::string type, message, error_code, original_message;
  std::optional<std::int64_t> original_status;
};

void read_members(const Json& body, Said& said) {
  for (const auto* name : {"code", "__type"})
    if (said.type.empty()) said.type = bare_exception_name(get_string(body, name));
  said.message = get_string(body, "message", get_string(body, "Message"));
  said.error_code = get_string(body, "ErrorCode");
  said.original_message = get_string(body, "OriginalMessage");
  const auto* original = find(body, "OriginalStatusCode");
  if (original == nullptr || !original->is_number_integer()) return;
  said.original_status = original->get<std::int64_t>();
  if (said.type.empty()) said.type = "ModelError";
}

// TGI's classes by its error_type; absent when the body is in other words.
std::optional<Errc> class_of_generate_error(const Json& body, bool in_stream) {
  auto type = get_string(body, "error_type");
  auto text = get_string(body, "error");
  if (type == "overloaded") return Errc::overloaded;
  if (type == "validation")
    return says_context_too_long(text, 422) ? Errc::context_length_exceeded : Errc::bad_request;
  bool broke = type == "generation" || type == "incomplete_generation";
  if (!broke) return std::nullopt;
  return in_stream ? Errc::stream_broken : Errc::transient_server;
}

Error classify_model_error(const Said& said, std::string what) {
  auto original = said.original_status.value_or(500);
  if (original == 0) return make_error(Errc::timeout, std::move(what));
  bool sane = original >= 400 && original < 600;
  http::Response answer{sane ? static_cast<int>(original) : 500, {}, said.original_message};
  auto error = openai::classify_answer(answer, {});
  error.what = std::move(what);
  auto body = parse_json(said.original_message);
  if (auto code = body ? class_of_generate_error(*body, false) : std::nullopt) {
    auto words = std::move(error.vendor_text);
    error = make_error(*code, std::move(error.what));
    error.vendor_text = std::move(words);
  }
  return error;
}

Error classify_validation(const Said& said, std::string what) {
  auto text = to_lower(said.message.substr(0, 4096));
  // An endpoint that is not there is a validation error here.
  if (contains_in_order(text, {"not found"})) return make_error(Errc::not_found, std::move(what));
  if (says_context_too_long(text, 400)) return make_error(Errc::context_length_exceeded, std::move(what));
  return make_error(Errc::bad_request, std::move(what));
}

Error classify_said(const Said& said, std::string what) {
  auto code = class_of_exception(said.type);
  if (!code) {
    auto error = error_of_status(said.status, std::move(what));
    error.unrecognised = !said.type.empty();
    return error;
  }
  if (*code == Errc::bad_request) return classify_validation(said, std::move(what));
  if (to_lower(said.type).starts_with("modelerror")) return classify_model_error(said, std::move(what));
  if (*code == Errc::stream_broken && said.error_code == "ModelInvocationTimeExceeded")
    return make_error(Errc::timeout, std::move(what));
  return make_error(*code, std::move(what));
}

}  // namespace

Error classify_answer(const http::Response& response, WallTime wall) {
  Said said;
  said.status = response.status;
  if (const auto* type = http::find_header(response.headers, "x-amzn-errortype"))
    said.type = bare_exception_name(*type);
  auto body = parse_json(response.body);
  if (body) read_members(*body, said);
  auto error =
      classify_said(said, fmt::format("answered {} ({})", response.status, printable_type(said.type)));
  if (error.vendor_text.empty()) error.vendor_text = clip_vendor_text(body ? said.message : response.body);
  apply_retry_headers(error, response.headers, wall);
  return error;
}

Error classify_frame(const Frame& frame) {
  Said said;
  said.type = bare_exception_name(string_header(frame, ":exception-type"));
  if (said.type.empty()) said.type = bare_exception_name(string_header(frame, ":error-code"));
  if (auto body = parse_json(frame.payload)) read_members(*body, said);
  if (said.message.empty()) said.message = string_header(frame, ":error-message");
  auto error = classify_said(said, fmt::format("error inside the stream ({})", printable_type(said.type)));
  error.maybe_billed = true;
  if (error.vendor_text.empty()) error.vendor_text = clip_vendor_text(said.message);
  return error;
}

Error classify_container_error(const Json& said) {
  auto code = class_of_generate_error(said, true);
  if (!code) return openai::classify_in_stream(said);
  auto type = printable_type(get_string(said, "error_type"));
  auto error = make_error(*code, fmt::format("error inside the stream ({})", type));
  error.maybe_billed = true;
  error.vendor_text = clip_vendor_text(get_string(said, "error"));
  return error;
}

Error container_failed() {
  auto error = make_error(Errc::stream_broken, "the container failed in the middle of its answer");
  error.maybe_billed = true;
  return error;
}

}  // namespace troupe::providers::sagemaker
