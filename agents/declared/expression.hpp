// The small language between {{ and }}: paths into data, filters, comparisons. Parsed once, pure.
//
//   steps.facts[0].text | first 200        inputs.level == "high" and not (item.done or index > 3)
#pragma once

#include "runtime/json/json.hpp"

#include <troupe/error.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace troupe::declared {

struct Expression;
using ExpressionPtr = std::shared_ptr<const Expression>;

/// A member's name or a place in a list, from 0.
using PathPart = std::variant<std::string, std::size_t>;

struct Expression {
  enum class Kind {
    literal,
    path,
    filter,  ///< `name` applied to operands[0]; operands[1], when there, is its argument
    negation,
    conjunction,
    disjunction,
    equal,
    unequal,
    less,
    less_equal,
    greater,
    greater_equal,
  };
  Kind kind = Kind::literal;
  Json literal;
  std::vector<PathPart> path;
  std::string name;
  std::vector<ExpressionPtr> operands;
};

/// What an expression may hold; beyond it is bad_config.
inline constexpr std::size_t kExpressionBytesMax = 4096;
inline constexpr int kExpressionDepthMax = 16;

/// The whole of `text`. bad_config says at which character what was expected.
Result<ExpressionPtr> parse_expression(std::string_view text);
/// The expression at the beginning of `text`, up to the "}}" that ends it; `used` is past that.
Result<ExpressionPtr> parse_braced(std::string_view text, std::size_t& used);

/// Every path in it.
void each_path(const Expression& expression, const std::function<void(const std::vector<PathPart>&)>& visit);
/// As it is written: "steps.facts[0].text".
std::string path_text(const std::vector<PathPart>& path);

/// The filters there are, and whether each takes an argument.
struct FilterKind {
  std::string_view name;
  enum class Argument { none, number, any } argument;
};
const std::vector<FilterKind>& filter_kinds();

}  // namespace troupe::declared
