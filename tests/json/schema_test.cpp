// Values against schemas, and schemas that mean harm.
#include "runtime/json/schema.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe {
namespace {

Json parsed(const std::string& text) {
  auto json = parse_json(text);
  return json ? *json : Json("unreadable");
}

// Empty when it fits.
std::string misfit(const std::string& value, const std::string& schema) {
  auto fits = validate_json(parsed(value), parsed(schema));
  return fits ? "" : fits.error().what;
}

struct SchemaCase {
  const char* schema;
  const char* good;
  const char* bad;
};

TEST(ValidateJson, TakesWhatFitsAndRefusesWhatDoesNot) {
  const SchemaCase cases[] = {
      {R"({"type":"object"})", "{}", "[]"},
      {R"({"type":"array"})", "[]", "{}"},
      {R"({"type":"string"})", R"("a")", "1"},
      {R"({"type":"integer"})", "3.0", "3.5"},
      {R"({"type":"number"})", "3.5", R"("3.5")"},
      {R"({"type":"boolean"})", "false", "0"},
      {R"({"type":["string","null"]})", "null", "1"},
      {R"({"enum":["a","b"]})", R"("b")", R"("c")"},
      {R"({"const":7})", "7", "8"},
      {R"({"minimum":1,"maximum":3})", "3", "4"},
      {R"({"exclusiveMinimum":1})", "2", "1"},
      {R"({"exclusiveMaximum":3})", "2", "3"},
      {R"({"minLength":2,"maxLength":3})", R"("äöü")", R"("äöüß")"},
      {R"({"minItems":1,"maxItems":2})", "[1]", "[]"},
      {R"({"items":{"type":"string"}})", R"(["a"])", R"(["a",1])"},
      {R"({"required":["a"]})", R"({"a":1})", R"({"b":1})"},
      {R"({"properties":{"a":{"type":"string"}}})", R"({"b":1})", R"({"a":1})"},
      {R"({"properties":{"a":{}},"additionalProperties":false})", R"({"a":1})", R"({"a":1,"b":2})"},
      {R"({"additionalProperties":{"type":"integer"}})", R"({"a":1})", R"({"a":"x"})"},
      {R"({"anyOf":[{"type":"string"},{"type":"null"}]})", "null", "1"},
      {R"({"oneOf":[{"minimum":1},{"maximum":5}]})", "9", "3"},
      {R"({"allOf":[{"minimum":1},{"maximum":5}]})", "3", "9"},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(misfit(one.good, one.schema), "") << one.schema;
    EXPECT_NE(misfit(one.bad, one.schema), "") << one.schema;
  }
  EXPECT_EQ(misfit("1", "true"), "");
  EXPECT_NE(misfit("1", "false"), "");
}

TEST(ValidateJson, NamesThePlaceAndNeverTheValue) {
  auto schema = R"({"properties":{"points":{"items":{"properties":{"kind":{"enum":["topic"]}}}}}})";
  auto what = misfit(R"({"points":[{"kind":"topic"},{"kind":"my secret"}]})", schema);
  EXPECT_EQ(what, R"(points[1].kind: expected one of ["topic"])");
}

TEST(CheckSchema, RefusesWhatItWouldLetThrough) {
  for (const char* schema :
       {R"({"$ref":"#/a"})", R"({"pattern":"a+"})", R"({"not":{}})",
        R"({"properties":{"a":{"patternProperties":{}}}})", R"({"items":{"if":true}})"}) {
    auto checked = check_schema(parsed(schema));
    ASSERT_FALSE(checked) << schema;
    EXPECT_EQ(checked.error().code, Errc::unsupported) << schema;
  }
}

TEST(CheckSchema, RefusesMalformedSchemas) {
  for (const char* schema :
       {"7", R"({"type":"text"})", R"({"type":[]})", R"({"type":{}})", R"({"enum":[]})",
        R"({"required":[1]})", R"({"properties":[]})", R"({"items":[{}]})", R"({"minItems":-1})",
        R"({"maxLength":"2"})", R"({"minimum":"1"})", R"({"anyOf":{}})", R"({"oneOf":[]})"}) {
    auto checked = check_schema(parsed(schema));
    ASSERT_FALSE(checked) << schema;
    EXPECT_EQ(checked.error().code, Errc::invalid_input) << schema;
  }
}

TEST(CheckSchema, IsBoundedInDepthAndParts) {
  Json deep = Json::object();
  for (int i = 0; i < 40; ++i) deep = Json{{"items", std::move(deep)}};
  EXPECT_FALSE(check_schema(deep));
  Json wide = Json::object();
  for (int i = 0; i < 5000; ++i) wide["properties"][std::to_string(i)] = Json::object();
  EXPECT_FALSE(check_schema(wide));
  Json fits = Json::object();
  for (int i = 0; i < 32; ++i) fits = Json{{"items", std::move(fits)}};
  EXPECT_TRUE(check_schema(fits));
}

TEST(ValidateJson, EndsOnSchemasThatMultiplyTheWork) {
  // Each level doubles: 2^18 ways through few parts of schema.
  Json schema{{"type", "string"}};
  for (int i = 0; i < 9; ++i) schema = Json{{"anyOf", {schema, schema}}};
  Json value = Json::array();
  for (int i = 0; i < 5000; ++i) value.push_back(1);
  auto fits = validate_json(value, Json{{"items", schema}});
  ASSERT_FALSE(fits);
  EXPECT_EQ(fits.error().code, Errc::invalid_input);
}

}  // namespace
}  // namespace troupe
