// Checking RS256 signatures: the side of who receives a JWT.
#pragma once

#include <troupe/error.hpp>

#include <string_view>

namespace troupe::providers {

/// Is `signature` (raw bytes) RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 section 3.3) over `text` by the holder
/// of `public_key_pem` (SubjectPublicKeyInfo, at least 2048 bits)? Fails with `auth` when it is not, with
/// bad_config when the key is no such key.
Result<void> check_rs256(std::string_view public_key_pem, std::string_view text, std::string_view signature);

}  // namespace troupe::providers
