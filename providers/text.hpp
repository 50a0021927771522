// Text encodings every dialect needs: base64, percent-encoding, ASCII case.
#pragma once

#include <troupe/error.hpp>

#include <string>
#include <string_view>

namespace troupe::providers {

/// RFC 4648 section 4, with padding, no line breaks.
std::string base64_encode(std::string_view bytes);
/// Fails with invalid_input for anything base64_encode does not write: foreign characters, bad length or
/// padding.
Result<std::string> base64_decode(std::string_view text);

/// Encodes all bytes outside A-Z a-z 0-9 - _ . ~ (RFC 3986 unreserved) as %XX with upper-case digits; bytes
/// in `keep` stay too.
std::string percent_encode(std::string_view text, std::string_view keep = {});
/// Malformed escapes stay as they are.
std::string percent_decode(std::string_view text);

/// ASCII letters only: protocol words, never prose.
std::string to_lower(std::string_view text);

/// A path without its query.
std::string_view path_of(std::string_view target);

}  // namespace troupe::providers
