// What travels to PostgreSQL: texts it can store, columns as it reads them, names that may stand in SQL.
#include "runtime/journal/postgres_connection.hpp"
#include "runtime/journal/postgres_group.hpp"
#include "runtime/journal/postgres_schema.hpp"

#include <gtest/gtest.h>

namespace troupe::journal {
namespace {

TEST(StorableText, IsUtf8WithoutZeroBytes) {
  for (const char* good :
       {"", "plain", "z\u00fcrich", "\u20ac", "\U0001F600", "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"})
    EXPECT_TRUE(is_storable_text(good)) << good;
  for (const char* bad : {"\x80", "\xc3", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf0\x80\x80\xaf",
                          "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "ok\xff"})
    EXPECT_FALSE(is_storable_text(bad)) << bad;
  EXPECT_FALSE(is_storable_text(std::string_view("a\0b", 3)));
}

TEST(SchemaName, IsWhatNeedsNoQuoting) {
  for (const char* good : {"troupe", "_x", "t1_2"}) EXPECT_TRUE(is_schema_name(good)) << good;
  for (const char* bad : {"", "1t", "Troupe", "a-b", "a\"b", "a b", "\xc3\xa4"})
    EXPECT_FALSE(is_schema_name(bad)) << bad;
  EXPECT_TRUE(is_schema_name(std::string(63, 'a')));
  EXPECT_FALSE(is_schema_name(std::string(64, 'a')));
}

TEST(PgColumn, IsAnArrayInNetworkOrder) {
  PgColumn column(PgColumn::Type::integer);
  column.add(1);
  column.add(-2);
  std::string expected(
      "\0\0\0\1"
      "\0\0\0\0"
      "\0\0\0\x14"
      "\0\0\0\2"
      "\0\0\0\1"
      "\0\0\0\x08"
      "\0\0\0\0\0\0\0\1"
      "\0\0\0\x08"
      "\xff\xff\xff\xff\xff\xff\xff\xfe",
      20 + 12 + 12);
  EXPECT_EQ(column.encoded(), expected);
  column.clear();
  EXPECT_EQ(column.rows(), 0u);
  EXPECT_EQ(column.encoded().size(), 20u);
  PgColumn texts(PgColumn::Type::text);
  texts.add(std::string_view("ab"));
  EXPECT_EQ(texts.encoded().substr(20), std::string_view("\0\0\0\2ab", 6));
}

}  // namespace
}  // namespace troupe::journal
