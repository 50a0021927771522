// Where a secret is, never the secret.
#pragma once

#include <troupe/error.hpp>

#include <string>

namespace troupe::config {

/// "${VAR}" or "file:PATH" (absolute once loaded). Empty: none given.
struct SecretRef {
  std::string reference;
  bool empty() const { return reference.empty(); }
};
/// Reads it now: an unset variable, a missing file or an empty value is bad_config. One trailing newline is
/// dropped. An empty reference gives an empty string. At most 64 KiB.
Result<std::string> read_secret(const SecretRef& secret);

}  // namespace troupe::config
