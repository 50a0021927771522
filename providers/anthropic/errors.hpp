// Anthropic's words for errors, both ways: over HTTP, inside a stream, and how to say them (WIRE 5.4, 6.1).
#pragma once

#include "runtime/http/message.hpp"
#include "runtime/json/json.hpp"

#include <troupe/error.hpp>

#include <string>

namespace troupe::providers::anthropic {

/// {"type":"error","error":{…}}, as an answer's body or a stream's event.
bool is_error_body(const Json& body);

/// error.details.error_code before error.type before message before status. Spend limits and low credit are
/// quota_exhausted whatever status they come with. Without retry-after, a rate limit's hint is the reset of
/// the limit that is used up (rate_limit.hpp) and a spend limit's the date its text names. `unrecognised` is
/// set for a type or error_code our tables lack.
Error classify_answer(const http::Response& response, WallTime wall);

/// An `error` event inside a stream, or an error where a message should be. maybe_billed.
Error classify_event(const Json& event);

struct ErrorShape {
  int status = 500;
  const char* type = "api_error";
  /// details.error_code; empty when there is none. "model_not_ready" is our own: Anthropic has no such class.
  const char* code = "";
  const char* message = "";
  /// The class is told by the message alone, so no other text may replace it.
  bool message_tells = false;
};
/// How this dialect says it; classify_answer reads the class back.
ErrorShape shape_of(Errc code);

/// The body, or the `error` event's data, for `error`. request_id is null: the header has it.
Json error_body(const Error& error);

/// A whole answer: see DialectServer::write_error. x-should-retry is false where the official clients'
/// retries would only burn attempts (WIRE 5.6).
http::Response write_error_answer(const Error& error);

}  // namespace troupe::providers::anthropic
