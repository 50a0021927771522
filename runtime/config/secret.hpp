// References to secrets: how they are told from literals.
#pragma once

#include "runtime/config/config.hpp"

#include <optional>
#include <string>

namespace troupe::config {

/// "${NAME}" as it is, "file:PATH" with a relative path made absolute from `directory`, empty text as no
/// reference. Nothing for anything else.
std::optional<SecretRef> secret_reference(const std::string& text, const std::string& directory);

}  // namespace troupe::config
