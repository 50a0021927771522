#include "providers/eventstream.hpp"

#include "runtime/base/overloaded.hpp"

#include <zlib.h>

#include <algorithm>
#include <optional>

namespace troupe::providers {
namespace {

constexpr std::size_t kPreludeBytes = 12;
constexpr std::size_t kOverheadBytes = 16;
constexpr std::size_t kHeaderNameMax = 255;
constexpr std::size_t kHeaderValueMax = 32767;

std::uint32_t crc_of(std::string_view bytes) {
  return static_cast<std::uint32_t>(
      crc32_z(0, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
}

template <class Int>
void put_int(std::string& out, Int value) {
  auto bits = static_cast<std::uint64_t>(value);
  for (std::size_t i = sizeof(Int); i-- > 0;) out += static_cast<char>(bits >> (8 * i) & 0xff);
}

template <class Int>
Int get_big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof(Int); ++i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return static_cast<Int>(value);
}

void put_sized(std::string& out, std::string_view bytes) {
  put_int(out, static_cast<std::uint16_t>(bytes.size()));
  out += bytes;
}

void put_header_value(std::string& out, const HeaderValue& value) {
  auto typed = [&](char type, auto number) {
    out += type;
    put_int(out, number);
  };
  std::visit(Overloaded{
                 [&](bool v) { out += static_cast<char>(v ? 0 : 1); },
                 [&](std::int8_t v) { typed(2, v); },
                 [&](std::int16_t v) { typed(3, v); },
                 [&](std::int32_t v) { typed(4, v); },
                 [&](std::int64_t v) { typed(5, v); },
                 [&](const HeaderBytes& v) { out += '\6', put_sized(out, v.bytes); },
                 [&](const std::string& v) { out += '\7', put_sized(out, v); },
                 [&](const HeaderTime& v) { typed(8, v.ms); },
                 [&](const HeaderUuid& v) {
                   out += '\11';
                   for (auto byte : v.bytes) out += static_cast<char>(byte);
                 },
             },
             value);
}

std::size_t value_bytes(const HeaderValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return text->size();
  if (const auto* bytes = std::get_if<HeaderBytes>(&value)) return bytes->bytes.size();
  return 0;
}

// Walks the header block. Every take checks what is left, so no length in the data is trusted.
class HeaderReader {
 public:
  explicit HeaderReader(std::string_view bytes) : rest_(bytes) {}

  std::optional<std::vector<std::pair<std::string, HeaderValue>>> read_all() {
    std::vector<std::pair<std::string, HeaderValue>> headers;
    while (!rest_.empty()) {
      auto length = take_int<std::uint8_t>();
      auto name = length && *length > 0 ? take(*length) : std::nullopt;
      auto type = name ? take_int<std::uint8_t>() : std::nullopt;
      auto value = type ? take_value(*type) : std::nullopt;
      if (!value) return std::nullopt;
      headers.emplace_back(std::string(*name), std::move(*value));
    }
    return headers;
  }

 private:
  std::optional<std::string_view> take(std::size_t n) {
    if (rest_.size() < n) return std::nullopt;
    auto front = rest_.substr(0, n);
    rest_.remove_prefix(n);
    return front;
  }

  template <class Int>
  std::optional<Int> take_int() {
    auto bytes = take(sizeof(Int));
    return bytes ? std::optional(get_big_endian<Int>(*bytes)) : std::nullopt;
  }

  std::optional<std::string> take_sized() {
    auto length = take_int<std::uint16_t>();
    auto bytes = length && *length <= kHeaderValueMax ? take(*length) : std::nullopt;
    return bytes ? std::optional(std::string(*bytes)) : std::nullopt;
  }

  template <class Int>
  std::optional<HeaderValue> take_number() {
    auto number = take_int<Int>();
    return number ? std::optional(HeaderValue(*number)) : std::nullopt;
  }

  std::optional<HeaderValue> take_uuid() {
    auto bytes = take(16);
    if (!bytes) return std::nullopt;
    HeaderUuid uuid;
    std::ranges::copy(*bytes, uuid.bytes.begin());
    return uuid;
  }

  std::optional<HeaderValue> take_value(std::uint8_t type) {
    switch (type) {
      case 0: return HeaderValue(true);
      case 1: return HeaderValue(false);
      case 2: return take_number<std::int8_t>();
      case 3: return take_number<std::int16_t>();
      case 4: return take_number<std::int32_t>();
      case 5: return take_number<std::int64_t>();
      case 6: break;
      case 7: break;
      case 8: {
        auto ms = take_int<std::int64_t>();
        return ms ? std::optional(HeaderValue(HeaderTime{*ms})) : std::nullopt;
      }
      case 9: return take_uuid();
      default: return std::nullopt;
    }
    auto bytes = take_sized();
    if (!bytes) return std::nullopt;
    return type == 6 ? HeaderValue(HeaderBytes{std::move(*bytes)}) : HeaderValue(std::move(*bytes));
  }

  std::string_view rest_;
};

// The whole frame's length, 0 when more bytes are needed to tell.
Result<std::size_t> frame_length(std::string_view bytes) {
  if (bytes.size() < kPreludeBytes) return std::size_t{0};
  if (crc_of(bytes.substr(0, 8)) != get_big_endian<std::uint32_t>(bytes.substr(8)))
    return fail(Errc::stream_broken, "event-stream prelude checksum is wrong");
  std::size_t total = get_big_endian<std::uint32_t>(bytes);
  std::size_t headers = get_big_endian<std::uint32_t>(bytes.substr(4));
  if (total < kOverheadBytes || headers > total - kOverheadBytes)
    return fail(Errc::stream_broken, "event-stream frame has impossible lengths");
  if (headers > kFrameHeadersMax || total - kOverheadBytes - headers > kFramePayloadMax)
    return fail(Errc::stream_broken, "event-stream frame exceeds the size limit");
  return total;
}

Result<Frame> read_whole_frame(std::string_view bytes) {
  auto body = bytes.substr(0, bytes.size() - 4);
  if (crc_of(body) != get_big_endian<std::uint32_t>(bytes.substr(body.size())))
    return fail(Errc::stream_broken, "event-stream message checksum is wrong");
  auto headers_length = get_big_endian<std::uint32_t>(bytes.substr(4));
  auto headers = HeaderReader(body.substr(kPreludeBytes, headers_length)).read_all();
  if (!headers) return fail(Errc::stream_broken, "event-stream header is malformed");
  return Frame{std::move(*headers), std::string(body.substr(kPreludeBytes + headers_length))};
}

// Takes every whole frame off the front; returns how many bytes that was.
Result<std::size_t> take_frames(std::string_view bytes, std::vector<Frame>& out) {
  std::size_t used = 0;
  while (true) {
    auto rest = bytes.substr(used);
    auto length = frame_length(rest);
    if (!length) return length;
    if (*length == 0 || rest.size() < *length) return used;
    auto frame = read_whole_frame(rest.substr(0, *length));
    if (!frame) return std::unexpected(frame.error());
    out.push_back(std::move(*frame));
    used += *length;
  }
}

}  // namespace

std::string_view string_header(const Frame& frame, std::string_view name) {
  for (const auto& [key, value] : frame.headers)
    if (const auto* text = std::get_if<std::string>(&value); text != nullptr && key == name) return *text;
  return {};
}

Result<std::string> encode_frame(const Frame& frame) {
  std::string headers;
  for (const auto& [name, value] : frame.headers) {
    if (name.empty() || name.size() > kHeaderNameMax || value_bytes(value) > kHeaderValueMax)
      return fail(Errc::invalid_input, "event-stream header name or value is too long");
    headers += static_cast<char>(name.size());
    headers += name;
    put_header_value(headers, value);
  }
  if (headers.size() > kFrameHeadersMax || frame.payload.size() > kFramePayloadMax)
    return fail(Errc::invalid_input, "event-stream frame exceeds the size limit");
  std::string out;
  out.reserve(kOverheadBytes + headers.size() + frame.payload.size());
  put_int(out, static_cast<std::uint32_t>(kOverheadBytes + headers.size() + frame.payload.size()));
  put_int(out, static_cast<std::uint32_t>(headers.size()));
  put_int(out, crc_of(out));
  out += headers;
  out += frame.payload;
  put_int(out, crc_of(out));
  return out;
}

Result<void> FrameDecoder::feed(std::string_view bytes, std::vector<Frame>& out) {
  if (failed_) return fail(Errc::stream_broken, "event-stream already failed");
  // Whole frames in one piece, the common case, are read where they lie.
  bool direct = buffer_.empty();
  if (!direct) buffer_ += bytes;
  auto used = take_frames(direct ? bytes : std::string_view(buffer_), out);
  if (!used) {
    failed_ = true;
    buffer_.clear();
    return std::unexpected(used.error());
  }
  if (direct)
    buffer_ = bytes.substr(*used);
  else
    buffer_.erase(0, *used);
  return {};
}

}  // namespace troupe::providers
