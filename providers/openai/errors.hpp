// OpenAI's words for errors, both ways: what an answer means, and how to say it (WIRE 5.3, 5.5, 6.1).
#pragma once

#include "runtime/http/message.hpp"
#include "runtime/json/json.hpp"

#include <troupe/error.hpp>

#include <string>

namespace troupe::providers::openai {

/// Code before type before Azure's inner code before message before status. Understands Azure's gateway's
/// envelope-less bodies. `unrecognised` when the error names itself in words none of which we know.
Error classify_answer(const http::Response& response, WallTime wall);

/// `chunk` is {"error":{…}}, or the error object itself, inside a stream or under status 200: there is no
/// status to fall back on but one written as the code. maybe_billed, since the model had begun to work.
Error classify_in_stream(const Json& chunk);

struct ErrorShape {
  int status = 500;
  const char* type = "server_error";
  /// Empty: null on the wire.
  const char* code = "";
  const char* message = "";
};
/// How this dialect says it; classify_answer reads the class back.
ErrorShape shape_of(Errc code);
/// {"error":{message,type,param,code}}. `message` empty: the shape's.
Json error_body(const ErrorShape& shape, const std::string& message);

}  // namespace troupe::providers::openai
