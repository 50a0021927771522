#include "agents/declared/evaluate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <compare>

namespace troupe::declared {
namespace {

using Kind = Expression::Kind;

Value owned(Json value) { return std::make_shared<const Json>(std::move(value)); }
Value borrowed(const Json& value) { return {std::shared_ptr<const Json>(), &value}; }

const Json* below(const Json& value, const PathPart& part) {
  if (const auto* name = std::get_if<std::string>(&part)) return troupe::find(value, *name);
  auto index = std::get<std::size_t>(part);
  return value.is_array() && index < value.size() ? &value[index] : nullptr;
}

Result<Value> at_path(const std::vector<PathPart>& path, const Scope& scope, Missing missing) {
  const Json* value = nullptr;
  for (const auto& [root, data] : scope)
    if (root == std::get<std::string>(path.front())) value = data;
  for (std::size_t i = 1; i < path.size() && value != nullptr; ++i) value = below(*value, path[i]);
  if (value != nullptr) return borrowed(*value);
  if (missing == Missing::is_null) return owned(nullptr);
  return fail(Errc::invalid_input, "there is no " + path_text(path));
}

// ---- filters ----

// Bytes of the first `count` characters.
std::size_t prefix_bytes(std::string_view text, std::uint64_t count) {
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    bool begins = (static_cast<unsigned char>(text[at]) & 0xc0) != 0x80;
    if (begins && count-- == 0) break;
  }
  return at;
}

std::size_t characters(std::string_view text) {
  auto begins = [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; };
  return static_cast<std::size_t>(std::ranges::count_if(text, begins));
}

Json lines_of(const std::string& text) {
  auto out = Json::array();
  for (std::size_t at = 0; at < text.size();) {
    auto end = std::min(text.find('\n', at), text.size());
    auto line = std::string_view(text).substr(at, end - at);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty()) out.push_back(std::string(line));
    at = end + 1;
  }
  return out;
}

Json first_of(const Json& value, std::uint64_t count) {
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    return text.substr(0, prefix_bytes(text, count));
  }
  auto out = Json::array();
  for (std::size_t i = 0; i < value.size() && i < count; ++i) out.push_back(value[i]);
  return out;
}

std::string joined_text(const Json& list, const std::string& between) {
  std::string out;
  for (const auto& each : list) {
    if (&each != &list[0]) out += between;
    out += to_text(each);
    if (out.size() > kTextBytesMax) break;
  }
  return out;
}

// Between marks that it cannot close itself, so that a model can tell it from its instructions (J9).
std::string as_data(std::string text) {
  constexpr std::string_view mark = "</data";
  for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + mark.size()))
    text.replace(at, 2, "<\\");
  return "<data>\n" + text + "\n</data>";
}

std::unexpected<Error> wrong_kind(const std::string& filter, const char* wanted, const Json& value) {
  return fail(Errc::invalid_input, fmt::format("{} wants {}, not {}", filter, wanted, value.type_name()));
}

Result<Value> apply(const std::string& filter, const Value& value, const Json& argument) {
  bool is_text = value->is_string(), is_list = value->is_array();
  if (filter == "json") return owned(dump_json(*value));
  if (filter == "data") return owned(as_data(to_text(*value)));
  if (filter == "default") return value->is_null() ? owned(argument) : value;
  if (filter == "length") {
    if (is_text) return owned(characters(value->get_ref<const std::string&>()));
    if (!is_list && !value->is_object()) return wrong_kind(filter, "text, a list or an object", *value);
    return owned(value->size());
  }
  if (filter == "lines") {
    if (!is_text) return wrong_kind(filter, "text", *value);
    return owned(lines_of(value->get_ref<const std::string&>()));
  }
  if (filter == "first") {
    if (!is_text && !is_list) return wrong_kind(filter, "text or a list", *value);
    return owned(first_of(*value, argument.get<std::uint64_t>()));
  }
  if (!is_list) return wrong_kind(filter, "a list", *value);
  return owned(joined_text(*value, to_text(argument)));
}

Result<Value> filtered(const Expression& expression, const Scope& scope, Missing missing) {
  if (expression.name == "default") missing = Missing::is_null;
  auto value = evaluate(*expression.operands[0], scope, missing);
  if (!value) return value;
  static const Json none;
  return apply(expression.name, *value,
               expression.operands.size() > 1 ? expression.operands[1]->literal : none);
}

// ---- conditions ----

Result<std::partial_ordering> ordering(const Json& left, const Json& right) {
  if (left.is_number() && right.is_number()) return left.get<double>() <=> right.get<double>();
  if (left.is_string() && right.is_string())
    return left.get_ref<const std::string&>() <=> right.get_ref<const std::string&>();
  return fail(Errc::invalid_input, fmt::format("{} and {} have no order; compare numbers with numbers or "
                                               "text with text",
                                               left.type_name(), right.type_name()));
}

Result<Value> compared(const Expression& expression, const Scope& scope, Missing missing) {
  auto left = evaluate(*expression.operands[0], scope, missing);
  if (!left) return left;
  auto right = evaluate(*expression.operands[1], scope, missing);
  if (!right) return right;
  if (expression.kind == Kind::equal) return owned(**left == **right);
  if (expression.kind == Kind::unequal) return owned(**left != **right);
  auto order = ordering(**left, **right);
  if (!order) return std::unexpected(order.error());
  if (expression.kind == Kind::less) return owned(*order < 0);
  if (expression.kind == Kind::less_equal) return owned(*order <= 0);
  return owned(expression.kind == Kind::greater ? *order > 0 : *order >= 0);
}

Result<Value> decided(const Expression& expression, const Scope& scope, Missing missing) {
  auto left = evaluate(*expression.operands[0], scope, missing);
  if (!left) return left;
  bool first = is_truthy(**left);
  if (expression.kind == Kind::negation) return owned(!first);
  // The right side is not asked when the left one decides.
  if (first == (expression.kind == Kind::disjunction)) return owned(first);
  auto right = evaluate(*expression.operands[1], scope, missing);
  if (!right) return right;
  return owned(is_truthy(**right));
}

}  // namespace

Result<Value> evaluate(const Expression& expression, const Scope& scope, Missing missing) {
  switch (expression.kind) {
    case Kind::literal: return borrowed(expression.literal);
    case Kind::path: return at_path(expression.path, scope, missing);
    case Kind::filter: return filtered(expression, scope, missing);
    case Kind::negation:
    case Kind::conjunction:
    case Kind::disjunction: return decided(expression, scope, missing);
    default: return compared(expression, scope, missing);
  }
}

bool is_truthy(const Json& value) {
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number()) return value.get<double>() != 0;
  if (value.is_string()) return !value.get_ref<const std::string&>().empty();
  return !value.empty();
}

Result<bool> holds(const Expression& condition, const Scope& scope) {
  auto value = evaluate(condition, scope, Missing::is_null);
  if (!value) return std::unexpected(value.error());
  return is_truthy(**value);
}

std::string to_text(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.is_null() ? std::string() : dump_json(value);
}

}  // namespace troupe::declared
