// What the msgpack cursor takes and what it refuses.
#include "runtime/protocol/pack.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace troupe::protocol {
namespace {

using std::string_literals::operator""s;

std::int64_t integer_of(const std::string& bytes, bool* ok = nullptr) {
  Reader reader(bytes);
  auto value = reader.integer();
  if (ok) *ok = reader.ok();
  return value;
}

TEST(Pack, WritesTheSmallestFormTheSpecificationHas) {
  Writer writer;
  writer.array(3);
  writer.unsigned_integer(1);
  writer.integer(-1);
  writer.text("ab");
  EXPECT_EQ(writer.peek(), "\x93\x01\xff\xa2"s + "ab");
}

TEST(Pack, EveryIntegerWidthIsAccepted) {
  EXPECT_EQ(integer_of("\x05"s), 5);
  EXPECT_EQ(integer_of("\xfe"s), -2);
  EXPECT_EQ(integer_of("\xcc\xff"s), 255);
  EXPECT_EQ(integer_of("\xcd\x01\x00"s), 256);
  EXPECT_EQ(integer_of("\xce\x00\x01\x00\x00"s), 65536);
  EXPECT_EQ(integer_of("\xcf\x00\x00\x00\x01\x00\x00\x00\x00"s), std::int64_t{1} << 32);
  EXPECT_EQ(integer_of("\xd0\x80"s), -128);
  EXPECT_EQ(integer_of("\xd1\xff\x00"s), -256);
  EXPECT_EQ(integer_of("\xd2\xff\xff\xff\xff"s), -1);
  EXPECT_EQ(integer_of("\xd3\x80\x00\x00\x00\x00\x00\x00\x00"s), std::numeric_limits<std::int64_t>::min());
}

TEST(Pack, ANumberThatDoesNotFitIsRefused) {
  bool ok = true;
  EXPECT_EQ(integer_of("\xcf\x80\x00\x00\x00\x00\x00\x00\x00"s, &ok), 0);
  EXPECT_FALSE(ok);
  auto minus_one = "\xd0\xff"s;
  Reader reader(minus_one);
  EXPECT_EQ(reader.unsigned_integer(), 0u);
  EXPECT_FALSE(reader.ok());
}

TEST(Pack, TypesAreStrict) {
  auto text = "\xa1x"s;
  Reader as_number(text), as_bytes(text), as_flag(text), as_real(text), as_list(text);
  as_number.integer();
  as_bytes.bytes();
  as_flag.boolean();
  as_real.real();
  as_list.array();
  for (auto* reader : {&as_number, &as_bytes, &as_flag, &as_real, &as_list}) EXPECT_FALSE(reader->ok());
}

TEST(Pack, NaNAndInfinityCrossTheWire) {
  Writer writer;
  writer.real(std::numeric_limits<double>::quiet_NaN());
  writer.real(-std::numeric_limits<double>::infinity());
  writer.real(0.1);
  Reader reader(writer.peek());
  EXPECT_TRUE(std::isnan(reader.real()));
  EXPECT_EQ(reader.real(), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(reader.real(), 0.1);
  EXPECT_TRUE(reader.ok());
}

TEST(Pack, ALengthBeyondTheEndIsRefusedBeforeAnythingIsAllocated) {
  for (const auto& bytes : {"\xdb\xff\xff\xff\xff"
                            "abc"s,
                            "\xd9\x04"
                            "abc"s}) {
    Reader reader(bytes);
    EXPECT_TRUE(reader.text().empty());
    EXPECT_FALSE(reader.ok());
  }
  auto array = "\xdd\xff\xff\xff\xff\x01"s, map = "\xdf\x00\x00\x00\x02\x01\x01\x01"s;
  Reader of_array(array), of_map(map);
  EXPECT_EQ(of_array.array(), 0u);
  EXPECT_EQ(of_map.map(), 0u);
  EXPECT_FALSE(of_array.ok());
  EXPECT_FALSE(of_map.ok());
}

TEST(Pack, TheFirstFailureSticks) {
  auto bytes = "\xc0\x01\x02"s;
  Reader reader(bytes);
  reader.integer();
  EXPECT_EQ(reader.integer(), 0);
  EXPECT_EQ(reader.unsigned_integer(), 0u);
  EXPECT_EQ(reader.text(), "");
  EXPECT_EQ(reader.array(), 0u);
  EXPECT_FALSE(reader.nil());
  EXPECT_FALSE(reader.ok());
}

TEST(Pack, SkipPassesOverAnyValue) {
  for (const auto& value : {"\x01"s, "\xff"s, "\xc0"s, "\xc2"s, "\xc3"s,
                            "\xca"
                            "abcd"s,
                            "\xcb"
                            "abcdefgh"s,
                            "\xcd\x01\x02"s,
                            "\xd3"
                            "abcdefgh"s,
                            "\xa3"
                            "abc"s,
                            "\xd9\x02"
                            "ab"s,
                            "\xc4\x02"
                            "ab"s,
                            "\x92\x01\x91\x02"s, "\x81\xa1k\x92\x01\x02"s, "\xd4\x01x"s,
                            "\xd8\x01"
                            "0123456789abcdef"s,
                            "\xc7\x02\x01xy"s, "\xdc\x00\x01\x05"s, "\xde\x00\x01\x05\x06"s}) {
    auto bytes = value + "\x2a";
    Reader reader(bytes);
    reader.skip();
    EXPECT_EQ(reader.integer(), 42) << testing::PrintToString(value);
    for (std::size_t size = 0; size < value.size(); ++size) {
      Reader cut(std::string_view(value).substr(0, size));
      cut.skip();
      EXPECT_FALSE(cut.ok()) << testing::PrintToString(value) << " cut at " << size;
    }
  }
}

TEST(Pack, SkipRefusesTheReservedByteAndDeepNests) {
  auto reserved = "\xc1"s, fits = std::string(32, '\x91') + "\x01", deep = std::string(33, '\x91') + "\x01";
  auto bomb = std::string(1 << 20, '\x91');
  Reader of_reserved(reserved), of_fits(fits), of_deep(deep), of_bomb(bomb);
  for (auto* reader : {&of_reserved, &of_fits, &of_deep, &of_bomb}) reader->skip();
  EXPECT_FALSE(of_reserved.ok());
  EXPECT_TRUE(of_fits.ok());
  EXPECT_FALSE(of_deep.ok());
  EXPECT_FALSE(of_bomb.ok());
}

TEST(Record, IgnoresWhatANewerNeighbourAddedAndMissesWhatIsNotThere) {
  auto longer = "\x94\x01\x02\xa1x\x91\x05\x2a"s, shorter = "\x91\x01\x2a"s;
  Reader of_longer(longer);
  RecordReader record(of_longer, 2);
  EXPECT_EQ(of_longer.integer() + of_longer.integer(), 3);
  record.finish();
  EXPECT_EQ(of_longer.integer(), 42);
  EXPECT_TRUE(of_longer.ok());

  Reader of_shorter(shorter);
  RecordReader too_short(of_shorter, 2);
  EXPECT_FALSE(of_shorter.ok());
}

}  // namespace
}  // namespace troupe::protocol

namespace troupe::protocol {
namespace {

TEST(Pack, RealsReadBackWhateverTheWriterMadeOfThem) {
  for (double value : {0.0, 1.0, -1.0, 0.5, -2.25, 1e18, -1e15, 4294967296.0, 1e300}) {
    Writer writer;
    writer.real(value);
    Reader reader(writer.peek());
    EXPECT_EQ(reader.real(), value);
    EXPECT_TRUE(reader.ok()) << value;
    EXPECT_TRUE(reader.rest().empty()) << value;
  }
}

TEST(Pack, ATextIsNoReal) {
  Writer writer;
  writer.text("1.0");
  Reader reader(writer.peek());
  EXPECT_EQ(reader.real(), 0.0);
  EXPECT_FALSE(reader.ok());
}

}  // namespace
}  // namespace troupe::protocol
