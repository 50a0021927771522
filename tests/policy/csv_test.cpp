// Comma-separated values, both ways.
#include "runtime/policy/csv.hpp"

#include "runtime/base/rng.hpp"

#include <gtest/gtest.h>

namespace troupe::policy {
namespace {

TEST(Csv, ReadsBackWhatItWrote) {
  Rng rng(2);
  const std::string alphabet = "ab ,\"\n\r;\xc3\xa9";
  for (int i = 0; i < 5000; ++i) {
    std::vector<std::string> fields(2 + rng.below(5));
    for (auto& field : fields)
      for (auto n = rng.below(8); n > 0; --n) field += alphabet[rng.below(alphabet.size())];
    auto rows = parse_csv(csv_line({"h1", "h2"}) + csv_line(fields));
    ASSERT_TRUE(rows) << rows.error().what;
    ASSERT_EQ(rows->size(), 2u);
    ASSERT_EQ((*rows)[1].fields, fields);
  }
}

TEST(Csv, KeepsWithinItsBounds) {
  EXPECT_TRUE(parse_csv("a,b\n1,2\n", {.bytes_max = 8, .rows_max = 2, .fields_max = 2}));
  EXPECT_FALSE(parse_csv("a,b\n1,2\n", {.bytes_max = 7}));
  EXPECT_FALSE(parse_csv("a,b\n1,2\n", {.rows_max = 1}));
  EXPECT_FALSE(parse_csv("a,b\n1,2\n", {.fields_max = 1}));
}

TEST(Csv, LeavesOutEmptyLinesAndTheMark) {
  auto rows = parse_csv(
      "\xEF\xBB\xBF"
      "a\r\n\r\n\"b\nc\"\n\nd");
  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->size(), 3u);
  EXPECT_EQ((*rows)[0].fields[0], "a");
  EXPECT_EQ((*rows)[1].fields[0], "b\nc");
  EXPECT_EQ((*rows)[2].line, 6u);
}

}  // namespace
}  // namespace troupe::policy
