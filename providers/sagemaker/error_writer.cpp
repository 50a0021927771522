// The writing half of errors.hpp.
#include "providers/openai/errors.hpp"
#include "providers/sagemaker/errors.hpp"

#include <fmt/format.h>

#include <chrono>
#include <utility>

namespace troupe::providers::sagemaker {
namespace {

struct ServiceShape {
  int status = 500;
  const char* type = "InternalFailure";
  const char* message = "An internal failure occurred.";
};

// A status of 0: only a container can say it.
ServiceShape service_shape(Errc code) {
  switch (code) {
    case Errc::rate_limited: return {400, "ThrottlingException", nullptr};
    case Errc::overloaded:
    case Errc::no_endpoint:
    case Errc::refused:
    case Errc::unreachable: return {503, "ServiceUnavailable", "The service is unavailable."};
    case Errc::model_not_ready: return {429, "ModelNotReadyException", "The model is not ready."};
    case Errc::bad_request:
    case Errc::invalid_input:
    case Errc::unsupported: return {400, "ValidationError", "The request is invalid."};
    case Errc::not_found: return {400, "ValidationError", "Endpoint of account 123456789012 not found."};
    case Errc::auth:
      return {403, "UnrecognizedClientException", "The security token included in the request is invalid."};
    case Errc::permission: return {403, "AccessDeniedException", "You may not invoke this endpoint."};
    case Errc::timeout:
    case Errc::deadline_exceeded:
    case Errc::quota_exhausted:
    case Errc::context_length_exceeded:
    case Errc::content_filtered: return {0, "ModelError", ""};
    default: return {};
  }
}

http::Response service_answer(int status, std::string type, const Json& body) {
  return {
      status, {{"content-type", "application/json"}, {"x-amzn-ErrorType", std::move(type)}}, dump_json(body)};
}

http::Response model_error(int original_status, std::string original_message) {
  bool client = original_status >= 400 && original_status < 500;
  Json body{{"ErrorCode", client ? "CLIENT_ERROR_FROM_MODEL" : "INTERNAL_FAILURE_FROM_MODEL"}};
  body["Message"] = fmt::format("Received {} error ({}) from primary with message \"{}\"",
                                client ? "client" : "server", original_status, original_message);
  body["OriginalMessage"] = std::move(original_message);
  body["OriginalStatusCode"] = original_status;
  return service_answer(424, "ModelError", body);
}

http::Response container_answer(const Error& error) {
  bool late = error.code == Errc::timeout || error.code == Errc::deadline_exceeded;
  if (late)
    return model_error(0, error.vendor_text.empty() ? "Your invocation timed out." : error.vendor_text);
  auto shape = openai::shape_of(error.code);
  return model_error(shape.status, dump_json(openai::error_body(shape, error.vendor_text)));
}

std::string exception_frame(const char* type, const Json& payload) {
  Frame frame;
  frame.headers = {{":exception-type", std::string(type)},
                   {":content-type", std::string("application/json")},
                   {":message-type", std::string("exception")}};
  frame.payload = dump_json(payload);
  return encode_frame(frame).value_or(std::string());
}

}  // namespace

http::Response write_error_answer(const Error& error) {
  auto shape = service_shape(error.code);
  auto out = shape.status == 0 ? container_answer(error) : http::Response();
  if (shape.status != 0) {
    Json body = Json::object();
    const char* name = error.code == Errc::rate_limited ? "message" : "Message";
    body[name] = shape.message == nullptr ? Json(nullptr) : Json(shape.message);
    if (!error.vendor_text.empty()) body[name] = error.vendor_text;
    // The class is told by this text alone.
    if (error.code == Errc::not_found && !error.vendor_text.empty())
      body[name] = std::string(shape.message) + " " + error.vendor_text;
    out = service_answer(shape.status, shape.type, body);
  }
  if (!error.retry_after) return out;
  auto seconds = std::chrono::ceil<std::chrono::seconds>(*error.retry_after).count();
  auto ms = std::chrono::ceil<std::chrono::milliseconds>(*error.retry_after).count();
  out.headers.emplace_back("retry-after", fmt::to_string(seconds));
  out.headers.emplace_back("x-amz-retry-after", fmt::to_string(ms));
  return out;
}

http::Response write_model_error_answer(int original_status) { return model_error(original_status, "{}"); }

std::string write_stream_error(const Error& error) {
  auto text = error.vendor_text.empty() ? std::string("The stream was interrupted.") : error.vendor_text;
  switch (error.code) {
    case Errc::timeout:
    case Errc::deadline_exceeded:
      return exception_frame("ModelStreamError",
                             {{"Message", text}, {"ErrorCode", "ModelInvocationTimeExceeded"}});
    case Errc::stream_broken:
    case Errc::cancelled:
      return exception_frame("ModelStreamError", {{"Message", text}, {"ErrorCode", "StreamBroken"}});
    case Errc::transient_server:
    case Errc::internal: return exception_frame("InternalStreamFailure", {{"Message", text}});
    default: break;
  }
  auto said = openai::error_body(openai::shape_of(error.code), error.vendor_text);
  return payload_part("data: " + dump_json(said) + "\n\n");
}

std::string payload_part(std::string_view bytes) {
  Frame frame;
  frame.headers = {{":event-type", std::string("PayloadPart")},
                   {":content-type", std::string("application/octet-stream")},
                   {":message-type", std::string("event")}};
  frame.payload = bytes;
  return encode_frame(frame).value_or(std::string());
}

}  // namespace troupe::providers::sagemaker
