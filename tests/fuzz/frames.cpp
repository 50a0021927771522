#include "tests/fuzz/frames.hpp"

#include "providers/eventstream.hpp"
#include "providers/text.hpp"
#include "tests/fuzz/support.hpp"

namespace troupe::fuzz {
namespace {

// CRC-32 (ISO 3309), bit by bit: these inputs are small.
std::uint32_t plain_crc(std::string_view bytes) {
  std::uint32_t crc = 0xffffffff;
  for (unsigned char byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320U : 0U);
  }
  return ~crc;
}

void put_number(std::string& bytes, std::size_t at, std::uint32_t value) {
  for (int i = 0; i < 4; ++i) bytes[at + i] = static_cast<char>(value >> (24 - 8 * i));
}

std::uint32_t number_at(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

providers::Frame frame_of_line(std::string_view line) {
  auto space = std::min(line.find(' '), line.size());
  std::string type(line.substr(0, space)), payload(line.substr(std::min(space + 1, line.size())));
  if (type.starts_with('!'))
    return {{{":message-type", std::string("exception")}, {":exception-type", type.substr(1)}}, payload};
  if (type.starts_with('?'))
    return {{{":message-type", std::string("error")},
             {":error-code", type.substr(1)},
             {":error-message", payload.substr(0, 100)}},
            ""};
  if (type == "chunk*") {
    type = "chunk";
    payload = R"({"bytes":")" + providers::base64_encode(payload) + R"("})";
  }
  for (auto at = payload.find("\\n"); type == "PayloadPart" && at != std::string::npos;
       at = payload.find("\\n"))
    payload.replace(at, 2, "\n");
  return {{{":event-type", type},
           {":content-type", std::string("application/json")},
           {":message-type", std::string("event")}},
          payload};
}

}  // namespace

std::string with_checksums(std::string_view bytes) {
  std::string out(bytes);
  std::size_t at = 0;
  while (out.size() - at >= 16) {
    auto length = number_at(out, at);
    if (length < 16 || length > out.size() - at) break;
    auto frame = std::string_view(out).substr(at, length);
    put_number(out, at + 8, plain_crc(frame.substr(0, 8)));
    put_number(out, at + length - 4, plain_crc(frame.substr(0, length - 4)));
    at += length;
  }
  return out;
}

std::string frames_of_lines(std::string_view lines) {
  std::string out;
  for (Input in(lines); !in.empty();)
    // Absent for a type too long for a header.
    out += providers::encode_frame(frame_of_line(in.line())).value_or("");
  return out;
}

}  // namespace troupe::fuzz
