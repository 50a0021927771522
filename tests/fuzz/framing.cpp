// JSON, server-sent events and AWS's event-stream frames: the layers beneath the dialects.
#include "providers/eventstream.hpp"
#include "providers/sse.hpp"
#include "runtime/json/json.hpp"
#include "tests/fuzz/frames.hpp"
#include "tests/fuzz/targets.hpp"

namespace troupe::fuzz {
namespace {

using providers::Frame;
using providers::SseEvent;

struct SseRead {
  std::vector<SseEvent> events;
  bool ok = true;
  friend bool operator==(const SseRead&, const SseRead&) = default;
};

SseRead read_sse(const std::vector<std::string_view>& pieces, std::size_t event_bytes_max) {
  SseRead out;
  providers::SseParser parser(event_bytes_max);
  for (auto piece : pieces)
    if (out.ok) out.ok = parser.feed(piece, out.events).has_value();
  return out;
}

std::string with_crlf(std::string_view text) {
  std::string out;
  for (char c : text) out += c == '\n' ? "\r\n" : std::string(1, c);
  return out;
}

struct FramesRead {
  std::vector<Frame> frames;
  bool ok = true;
  bool between = true;
  friend bool operator==(const FramesRead&, const FramesRead&) = default;
};

FramesRead read_frames(const std::vector<std::string_view>& pieces) {
  FramesRead out;
  providers::FrameDecoder decoder;
  for (auto piece : pieces) {
    bool ok = decoder.feed(piece, out.frames).has_value();
    require(out.ok || !ok, "a frame decoder that failed stays failed");
    out.ok = ok;
  }
  out.between = decoder.between_frames();
  return out;
}

}  // namespace

// The text itself.
void fuzz_json(std::string_view input) {
  auto valid = to_valid_utf8(input);
  require(is_utf8(valid), "to_valid_utf8 gives UTF-8");
  require(is_utf8(input) == (valid == input), "to_valid_utf8 leaves UTF-8 alone, and only that");
  auto value = parse_json(input);
  if (!value) return require(value.error().code == Errc::invalid_input, "what is no JSON is invalid_input");
  require(is_utf8(input), "only UTF-8 is JSON");
  auto text = dump_json(*value);
  auto again = parse_json(text);
  require(again.has_value(), "what dump_json writes is JSON");
  require(dump_json(*again) == text, "writing what was written changes nothing");
  require(parse_json(dump_json(*value, 1)).has_value(), "indented text is JSON too");
}

// SEED LIMIT text. LIMIT 1: an event holds 64 bytes.
void fuzz_sse(std::string_view input) {
  Input in(input);
  auto seed = in.number(256);
  auto limit = in.number(2) == 1 ? std::size_t{64} : std::size_t{1} << 20;
  auto text = in.rest();
  auto whole = read_sse({text}, limit);
  require(read_sse(pieces_of(text, seed), limit) == whole, "SSE reads the same however it is cut");
  if (text.find('\r') == std::string_view::npos && whole.ok)
    require(read_sse({with_crlf(text)}, limit) == whole, "SSE lines may end in CRLF as well");
  for (const auto& event : whole.events) {
    require(event.type.size() + event.data.size() <= text.size(), "an event holds no more than was sent");
    if (event.data.find_first_of("\r\n") != std::string::npos) continue;
    auto again = read_sse({providers::write_sse(event.data)}, std::size_t{1} << 20);
    require(again.events == std::vector{SseEvent{"", event.data}}, "write_sse is read back");
  }
}

// SEED FORM bytes. FORM 1: checksums are set right first, or hardly a mutation would get past them.
void fuzz_eventstream(std::string_view input) {
  Input in(input);
  auto seed = in.number(256);
  bool mend = in.number(2) == 1;
  auto bytes = mend ? with_checksums(in.rest()) : std::string(in.rest());
  auto whole = read_frames({bytes});
  require(read_frames(pieces_of(bytes, seed)) == whole, "frames read the same however they are cut");
  std::string written;
  for (const auto& frame : whole.frames) {
    auto encoded = providers::encode_frame(frame);
    require(encoded.has_value(), "a frame that was read can be written");
    written += *encoded;
  }
  require(std::string_view(bytes).starts_with(written), "frames are written as they were read");
  if (whole.ok && whole.between) require(written == bytes, "between frames, nothing is left over");
}

}  // namespace troupe::fuzz
