// AWS's names for what went wrong, as all its services spell them (WIRE 1.8).
#pragma once

#include <troupe/error.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace troupe::providers {

/// "ThrottlingException:http://…" and "com.amazon.coral.service#ThrottlingException" are the bare name.
std::string bare_exception_name(std::string_view type);

/// By the bare name, in any case, with or without "Exception" at the end: headers write PascalCase, frames
/// lowerCamelCase. Nothing for a name we do not know.
std::optional<Errc> class_of_exception(std::string_view name);

}  // namespace troupe::providers
