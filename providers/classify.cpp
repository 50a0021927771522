#include "providers/classify.hpp"

#include "providers/retry_hint.hpp"
#include "providers/text.hpp"
#include "runtime/json/json.hpp"

#include <algorithm>

namespace troupe::providers {
namespace {

constexpr std::size_t kVendorTextMax = 4096;
constexpr std::size_t kTypeMax = 64;

bool is_type_character(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
         c == '-';
}

}  // namespace

Errc class_of_status(int status) {
  switch (status) {
    case 401: return Errc::auth;
    case 403: return Errc::permission;
    case 404: return Errc::not_found;
    case 408: return Errc::timeout;
    case 409: return Errc::transient_server;
    case 424: return Errc::transient_server;
    case 429: return Errc::rate_limited;
    case 503: return Errc::overloaded;
    case 529: return Errc::overloaded;
    default: break;
  }
  // Neither a client error nor an answer: something between us and the provider speaks.
  return status >= 400 && status < 500 ? Errc::bad_request : Errc::transient_server;
}

Error error_of_status(int status, std::string what) {
  auto error = make_error(class_of_status(status), std::move(what));
  if (status == 409) error.counts_for_breaker = false;
  return error;
}

bool contains_in_order(std::string_view text, std::initializer_list<std::string_view> pieces) {
  for (auto piece : pieces) {
    auto at = text.find(piece);
    if (at == std::string_view::npos) return false;
    text.remove_prefix(at + piece.size());
  }
  return true;
}

bool says_context_too_long(std::string_view message, int status) {
  auto text = to_lower(message.substr(0, kVendorTextMax));
  bool too_many =
      contains_in_order(text, {"too many tokens"}) || contains_in_order(text, {"too many input tokens"});
  return contains_in_order(text, {"input is too long"}) || contains_in_order(text, {"prompt is too long"}) ||
         contains_in_order(text, {"input length and ", "max_tokens", " exceed context limit"}) ||
         contains_in_order(text, {"maximum context length"}) ||
         contains_in_order(text, {"input token count ", " exceeds the maximum"}) ||
         contains_in_order(text, {"tokens ", " must be <="}) ||
         contains_in_order(text, {"longer than the maximum model length"}) || (too_many && status == 400);
}

void apply_retry_headers(Error& error, const http::Headers& headers, WallTime wall) {
  error.retry_after = read_retry_after(headers, wall);
  if (!error.retry_after && error.code == Errc::rate_limited)
    error.retry_after = read_ratelimit_reset(headers);
  const auto* verdict = http::find_header(headers, "x-should-retry");
  if (verdict == nullptr) return;
  if (*verdict == "false") error.retryable = false;
  if (*verdict == "true") error.retryable = true;
}

std::string clip_vendor_text(std::string_view text) { return to_valid_utf8(text.substr(0, kVendorTextMax)); }

std::string printable_type(std::string_view type) {
  bool plain = !type.empty() && type.size() <= kTypeMax && std::ranges::all_of(type, is_type_character);
  return plain ? std::string(type) : "?";
}

}  // namespace troupe::providers
