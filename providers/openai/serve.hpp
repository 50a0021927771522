// OpenAI chat completions from the server's side: reading requests, writing answers and streams
// (WIRE 5.1, 5.6).
#pragma once

#include "providers/serve.hpp"
#include "runtime/json/json.hpp"

namespace troupe::providers::openai {

/// Accepts what `dialect()` writes and what the official clients send, within what a CompletionRequest can
/// hold: images only as data: URLs; `max_tokens` like `max_completion_tokens`; json_object is read as the
/// schema {"type":"object"}; reasoning_effort as the tokens of tokens_of_effort. Consecutive tool messages
/// become one user message. The members of Completion::extra are written beside our own.
const DialectServer& server();

// What the servers of this family share.

/// A whole chat.completion.
Json write_chat_completion(const Completion& completion, const AnswerHead& head);
/// 200, JSON, x-request-id.
http::Response json_answer(const Json& body, const AnswerHead& head);
/// 200 and the headers of a stream of events.
http::ResponseHead events_head(const AnswerHead& head);
/// retry-after (whole seconds, rounded up), retry-after-ms, and x-should-retry: false where clients would
/// only burn attempts.
void put_retry_hints(const Error& error, http::Headers& headers);
/// The request's body; bad_request when it is no JSON object.
Result<Json> body_object(const http::Request& request);
/// As DialectServer::write_error, in OpenAI's words.
http::Response write_error_answer(const Error& error);

}  // namespace troupe::providers::openai
