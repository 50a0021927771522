// Google's Schema, a dialect of OpenAPI 3.0, as JSON Schema.
#pragma once

#include "runtime/json/json.hpp"

namespace troupe::providers::vertex {

/// Type words in lower case, `nullable` as a second type, int64 bounds said as texts as numbers;
/// `propertyOrdering` and the format "enum" have no meaning there and are dropped. Everything else stays.
/// parse_json bounds the nesting.
Json json_schema_of(const Json& schema);

}  // namespace troupe::providers::vertex
