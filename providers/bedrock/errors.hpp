// Bedrock's words for errors, both ways: over HTTP, inside a stream, and how to say them (WIRE 1.8, 6.1).
#pragma once

#include "providers/eventstream.hpp"
#include "runtime/http/message.hpp"

#include <troupe/error.hpp>

#include <string>

namespace troupe::providers::bedrock {

/// Type (x-amzn-errortype, body `code`, body `__type`; any case) before message before status. A ModelError
/// goes by the status the model itself answered. `what` names the type; the auth errors' Date header is the
/// caller's to read.
Error classify_answer(const http::Response& response, WallTime wall);

/// An `exception` or `error` frame. maybe_billed, since the model had begun to work.
Error classify_frame(const Frame& frame);

struct ErrorShape {
  int status = 500;
  /// PascalCase, as in the HTTP header. In a stream the modelled ones become lowerCamelCase exceptions.
  const char* type = "InternalServerException";
  const char* message = "";
  /// The class is told by the message alone, so no other text may replace it.
  bool message_tells = false;
};
/// How this dialect says it; classify_answer reads the class back.
ErrorShape shape_of(Errc code);
/// The message to send for `error`: its vendor_text or the shape's own, see DialectServer::write_error.
std::string message_of(const ErrorShape& shape, const Error& error);

}  // namespace troupe::providers::bedrock
