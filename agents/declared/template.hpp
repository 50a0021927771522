// Text, and JSON values, with expressions between {{ and }} in them.
#pragma once

#include "agents/declared/evaluate.hpp"
#include "agents/declared/expression.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace troupe::declared {

/// A text whose {{ }} are filled in when it is used. A literal "{{" is written {{ "{{" }}.
class Template {
 public:
  Template() = default;
  /// bad_config says what is wrong at which character.
  static Result<Template> parse(std::string_view text);

  bool empty() const { return pieces_.empty(); }
  /// invalid_input for what is missing, and for more than kTextBytesMax.
  Result<std::string> text(const Scope& scope) const;
  /// As `text`, but a template that is one {{ }} and nothing else gives that value as it is.
  Result<Json> value(const Scope& scope) const;
  void each_expression(const std::function<void(const Expression&)>& visit) const;

 private:
  std::vector<std::variant<std::string, ExpressionPtr>> pieces_;
};

/// A JSON value whose texts are templates.
class ValueTemplate {
 public:
  /// Null.
  ValueTemplate() = default;
  /// `wrong` hears of every text in it that is no template: where ("" or ".a[0]") and why.
  static ValueTemplate parse(const Json& json,
                             const std::function<void(const std::string&, const std::string&)>& wrong);

  Result<Json> value(const Scope& scope) const;
  void each_expression(const std::function<void(const Expression&)>& visit) const;

 private:
  using List = std::vector<ValueTemplate>;
  using Object = std::vector<std::pair<std::string, ValueTemplate>>;
  std::variant<Json, Template, List, Object> content_;
};

}  // namespace troupe::declared
