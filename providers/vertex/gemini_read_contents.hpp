// Gemini's contents as messages: roles, parts, and ids for calls that have none (WIRE 4.2).
#pragma once

#include "runtime/json/json.hpp"

#include <troupe/error.hpp>
#include <troupe/request.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace troupe::providers::vertex {

/// `systemInstruction`, when there is one, and `contents`. See read_gemini_request for rules and failures.
Result<std::vector<Message>> read_gemini_contents(const Json& body);

/// The member by its camelCase name, or by the same in snake_case; nullptr when it is absent or null.
const Json* gemini_member(const Json& object, std::string_view name);

/// bad_request with the service's wording in vendor_text.
std::unexpected<Error> invalid_gemini_argument(std::string text);

}  // namespace troupe::providers::vertex
