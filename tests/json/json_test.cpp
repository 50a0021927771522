// JSON values: hostile texts are refused, and lookups never throw.
#include "runtime/json/json.hpp"

#include <gtest/gtest.h>

namespace troupe {
namespace {

TEST(Json, BadTextNamesItsOffset) {
  auto parsed = parse_json(R"({"a": )");
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().code, Errc::invalid_input);
  EXPECT_NE(parsed.error().what.find("byte 7"), std::string::npos) << parsed.error().what;
}

TEST(Json, DeepNestingIsRefusedNotOverflowed) {
  EXPECT_TRUE(parse_json(std::string(500, '[') + std::string(500, ']')));
  EXPECT_FALSE(parse_json(std::string(100'000, '[') + std::string(100'000, ']')));
}

TEST(Json, InvalidUtf8IsRefusedOnTheWayInAndReplacedOnTheWayOut) {
  EXPECT_FALSE(parse_json("\"\xc3\x28\""));
  EXPECT_EQ(dump_json(Json("a\xff")), "\"a\xef\xbf\xbd\"");
}

TEST(Utf8, RefusesOverlongAndSurrogates) {
  EXPECT_TRUE(is_utf8("h\xc3\xa9llo \xf0\x9f\x98\x80"));
  EXPECT_FALSE(is_utf8("\xc0\xaf"));
  EXPECT_FALSE(is_utf8("\xed\xa0\x80"));
  EXPECT_FALSE(is_utf8("\xe2\x82"));
  EXPECT_EQ(to_valid_utf8("a\xff"
                          "b"),
            "a\xef\xbf\xbd"
            "b");
}

TEST(ParseJson, NestsSoDeepAndNoDeeper) {  // J10
  auto nested = [](std::size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); };
  EXPECT_TRUE(parse_json(nested(512)));
  auto deep = parse_json(nested(513));
  ASSERT_FALSE(deep);
  EXPECT_NE(deep.error().what.find("deeper"), std::string::npos);
  EXPECT_FALSE(parse_json(std::string(1'000'000, '[')));
  EXPECT_TRUE(parse_json("\"" + std::string(2000, '{') + "\\\"[\""));  // in a string
  auto wide = std::string("[") + nested(1);
  for (int i = 0; i < 2000; ++i) wide += ",[]";
  EXPECT_TRUE(parse_json(wide + "]"));
}

}  // namespace
}  // namespace troupe
