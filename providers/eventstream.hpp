// AWS event-stream framing (application/vnd.amazon.eventstream): frames to bytes, and bytes in any pieces to
// frames.
#pragma once

#include <troupe/error.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace troupe::providers {

struct HeaderBytes {
  std::string bytes;
  friend bool operator==(const HeaderBytes&, const HeaderBytes&) = default;
};
/// Milliseconds since 1970-01-01 UTC.
struct HeaderTime {
  std::int64_t ms = 0;
  friend bool operator==(const HeaderTime&, const HeaderTime&) = default;
};
struct HeaderUuid {
  std::array<std::uint8_t, 16> bytes{};
  friend bool operator==(const HeaderUuid&, const HeaderUuid&) = default;
};
using HeaderValue = std::variant<bool, std::int8_t, std::int16_t, std::int32_t, std::int64_t, HeaderBytes,
                                 std::string, HeaderTime, HeaderUuid>;

struct Frame {
  std::vector<std::pair<std::string, HeaderValue>> headers;
  std::string payload;
  friend bool operator==(const Frame&, const Frame&) = default;
};

/// The string header `name`, or an empty text when it is missing or of another type.
std::string_view string_header(const Frame& frame, std::string_view name);

/// Layout and limits: WIRE 1.7. Header names 1..255 bytes, string and bytes values up to 32767, headers
/// together up to 128 KiB; payload up to 16 MiB, our own limit below botocore's 24 MiB.
inline constexpr std::size_t kFrameHeadersMax = 128 * 1024;
inline constexpr std::size_t kFramePayloadMax = 16 * 1024 * 1024;

/// Fails with invalid_input when a limit is exceeded.
Result<std::string> encode_frame(const Frame& frame);

/// Incremental. One per stream; not thread-safe.
class FrameDecoder {
 public:
  /// Appends the frames completed by `bytes`. Fails with stream_broken for a wrong checksum, a length that
  /// cannot be (known from the first 12 bytes, before anything is buffered for it) or a malformed header.
  /// Failure is final: every later call fails too, since the next frame's start is unknown.
  Result<void> feed(std::string_view bytes, std::vector<Frame>& out);
  /// False when the bytes so far end inside a frame.
  bool between_frames() const { return !failed_ && buffer_.empty(); }

 private:
  bool failed_ = false;
  std::string buffer_;
};

/// What every decoder of framed streams does with bytes: `on_frame` reads each whole frame, the first failure
/// (of a frame, or of its reading) is kept in `failed` and final. Frames ahead of a corrupt one are still
/// read.
template <class OnFrame>
Result<void> read_frames(FrameDecoder& decoder, std::string_view bytes, std::optional<Error>& failed,
                         OnFrame on_frame) {
  if (failed) return std::unexpected(*failed);
  std::vector<Frame> whole;
  auto result = decoder.feed(bytes, whole);
  for (const auto& frame : whole) {
    auto read = on_frame(frame);
    if (read) continue;
    result = std::move(read);
    break;
  }
  if (!result) failed = result.error();
  return result;
}

}  // namespace troupe::providers
