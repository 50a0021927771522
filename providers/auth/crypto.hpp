// The cryptography credentials need: digests, HMAC, RS256, and comparing in constant time. OpenSSL stays in
// the .cpp.
#pragma once

#include <troupe/error.hpp>

#include <string>
#include <string_view>

namespace troupe::providers {

/// 32 raw bytes.
std::string sha256(std::string_view bytes);
/// 32 raw bytes.
std::string hmac_sha256(std::string_view key, std::string_view text);
/// Takes the same time wherever texts of one length differ.
bool same_in_constant_time(std::string_view a, std::string_view b);

/// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 section 3.3), raw bytes. `private_key_pem` is PKCS#8 or PKCS#1,
/// unencrypted, at least 2048 bits. Fails with `auth`, never quoting the key.
Result<std::string> rs256(std::string_view private_key_pem, std::string_view text);

/// base64url without padding (RFC 4648 section 5), as JWTs are written.
std::string base64url(std::string_view bytes);

}  // namespace troupe::providers
