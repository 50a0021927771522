// What an expression or a template gives for the data there is. Pure; what is inserted is never read as a
// template again.
#pragma once

#include "agents/declared/expression.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::declared {

/// The roots of paths: "inputs", "steps", "item", "index", "run". The values must outlive their use.
using Scope = std::vector<std::pair<std::string_view, const Json*>>;

/// Bytes that one text may become.
inline constexpr std::size_t kTextBytesMax = 4u << 20;

/// Borrowed from the scope where it is a part of it, else owned.
using Value = std::shared_ptr<const Json>;

enum class Missing {
  is_an_error,  ///< invalid_input naming the path, never the data
  is_null,
};
Result<Value> evaluate(const Expression& expression, const Scope& scope,
                       Missing missing = Missing::is_an_error);

/// Null, false, 0, "", [] and {} are not; everything else is.
bool is_truthy(const Json& value);
/// Missing things are null here.
Result<bool> holds(const Expression& condition, const Scope& scope);

/// Text as it is, null as nothing, everything else as JSON.
std::string to_text(const Json& value);

}  // namespace troupe::declared
