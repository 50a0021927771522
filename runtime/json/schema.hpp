// Does a JSON value have the shape a schema asks for? The part of JSON Schema that models are given.
#pragma once

#include "runtime/json/json.hpp"

#include <troupe/error.hpp>

#include <cstddef>

namespace troupe {

/// Bounds that hold for hostile schemas and hostile values alike.
struct SchemaLimits {
  /// Levels of schema, and of value, below the first.
  int depth_max = 32;
  /// Subschemas of one schema.
  std::size_t parts_max = 4096;
  /// Comparisons of one validation; anyOf within anyOf could ask for more than there are atoms.
  std::size_t work_max = 1'000'000;
};

/// Can `validate_json` judge by this schema? Understood: type (one name or a list), properties, required,
/// additionalProperties, enum, const, items, minItems, maxItems, minimum, maximum, exclusiveMinimum,
/// exclusiveMaximum, minLength, maxLength (in characters), anyOf, oneOf, allOf, and true/false as schemas.
/// Unknown words are ignored, as JSON Schema has it; those that would let through what they forbid ($ref,
/// pattern, not, if, patternProperties and their like) are `unsupported`. invalid_input when it is malformed
/// or exceeds a bound. Pure.
Result<void> check_schema(const Json& schema, const SchemaLimits& limits = {});

/// invalid_input naming the first place that does not fit ("points[2].kind: expected one of …"), in words a
/// model can act on; it quotes the schema, never the value. Fails as check_schema does. Pure.
Result<void> validate_json(const Json& value, const Json& schema, const SchemaLimits& limits = {});

}  // namespace troupe
