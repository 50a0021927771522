// Google's words for errors, both ways: the envelope of google.rpc.Status over HTTP and inside a stream
// (WIRE 4.5, 6.1).
#pragma once

#include "runtime/http/message.hpp"
#include "runtime/json/json.hpp"

#include <troupe/error.hpp>

#include <string>

namespace troupe::providers::vertex {

/// The `error` object of an answer or a chunk, also when it is wrapped in a one-element array, as streaming
/// calls do; nullptr when `body` is of another shape (then it may be a publisher's own, such as Anthropic's).
const Json* find_google_error(const Json& body);

/// By google.rpc status, then message, then HTTP status. One 429, three meanings (G2):
/// - "Resource exhausted": the shared pay-as-you-go pool is contended. overloaded, but not counted against
///   the breaker, for nobody is sick.
/// - "Quota exceeded": the project's own quota. rate_limited; quota_exhausted when it is a daily one.
/// - "Exceeded the Provisioned Throughput": only with request type `dedicated`. rate_limited; spilling to
///   `shared` beats waiting.
/// A 5xx is the provider's own failure, under-use included: within bought throughput Google answers 5xx where
/// pay-as-you-go would get a 429. So UNAVAILABLE is overloaded and INTERNAL or UNKNOWN transient_server, both
/// counted.
/// Hints: headers before RetryInfo (WIRE 6.1). A status word we do not know is `unrecognised`.
Error classify_google(const http::Response& response, WallTime wall);

/// The same for a chunk `{"error":{…}}` inside a stream, which has no status but the one it names.
/// maybe_billed, since the model had begun to work.
Error classify_google_chunk(const Json& error);

struct GoogleShape {
  int status = 500;
  /// The google.rpc status.
  const char* word = "INTERNAL";
  const char* message = "";
  /// The class is told by the message alone, so no other text may replace it.
  bool message_tells = false;
};
/// How Google says it; classify_google reads the class back.
GoogleShape google_shape_of(Errc code);
/// `{"error":{code, message, status, details}}`; details hold RetryInfo when the error has a hint.
Json google_error_body(const GoogleShape& shape, const Error& error);
/// The whole answer, Retry-After included.
http::Response write_google_error(const Error& error);

}  // namespace troupe::providers::vertex
