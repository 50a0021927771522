// YAML as JSON with lines: how scalars are told apart, and what is refused.
#include "runtime/config/yaml_json.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe::config {
namespace {

using ::testing::HasSubstr;

std::string complaint(const std::string& yaml) {
  auto read = read_yaml_json(yaml, "x.yaml");
  return read ? "" : read.error().what;
}

TEST(YamlJson, TellsNumbersAndWordsApartAsTheyAreWritten) {
  auto read = read_yaml_json(R"(
a: [1, -2, 0.5, 1e3, 007, 1_000, "1", '2', +3, -, .5, 12:30]
b: [true, "true", yes, null, ~, "", "null", NaN]
c: |
  two
  lines
)",
                             "x.yaml");
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(dump_json(read->value),
            R"({"a":[1,-2,0.5,1000.0,"007","1_000","1","2","+3","-",".5","12:30"],)"
            R"("b":[true,"true","yes",null,null,"","null","NaN"],"c":"two\nlines\n"})");
}

TEST(YamlJson, KnowsTheLineOfEverything) {
  auto read = read_yaml_json("steps:\n  - id: a\n    prompt: >\n      long\n  - {id: b}\n", "x.yaml");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->lines.at("steps"), 1);
  EXPECT_EQ(read->lines.at("steps[0].prompt"), 3);
  EXPECT_EQ(line_of(read->lines, "steps[1].id"), 5);
  EXPECT_EQ(line_of(read->lines, "steps[1].prompt.x"), 5) << "the nearest above";
  EXPECT_EQ(located(read->lines, "x.yaml", "steps[0].when", "is wrong"), "x.yaml:2: steps[0].when: is wrong");
}

TEST(YamlJson, AnEmptyFileIsNull) {
  auto read = read_yaml_json("", "x.yaml");
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->value.is_null());
}

TEST(YamlJson, SaysWhatIsWrongAndWhere) {
  EXPECT_EQ(complaint("a: 1\nb:\n  c: 1\n  c: 2\n"), "x.yaml:4: b.c: is there twice; remove one");
  EXPECT_THAT(complaint("a: 1\n[b]: 2\n"), HasSubstr("x.yaml:2: a key is no single word"));
  EXPECT_THAT(complaint("a: [1\nb: 2"), HasSubstr("not YAML"));
  EXPECT_THAT(complaint("a: 1\n---\nb: 2\n"), HasSubstr("a second document"));
  EXPECT_THAT(complaint("a: \"\xff\""), HasSubstr("not UTF-8"));
  EXPECT_THAT(complaint("a: *nobody\n"), HasSubstr("not YAML"));
}

TEST(YamlJson, HostileFilesAreRefusedInTime) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i)
    bomb += fmt::format("a{0}: &a{0} [*a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}]\n", i,
                        i - 1);
  EXPECT_THAT(complaint(bomb), HasSubstr("more than 50000 values"));
  EXPECT_THAT(complaint("a: &a [*a]"), HasSubstr("nested deeper than 64 levels"));
  EXPECT_THAT(complaint(std::string(65, '[') + std::string(65, ']')), HasSubstr("nested deeper"));
  EXPECT_EQ(complaint(std::string(64, '[') + std::string(64, ']')), "");
  EXPECT_THAT(complaint(std::string(200'000, '[')), HasSubstr("not YAML"));
  EXPECT_THAT(complaint(std::string((1u << 20) + 1, 'x')), HasSubstr("larger than 1048576 bytes"));
}

}  // namespace
}  // namespace troupe::config
