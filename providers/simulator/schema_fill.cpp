// One recursive walk over the schema.
#include "providers/simulator/schema_fill.hpp"

#include <algorithm>
#include <array>
#include <span>

namespace troupe::providers::simulator {
namespace {

constexpr int kSchemaDepthMax = 16;
constexpr std::array<std::string_view, 5> kSourceNames = {"sources", "source_ids", "citations", "ids",
                                                          "source"};
constexpr std::array<std::string_view, 4> kPeopleNames = {"people", "speakers", "names", "who"};

using Points = std::span<const ExtractedPoint>;

bool is_one_of(std::string_view name, auto& names) {
  return std::ranges::find(names, name) != std::end(names);
}

std::string type_of(const Json& schema) {
  const auto* type = find(schema, "type");
  if (type != nullptr && type->is_array() && !type->empty() && type->front().is_string()) {
    return type->front().get<std::string>();
  }
  auto named = get_string(schema, "type");
  if (named.empty() && find(schema, "properties") != nullptr) return "object";
  return named;
}

std::vector<std::string> joined(Points points, std::vector<std::string> ExtractedPoint::*list) {
  std::vector<std::string> out;
  for (const auto& point : points) {
    for (const auto& value : point.*list) {
      if (std::ranges::find(out, value) == out.end()) out.push_back(value);
    }
  }
  return out;
}

Json enum_value(const Json& choices, Points points) {
  if (!choices.is_array() || choices.empty()) return nullptr;
  auto listed = [&](const char* name) { return std::ranges::find(choices, Json(name)) != choices.end(); };
  if (!points.empty() && listed(to_string(points.front().kind))) return to_string(points.front().kind);
  return listed("topic") ? Json("topic") : choices.front();
}

std::string text_value(std::string_view name, Points points) {
  if (is_one_of(name, kSourceNames) || name == "id") {
    auto ids = joined(points, &ExtractedPoint::sources);
    return ids.empty() ? std::string() : ids.front();
  }
  if (is_one_of(name, kPeopleNames)) {
    auto people = joined(points, &ExtractedPoint::people);
    return people.empty() ? std::string() : people.front();
  }
  std::string out;
  for (const auto& point : points) {
    if (!out.empty()) out += ' ';
    out += point.text;
  }
  return out;
}

Json fill_value(const Json& schema, std::string_view name, Points points, int depth);

Json array_value(const Json& schema, std::string_view name, Points points, int depth) {
  Json out = Json::array();
  const auto* items = find(schema, "items");
  auto items_max = static_cast<std::size_t>(std::max<std::int64_t>(0, get_int(schema, "maxItems", 1000)));
  if (items == nullptr) return out;
  if (type_of(*items) == "string" && find(*items, "enum") == nullptr) {
    std::vector<std::string> values;
    if (is_one_of(name, kSourceNames)) {
      values = joined(points, &ExtractedPoint::sources);
    } else if (is_one_of(name, kPeopleNames)) {
      values = joined(points, &ExtractedPoint::people);
    } else {
      for (const auto& point : points) values.push_back(point.text);
    }
    if (values.size() > items_max) values.resize(items_max);
    return values;
  }
  for (std::size_t i = 0; i < points.size() && i < items_max; ++i) {
    out.push_back(fill_value(*items, name, points.subspan(i, 1), depth));
  }
  return out;
}

Json object_value(const Json& schema, Points points, int depth) {
  Json out = Json::object();
  const auto* properties = find(schema, "properties");
  if (properties == nullptr || !properties->is_object()) return out;
  for (const auto& [key, value] : properties->items()) out[key] = fill_value(value, key, points, depth);
  return out;
}

Json fill_value(const Json& schema, std::string_view name, Points points, int depth) {
  if (depth > kSchemaDepthMax) return nullptr;
  if (const auto* fixed = find(schema, "const")) return *fixed;
  if (const auto* choices = find(schema, "enum")) return enum_value(*choices, points);
  for (const char* key : {"anyOf", "oneOf"}) {
    const auto* branches = find(schema, key);
    if (branches == nullptr || !branches->is_array() || branches->empty()) continue;
    return fill_value(branches->front(), name, points, depth + 1);
  }
  auto type = type_of(schema);
  if (type == "object") return object_value(schema, points, depth + 1);
  if (type == "array") return array_value(schema, name, points, depth + 1);
  if (type == "string") return text_value(name, points);
  if (type == "integer") return get_int(schema, "minimum", 0);
  if (type == "number") return get_double(schema, "minimum", 0);
  if (type == "boolean") return !points.empty();
  return nullptr;
}

}  // namespace

Json fill_schema(const Json& schema, const std::vector<ExtractedPoint>& points) {
  return fill_value(schema, "", points, 0);
}

}  // namespace troupe::providers::simulator
