// msgpack writing and bounds-checked reading. The one home of msgpack; everything that crosses nodes goes
// through it.
#pragma once

#include <troupe/error.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace troupe::protocol {

/// Appends msgpack values to a buffer. Records are arrays: `array(n)` followed by n values.
class Writer {
 public:
  void array(std::size_t size);
  void map(std::size_t size);
  void nil();
  void boolean(bool value);
  void integer(std::int64_t value);
  void unsigned_integer(std::uint64_t value);
  void real(double value);
  void text(std::string_view value);
  void bytes(std::string_view value);
  /// Values that another Writer has written.
  void packed(std::string_view values) { buffer_ += values; }
  std::string take() && { return std::move(buffer_); }
  const std::string& peek() const { return buffer_; }
  /// Forgets what was written and keeps the memory: one Writer for many messages.
  void clear() { buffer_.clear(); }

 private:
  std::string buffer_;
};

/// Reads what Writer wrote, from untrusted bytes: never past the end, never deeper than 32 levels when
/// skipping. The first failure sticks: later reads give zero values and `ok()` stays false, so that a record
/// is read straight through and checked once. Views point into the given bytes.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  /// The number of elements that follow. Never more than the bytes left could hold, so it is safe to reserve
  /// for.
  std::size_t array();
  std::size_t map();
  /// Reads a nil if one is next.
  bool nil();
  bool boolean();
  std::int64_t integer();
  std::uint64_t unsigned_integer();
  double real();
  std::string_view text();
  std::string_view bytes();
  /// Passes over one value of any type: how unknown tail fields of a newer neighbour are ignored.
  void skip();
  bool ok() const { return ok_; }
  void fail() { ok_ = false; }
  std::string_view rest() const { return rest_; }

 private:
  /// The type byte of the next value; fails at the end.
  std::uint8_t head();
  std::uint64_t big_endian(std::size_t width);
  double real_from_integer(std::uint8_t next);
  std::string_view take(std::uint64_t size);
  std::size_t counted(std::uint64_t count, std::size_t values_each);
  std::string_view blob(std::uint8_t first, std::uint8_t type);
  void skip(int depth);
  void skip_extension(std::uint8_t type);

  std::string_view rest_;
  bool ok_ = true;
};

/// A record: an array whose first `known` fields we read and whose further fields a newer version may have
/// added. Usage: `RecordReader r(reader, 5);` then read 5 values, then `r.finish()`.
class RecordReader {
 public:
  RecordReader(Reader& reader, std::size_t known);
  /// `more` further fields are known: for records whose first field says which kind they are.
  void expect(std::size_t more);
  /// Is there another field? For fields that an older neighbour does not write.
  bool next();
  void finish();

 private:
  Reader& reader_;
  std::size_t extra_ = 0;
};

}  // namespace troupe::protocol
