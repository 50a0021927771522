// Checking a schema, then walking schema and value together.
#include "runtime/json/schema.hpp"

#include "runtime/base/characters.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

namespace troupe {
namespace {

constexpr std::array kTypeNames = {"object", "array", "string", "number", "integer", "boolean", "null"};
constexpr std::array kNotUnderstood = {"$ref",
                                       "$dynamicRef",
                                       "not",
                                       "if",
                                       "pattern",
                                       "dependencies",
                                       "contains",
                                       "propertyNames",
                                       "prefixItems",
                                       "uniqueItems",
                                       "multipleOf",
                                       "patternProperties",
                                       "minProperties",
                                       "maxProperties",
                                       "dependentRequired"};
constexpr std::array kBranchWords = {"anyOf", "oneOf", "allOf"};
constexpr std::array kCountWords = {"minItems", "maxItems", "minLength", "maxLength"};
constexpr std::array kNumberWords = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"};
constexpr std::size_t kListedMax = 300;

bool is_type_name(const Json& name) {
  if (!name.is_string()) return false;
  auto text = name.get<std::string>();
  return std::ranges::any_of(kTypeNames, [&](const char* known) { return text == known; });
}

bool is_string_list(const Json& list) {
  return list.is_array() && std::ranges::all_of(list, [](const Json& item) { return item.is_string(); });
}

/// Walks a schema once, before any value is looked at.
class SchemaCheck {
 public:
  explicit SchemaCheck(const SchemaLimits& limits) : limits_(limits) {}

  Result<void> run(const Json& schema, int depth) {
    if (depth > limits_.depth_max) return fail(Errc::invalid_input, "the schema is nested too deeply");
    if (++parts_ > limits_.parts_max) return fail(Errc::invalid_input, "the schema has too many parts");
    if (schema.is_boolean()) return {};
    if (!schema.is_object()) return fail(Errc::invalid_input, "a schema is an object, true or false");
    for (const char* word : kNotUnderstood) {
      if (find(schema, word) != nullptr)
        return fail(Errc::unsupported, fmt::format("schemas with \"{}\" cannot be checked here", word));
    }
    if (auto plain = check_plain_words(schema); !plain) return plain;
    return check_below(schema, depth);
  }

 private:
  static std::unexpected<Error> malformed(const char* word) {
    return fail(Errc::invalid_input, fmt::format("the schema's \"{}\" is malformed", word));
  }

  static Result<void> check_plain_words(const Json& schema) {
    if (const auto* type = find(schema, "type")) {
      bool listed = type->is_array() && !type->empty() && std::ranges::all_of(*type, is_type_name);
      if (!listed && !is_type_name(*type)) return malformed("type");
    }
    const auto* required = find(schema, "required");
    if (required != nullptr && !is_string_list(*required)) return malformed("required");
    const auto* choices = find(schema, "enum");
    if (choices != nullptr && (!choices->is_array() || choices->empty())) return malformed("enum");
    for (const char* word : kCountWords) {
      const auto* count = find(schema, word);
      if (count == nullptr) continue;
      if (!count->is_number_integer() || count->get<std::int64_t>() < 0) return malformed(word);
    }
    for (const char* word : kNumberWords) {
      const auto* number = find(schema, word);
      if (number != nullptr && !number->is_number()) return malformed(word);
    }
    return {};
  }

  Result<void> check_below(const Json& schema, int depth) {
    if (const auto* properties = find(schema, "properties")) {
      if (!properties->is_object()) return malformed("properties");
      for (const auto& [name, part] : properties->items()) {
        if (auto fits = run(part, depth + 1); !fits) return fits;
      }
    }
    for (const char* word : kBranchWords) {
      const auto* branches = find(schema, word);
      if (branches == nullptr) continue;
      if (!branches->is_array() || branches->empty()) return malformed(word);
      for (const auto& branch : *branches) {
        if (auto fits = run(branch, depth + 1); !fits) return fits;
      }
    }
    for (const char* word : {"items", "additionalProperties"}) {
      const auto* part = find(schema, word);
      if (part == nullptr) continue;
      if (auto fits = run(*part, depth + 1); !fits) return fits;
    }
    return {};
  }

  const SchemaLimits& limits_;
  std::size_t parts_ = 0;
};

// Characters, not bytes: what JSON Schema counts.
std::int64_t characters_of(const std::string& text) {
  return std::ranges::count_if(text, [](unsigned char c) { return (c & 0xc0) != 0x80; });
}

bool is_whole(const Json& value) {
  if (value.is_number_integer()) return true;
  if (!value.is_number_float()) return false;
  auto number = value.get<double>();
  return number >= -9.0e15 && number <= 9.0e15 &&
         number == static_cast<double>(static_cast<std::int64_t>(number));
}

bool has_type(const Json& value, const std::string& name) {
  if (name == "object") return value.is_object();
  if (name == "array") return value.is_array();
  if (name == "string") return value.is_string();
  if (name == "number") return value.is_number();
  if (name == "integer") return is_whole(value);
  if (name == "boolean") return value.is_boolean();
  return value.is_null();
}

std::string shortened(std::string text) {
  if (text.size() <= kListedMax) return text;
  cut_to(text, kListedMax);
  return text + "…";
}

/// One validation. The first place that does not fit ends it.
class Validation {
 public:
  explicit Validation(const SchemaLimits& limits) : limits_(limits) {}

  Result<void> run(const Json& value, const Json& schema, const std::string& at, int depth) {
    if (depth > limits_.depth_max) return wrong(at, "nested too deeply");
    if (++work_ > limits_.work_max) return wrong(at, "too much to check");
    if (schema.is_boolean()) {
      if (schema.get<bool>()) return {};
      return wrong(at, "not allowed here");
    }
    if (auto fits = check_type(value, schema, at); !fits) return fits;
    if (auto fits = check_choices(value, schema, at); !fits) return fits;
    if (value.is_number())
      if (auto fits = check_number(value.get<double>(), schema, at); !fits) return fits;
    if (value.is_string())
      if (auto fits = check_length(value.get<std::string>(), schema, at); !fits) return fits;
    if (value.is_object())
      if (auto fits = check_object(value, schema, at, depth); !fits) return fits;
    if (value.is_array())
      if (auto fits = check_array(value, schema, at, depth); !fits) return fits;
    return check_branches(value, schema, at, depth);
  }

 private:
  static std::unexpected<Error> wrong(const std::string& at, const std::string& what) {
    return fail(Errc::invalid_input, fmt::format("{}: {}", at.empty() ? "the answer" : at, what));
  }

  static Result<void> check_type(const Json& value, const Json& schema, const std::string& at) {
    const auto* type = find(schema, "type");
    if (type == nullptr) return {};
    if (type->is_string()) {
      if (has_type(value, type->get<std::string>())) return {};
      return wrong(at, fmt::format("expected {}", type->get<std::string>()));
    }
    for (const auto& name : *type)
      if (has_type(value, name.get<std::string>())) return {};
    return wrong(at, fmt::format("expected one of the types {}", dump_json(*type)));
  }

  static Result<void> check_choices(const Json& value, const Json& schema, const std::string& at) {
    const auto* fixed = find(schema, "const");
    if (fixed != nullptr && value != *fixed) return wrong(at, "expected " + shortened(dump_json(*fixed)));
    const auto* choices = find(schema, "enum");
    if (choices == nullptr || std::ranges::find(*choices, value) != choices->end()) return {};
    return wrong(at, "expected one of " + shortened(dump_json(*choices)));
  }

  static Result<void> check_number(double number, const Json& schema, const std::string& at) {
    const auto* least = find(schema, "minimum");
    if (least != nullptr && number < least->get<double>())
      return wrong(at, fmt::format("expected at least {}", least->get<double>()));
    const auto* most = find(schema, "maximum");
    if (most != nullptr && number > most->get<double>())
      return wrong(at, fmt::format("expected at most {}", most->get<double>()));
    const auto* above = find(schema, "exclusiveMinimum");
    if (above != nullptr && number <= above->get<double>())
      return wrong(at, fmt::format("expected more than {}", above->get<double>()));
    const auto* below = find(schema, "exclusiveMaximum");
    if (below != nullptr && number >= below->get<double>())
      return wrong(at, fmt::format("expected less than {}", below->get<double>()));
    return {};
  }

  static Result<void> check_length(const std::string& text, const Json& schema, const std::string& at) {
    auto length = characters_of(text);
    if (length < get_int(schema, "minLength", 0)) return wrong(at, "the text is too short");
    if (length > get_int(schema, "maxLength", INT64_MAX)) return wrong(at, "the text is too long");
    return {};
  }

  Result<void> check_object(const Json& value, const Json& schema, const std::string& at, int depth) {
    if (const auto* required = find(schema, "required")) {
      for (const auto& name : *required) {
        if (find(value, name.get<std::string>()) == nullptr)
          return wrong(at, fmt::format("\"{}\" is missing", name.get<std::string>()));
      }
    }
    const auto* properties = find(schema, "properties");
    const auto* others = find(schema, "additionalProperties");
    for (const auto& [name, member] : value.items()) {
      const auto* part = properties == nullptr ? nullptr : find(*properties, name);
      if (part == nullptr) part = others;
      if (part == nullptr) continue;
      // The value's own names are not quoted unless the schema knows them.
      auto path = part == others ? at + "(another member)" : at.empty() ? name : at + "." + name;
      if (auto fits = run(member, *part, path, depth + 1); !fits) return fits;
    }
    return {};
  }

  Result<void> check_array(const Json& value, const Json& schema, const std::string& at, int depth) {
    auto size = static_cast<std::int64_t>(value.size());
    if (auto least = get_int(schema, "minItems", 0); size < least)
      return wrong(at, fmt::format("expected at least {} items", least));
    if (auto most = get_int(schema, "maxItems", INT64_MAX); size > most)
      return wrong(at, fmt::format("expected at most {} items", most));
    const auto* items = find(schema, "items");
    if (items == nullptr) return {};
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (auto fits = run(value[i], *items, fmt::format("{}[{}]", at, i), depth + 1); !fits) return fits;
    }
    return {};
  }

  Result<void> check_branches(const Json& value, const Json& schema, const std::string& at, int depth) {
    for (const char* word : kBranchWords) {
      const auto* branches = find(schema, word);
      if (branches == nullptr) continue;
      std::size_t fitting = 0;
      std::optional<Error> first;
      for (const auto& branch : *branches) {
        auto fits = run(value, branch, at, depth + 1);
        if (work_ > limits_.work_max) return wrong(at, "too much to check");
        fitting += fits ? 1 : 0;
        if (!fits && !first) first = fits.error();
      }
      std::string_view rule = word;
      bool good = rule == "anyOf"   ? fitting > 0
                  : rule == "oneOf" ? fitting == 1
                                    : fitting == branches->size();
      if (good) continue;
      if (fitting > 0 && rule == "oneOf") return wrong(at, "fits more than one of the allowed shapes");
      return std::unexpected(*first);
    }
    return {};
  }

  const SchemaLimits& limits_;
  std::size_t work_ = 0;
};

}  // namespace

Result<void> check_schema(const Json& schema, const SchemaLimits& limits) {
  return SchemaCheck(limits).run(schema, 0);
}

Result<void> validate_json(const Json& value, const Json& schema, const SchemaLimits& limits) {
  if (auto good = check_schema(schema, limits); !good) return good;
  return Validation(limits).run(value, schema, "", 0);
}

}  // namespace troupe
