// msgpack writing through msgpack-c, reading by a cursor of our own.
#include "runtime/protocol/pack.hpp"

#include <msgpack/pack.hpp>

#include <bit>

namespace troupe::protocol {
namespace {

constexpr int kSkipDepthMax = 32;

// Type bytes of the msgpack specification, "Formats".
enum Type : std::uint8_t {
  kNil = 0xc0,
  kFalse = 0xc2,
  kTrue = 0xc3,
  kBin8 = 0xc4,
  kExt8 = 0xc7,
  kExt32 = 0xc9,
  kFloat32 = 0xca,
  kFloat64 = 0xcb,
  kUint8 = 0xcc,
  kUint64 = 0xcf,
  kInt8 = 0xd0,
  kInt64 = 0xd3,
  kFixExt1 = 0xd4,
  kFixExt16 = 0xd8,
  kStr8 = 0xd9,
  kStr32 = 0xdb,
  kArray16 = 0xdc,
  kArray32 = 0xdd,
  kMap16 = 0xde,
  kMap32 = 0xdf,
};

struct StringSink {
  std::string& out;
  void write(const char* data, std::size_t size) { out.append(data, size); }
};

msgpack::packer<StringSink> packer_on(StringSink& sink) { return msgpack::packer<StringSink>(sink); }

// msgpack counts in 32 bits; nothing of ours comes near, as frames are bounded.
std::uint32_t count32(std::size_t size) { return static_cast<std::uint32_t>(size); }

std::int64_t sign_extend(std::uint64_t value, std::size_t width) {
  auto shift = 64 - 8 * width;
  return static_cast<std::int64_t>(value << shift) >> shift;
}

bool is_fixed_positive(std::uint8_t type) { return type < 0x80; }
bool is_fixed_negative(std::uint8_t type) { return type >= 0xe0; }
bool is_fixed_text(std::uint8_t type) { return (type & 0xe0) == 0xa0; }
bool is_fixed_array(std::uint8_t type) { return (type & 0xf0) == 0x90; }
bool is_fixed_map(std::uint8_t type) { return (type & 0xf0) == 0x80; }
bool is_array(std::uint8_t type) { return is_fixed_array(type) || type == kArray16 || type == kArray32; }
bool is_map(std::uint8_t type) { return is_fixed_map(type) || type == kMap16 || type == kMap32; }
bool is_text(std::uint8_t type) { return is_fixed_text(type) || (type >= kStr8 && type <= kStr32); }

}  // namespace

void Writer::array(std::size_t size) {
  StringSink sink{buffer_};
  packer_on(sink).pack_array(count32(size));
}

void Writer::map(std::size_t size) {
  StringSink sink{buffer_};
  packer_on(sink).pack_map(count32(size));
}

void Writer::nil() {
  StringSink sink{buffer_};
  packer_on(sink).pack_nil();
}

void Writer::boolean(bool value) {
  StringSink sink{buffer_};
  value ? packer_on(sink).pack_true() : packer_on(sink).pack_false();
}

void Writer::integer(std::int64_t value) {
  StringSink sink{buffer_};
  packer_on(sink).pack_int64(value);
}

void Writer::unsigned_integer(std::uint64_t value) {
  StringSink sink{buffer_};
  packer_on(sink).pack_uint64(value);
}

void Writer::real(double value) {
  StringSink sink{buffer_};
  packer_on(sink).pack_double(value);
}

void Writer::text(std::string_view value) {
  StringSink sink{buffer_};
  packer_on(sink).pack_str(count32(value.size())).pack_str_body(value.data(), count32(value.size()));
}

void Writer::bytes(std::string_view value) {
  StringSink sink{buffer_};
  packer_on(sink).pack_bin(count32(value.size())).pack_bin_body(value.data(), count32(value.size()));
}

std::uint8_t Reader::head() {
  if (rest_.empty()) ok_ = false;
  if (!ok_) return kNil;
  auto type = static_cast<std::uint8_t>(rest_.front());
  rest_.remove_prefix(1);
  return type;
}

std::string_view Reader::take(std::uint64_t size) {
  if (size > rest_.size()) ok_ = false;
  if (!ok_) return {};
  auto taken = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return taken;
}

std::uint64_t Reader::big_endian(std::size_t width) {
  std::uint64_t value = 0;
  for (char c : take(width)) value = value << 8 | static_cast<std::uint8_t>(c);
  return value;
}

std::size_t Reader::counted(std::uint64_t count, std::size_t values_each) {
  if (count * values_each > rest_.size()) ok_ = false;
  return ok_ ? count : 0;
}

std::size_t Reader::array() {
  auto type = head();
  if (is_fixed_array(type)) return counted(type & 0x0f, 1);
  if (type == kArray16) return counted(big_endian(2), 1);
  if (type == kArray32) return counted(big_endian(4), 1);
  ok_ = false;
  return 0;
}

std::size_t Reader::map() {
  auto type = head();
  if (is_fixed_map(type)) return counted(type & 0x0f, 2);
  if (type == kMap16) return counted(big_endian(2), 2);
  if (type == kMap32) return counted(big_endian(4), 2);
  ok_ = false;
  return 0;
}

bool Reader::nil() {
  if (!ok_ || rest_.empty() || static_cast<std::uint8_t>(rest_.front()) != kNil) return false;
  rest_.remove_prefix(1);
  return true;
}

bool Reader::boolean() {
  auto type = head();
  if (type != kTrue && type != kFalse) ok_ = false;
  return ok_ && type == kTrue;
}

std::int64_t Reader::integer() {
  if (!rest_.empty() && is_fixed_negative(static_cast<std::uint8_t>(rest_.front()))) {
    return sign_extend(head(), 1);
  }
  if (!rest_.empty()) {
    auto type = static_cast<std::uint8_t>(rest_.front());
    if (type >= kInt8 && type <= kInt64) {
      head();
      auto width = std::size_t{1} << (type - kInt8);
      auto value = sign_extend(big_endian(width), width);
      return ok_ ? value : 0;
    }
  }
  auto value = unsigned_integer();
  if (value > INT64_MAX) ok_ = false;
  return ok_ ? static_cast<std::int64_t>(value) : 0;
}

std::uint64_t Reader::unsigned_integer() {
  auto type = head();
  if (!ok_) return 0;
  if (is_fixed_positive(type)) return type;
  if (type >= kUint8 && type <= kUint64) {
    auto value = big_endian(std::size_t{1} << (type - kUint8));
    return ok_ ? value : 0;
  }
  // Other writers give small positive numbers a signed type; only a sign that is set is an error.
  if (type >= kInt8 && type <= kInt64) {
    auto width = std::size_t{1} << (type - kInt8);
    auto value = sign_extend(big_endian(width), width);
    if (value < 0) ok_ = false;
    return ok_ ? static_cast<std::uint64_t>(value) : 0;
  }
  ok_ = false;
  return 0;
}

double Reader::real_from_integer(std::uint8_t next) {
  bool has_sign = is_fixed_negative(next) || (next >= kInt8 && next <= kInt64);
  return has_sign ? static_cast<double>(integer()) : static_cast<double>(unsigned_integer());
}

// msgpack-c writes a whole number as an integer even when it was given as a double.
double Reader::real() {
  auto next = rest_.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(rest_.front());
  if (next != kFloat64 && next != kFloat32) return real_from_integer(next);
  auto type = head();
  if (type == kFloat64) {
    auto bits = big_endian(8);
    return ok_ ? std::bit_cast<double>(bits) : 0.0;
  }
  if (type == kFloat32) {
    auto bits = static_cast<std::uint32_t>(big_endian(4));
    return ok_ ? static_cast<double>(std::bit_cast<float>(bits)) : 0.0;
  }
  ok_ = false;
  return 0.0;
}

std::string_view Reader::blob(std::uint8_t first, std::uint8_t type) {
  if (type < first || type > first + 2) {
    ok_ = false;
    return {};
  }
  return take(big_endian(std::size_t{1} << (type - first)));
}

std::string_view Reader::text() {
  auto type = head();
  if (!ok_) return {};
  return is_fixed_text(type) ? take(type & 0x1f) : blob(kStr8, type);
}

std::string_view Reader::bytes() {
  auto type = head();
  if (!ok_) return {};
  return blob(kBin8, type);
}

void Reader::skip() { skip(0); }

void Reader::skip_extension(std::uint8_t type) {
  bool fixed = type >= kFixExt1 && type <= kFixExt16;
  if (!fixed && (type < kExt8 || type > kExt32)) {
    ok_ = false;
    return;
  }
  auto size = fixed ? std::uint64_t{1} << (type - kFixExt1) : big_endian(std::size_t{1} << (type - kExt8));
  take(size + 1);
}

void Reader::skip(int depth) {
  if (rest_.empty() || depth > kSkipDepthMax) ok_ = false;
  if (!ok_) return;
  auto type = static_cast<std::uint8_t>(rest_.front());
  if (is_array(type) || is_map(type)) {
    auto values = is_array(type) ? array() : 2 * map();
    for (std::size_t i = 0; ok_ && i < values; ++i) skip(depth + 1);
  } else if (is_text(type)) {
    text();
  } else if (type >= kBin8 && type < kExt8) {
    bytes();
  } else if (type == kFloat32 || type == kFloat64) {
    real();
  } else if (is_fixed_positive(type) || is_fixed_negative(type)) {
    head();
  } else if (type >= kUint8 && type <= kInt64) {
    head();
    take(std::size_t{1} << ((type - kUint8) % 4));
  } else if (type == kNil || type == kFalse || type == kTrue) {
    head();
  } else {
    skip_extension(head());
  }
}

RecordReader::RecordReader(Reader& reader, std::size_t known) : reader_(reader), extra_(reader.array()) {
  expect(known);
}

void RecordReader::expect(std::size_t more) {
  if (more > extra_) {
    reader_.fail();
    extra_ = 0;
    return;
  }
  extra_ -= more;
}

bool RecordReader::next() {
  if (extra_ == 0 || !reader_.ok()) return false;
  --extra_;
  return true;
}

void RecordReader::finish() {
  for (; reader_.ok() && extra_ > 0; --extra_) reader_.skip();
}

}  // namespace troupe::protocol
