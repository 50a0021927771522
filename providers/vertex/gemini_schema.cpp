#include "providers/vertex/gemini_schema.hpp"

#include "providers/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <string_view>

namespace troupe::providers::vertex {
namespace {

constexpr std::array kInt64Bounds{std::string_view("minItems"),      std::string_view("maxItems"),
                                  std::string_view("minLength"),     std::string_view("maxLength"),
                                  std::string_view("minProperties"), std::string_view("maxProperties")};

// Protobuf's JSON writes an int64 as a text.
Json bound_of(const Json& value) {
  if (!value.is_string()) return value;
  auto text = value.get<std::string>();
  std::int64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? Json(number) : value;
}

Json each_schema(const Json& value) {
  Json out = value;
  for (auto& inner : out) inner = json_schema_of(inner);
  return out;
}

Json schema_member(const std::string& name, const Json& value) {
  if (name == "type" && value.is_string()) return to_lower(value.get<std::string>());
  if ((name == "properties" && value.is_object()) || (name == "anyOf" && value.is_array()))
    return each_schema(value);
  if (name == "items") return json_schema_of(value);
  return std::ranges::find(kInt64Bounds, name) != kInt64Bounds.end() ? bound_of(value) : value;
}

}  // namespace

Json json_schema_of(const Json& schema) {
  if (!schema.is_object()) return schema;
  Json out = Json::object();
  for (const auto& [name, value] : schema.items()) {
    bool dropped = name == "nullable" || name == "propertyOrdering" || (name == "format" && value == "enum");
    if (!dropped) out[name] = schema_member(name, value);
  }
  auto type = out.find("type");
  if (get_bool(schema, "nullable") && type != out.end() && type->is_string())
    *type = Json::array({*type, "null"});
  return out;
}

}  // namespace troupe::providers::vertex
