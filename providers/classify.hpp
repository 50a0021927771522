// What the dialects' error readers share: statuses, context-length texts, retry hints.
#pragma once

#include "runtime/http/message.hpp"

#include <troupe/error.hpp>

#include <string>
#include <string_view>

namespace troupe::providers {

/// The class of a status alone, the last resort of WIRE 6.1. 409 is transient_server (see error_of_status).
Errc class_of_status(int status);

/// make_error of class_of_status, with 409 not counting against the breaker.
Error error_of_status(int status, std::string what);

/// Does a provider's message say the input exceeds the context window? The texts of WIRE 6.1, any case.
/// `status` 0 when there is none (in a stream): "too many tokens" means this only with 400, since Bedrock
/// throttles with it.
bool says_context_too_long(std::string_view message, int status);

/// Does `text` contain all of `pieces`, in this order, apart by anything? Both in lower case. Linear, unlike
/// a regex on a hostile text.
bool contains_in_order(std::string_view text, std::initializer_list<std::string_view> pieces);

/// Sets retry_after (reset headers only for rate_limited) and obeys x-should-retry.
void apply_retry_headers(Error& error, const http::Headers& headers, WallTime wall);

/// The provider's words as kept in an Error: valid UTF-8 of at most 4 KiB.
std::string clip_vendor_text(std::string_view text);

/// A provider's error type as part of our `what`: itself when it is a plain word, otherwise "?". Anything
/// else might smuggle content or control characters into a log.
std::string printable_type(std::string_view type);

}  // namespace troupe::providers
