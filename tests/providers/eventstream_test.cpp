// The AWS event-stream framing, against frames made elsewhere and against corruption.
#include "providers/eventstream.hpp"

#include "tests/providers/codec_support.hpp"

namespace troupe::providers::bedrock {
namespace {

using codec_test::from_hex;
using codec_test::shared_fixture;
using codec_test::unordered;

std::string golden_frame(const char* name) {
  return from_hex(unordered(codec_test::golden("eventstream/streams.json"))[name].get<std::string>());
}

Result<std::vector<Frame>> decode(std::string_view bytes, std::size_t step = 1 << 20) {
  FrameDecoder decoder;
  std::vector<Frame> out;
  for (std::size_t i = 0; i < bytes.size(); i += step)
    if (auto ok = decoder.feed(bytes.substr(i, step), out); !ok) return std::unexpected(ok.error());
  if (!decoder.between_frames()) return fail(Errc::stream_broken, "inside a frame");
  return out;
}

Frame with_header(std::string name, HeaderValue value) { return {{{std::move(name), std::move(value)}}, ""}; }

TEST(EventStream, ReadsAndWritesEveryHeaderType) {
  HeaderUuid uuid;
  for (std::uint8_t i = 0; i < 16; ++i) uuid.bytes[i] = static_cast<std::uint8_t>(i + 1);
  Frame want{{{"t", true},
              {"f", false},
              {"by", std::int8_t{-7}},
              {"sh", std::int16_t{-300}},
              {"in", std::int32_t{-70000}},
              {"lo", std::int64_t{1} << 32},
              {"bi", HeaderBytes{"\xde\xad\xbe\xef"}},
              {"st", std::string("héllo")},
              {"ts", HeaderTime{1'440'938'160'000}},
              {"uu", uuid}},
             R"({"foo":"bar"})"};
  auto bytes = golden_frame("all_header_types");
  auto frames = decode(bytes);
  ASSERT_TRUE(frames);
  ASSERT_EQ(frames->size(), 1u);
  EXPECT_EQ(frames->front(), want);
  EXPECT_EQ(encode_frame(want), bytes);
  EXPECT_EQ(encode_frame({}), golden_frame("empty"));
}

TEST(EventStream, ReassemblesFramesFromPiecesOfAnySize) {
  auto bytes = golden_frame("whole_stream");
  auto whole = decode(bytes);
  ASSERT_TRUE(whole);
  for (std::size_t step = 1; step < 200; ++step) ASSERT_EQ(decode(bytes, step).value(), *whole) << step;
}

TEST(EventStream, RefusesEveryFlippedBit) {
  auto bytes = golden_frame("all_header_types");
  for (std::size_t i = 0; i < bytes.size() * 8; ++i) {
    auto corrupt = bytes;
    corrupt[i / 8] = static_cast<char>(corrupt[i / 8] ^ 1 << i % 8);
    EXPECT_FALSE(decode(corrupt)) << "bit " << i;
  }
}

TEST(EventStream, EndsInsideAFrameWhenCutAnywhere) {
  auto bytes = golden_frame("all_header_types");
  for (std::size_t i = 1; i < bytes.size(); ++i) EXPECT_FALSE(decode(bytes.substr(0, i))) << i;
}

TEST(EventStream, StaysFailedAfterACorruptFrame) {
  FrameDecoder decoder;
  std::vector<Frame> out;
  EXPECT_FALSE(decoder.feed(std::string(16, '\0'), out));
  EXPECT_FALSE(decoder.feed(golden_frame("empty"), out));
  EXPECT_TRUE(out.empty());
}

// A frame around any header block, with both checksums right.
std::string sealed(const std::string& headers) {
  auto bytes = encode_frame({{}, headers}).value();
  // An encoder cannot be made to write bad headers, so a payload is relabelled and the frame sealed again.
  auto put = [&](std::size_t at, std::uint32_t value) {
    for (int i = 0; i < 4; ++i) bytes[at + i] = static_cast<char>(value >> (24 - 8 * i) & 0xff);
  };
  auto crc = [&](std::size_t length) {
    std::uint32_t c = 0xffffffff;
    for (std::size_t i = 0; i < length; ++i) {
      c ^= static_cast<unsigned char>(bytes[i]);
      for (int k = 0; k < 8; ++k) c = (c & 1) != 0 ? c >> 1 ^ 0xedb88320 : c >> 1;
    }
    return ~c;
  };
  put(4, static_cast<std::uint32_t>(headers.size()));
  put(8, crc(8));
  put(bytes.size() - 4, crc(bytes.size() - 4));
  return bytes;
}

TEST(EventStream, RefusesMalformedHeadersWithGoodChecksums) {
  using namespace std::string_literals;
  EXPECT_TRUE(decode(sealed("\1a\0"s)));
  EXPECT_TRUE(decode(sealed("\1a\7\0\1x"s)));
  for (const auto& headers :
       {"\0\0"s, "\1"s, "\1a"s, "\1a\12"s, "\1a\2"s, "\1a\3\0"s, "\1a\4\0\0\0"s, "\1a\7\0"s, "\1a\7\0\2x"s,
        "\1a\7\xff\xff"s + std::string(65535, 'x'), "\1a\11\0"s, "\377a\0"s})
    EXPECT_FALSE(decode(sealed(headers))) << testing::PrintToString(headers.substr(0, 8));
}

TEST(EventStream, HoldsItsLimitsBothWays) {
  Frame payload{{}, std::string(kFramePayloadMax, 'x')};
  auto largest = encode_frame(payload);
  ASSERT_TRUE(largest);
  EXPECT_TRUE(decode(*largest));
  payload.payload += 'x';
  EXPECT_FALSE(encode_frame(payload));
  EXPECT_TRUE(encode_frame(with_header(std::string(255, 'n'), std::string(32767, 'v'))));
  EXPECT_FALSE(encode_frame(with_header(std::string(256, 'n'), true)));
  EXPECT_FALSE(encode_frame(with_header("", true)));
  EXPECT_FALSE(encode_frame(with_header("n", std::string(32768, 'v'))));
  Frame many;
  for (int i = 0; i < 5; ++i) many.headers.emplace_back("n", std::string(32767, 'v'));
  EXPECT_FALSE(encode_frame(many));
}

TEST(EventStream, RefusesAnOversizedFrameFromItsFirstTwelveBytes) {
  // total 0x7fffffff, no headers, right prelude checksum: nothing must be buffered for it.
  auto bytes = from_hex("7fffffff00000000");
  FrameDecoder decoder;
  std::vector<Frame> out;
  auto prelude = sealed("").substr(0, 12);
  EXPECT_TRUE(decoder.feed(prelude, out));
  FrameDecoder hostile;
  std::uint32_t c = 0xffffffff;
  for (unsigned char byte : bytes) {
    c ^= byte;
    for (int k = 0; k < 8; ++k) c = (c & 1) != 0 ? c >> 1 ^ 0xedb88320 : c >> 1;
  }
  c = ~c;
  for (int i = 0; i < 4; ++i) bytes += static_cast<char>(c >> (24 - 8 * i) & 0xff);
  auto result = hostile.feed(bytes, out);
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().what.find("size limit"), std::string::npos);
}

TEST(EventStream, ReadsAndRewritesEveryCapturedFrame) {
  auto text = shared_fixture("eventstream/frames.json");
  if (text.empty()) GTEST_SKIP() << "the captured fixtures are not on this machine";
  auto frames = unordered(text);
  EXPECT_EQ(frames.size(), 28u);
  for (const auto& [name, want] : frames.items()) {
    auto bytes = from_hex(want["hex"].get<std::string>());
    auto got = decode(bytes);
    ASSERT_TRUE(got && got->size() == 1) << name;
    const auto& frame = got->front();
    EXPECT_EQ(encode_frame(frame), bytes) << name;
    EXPECT_EQ(frame.headers.size(), want["headers"].size()) << name;
    if (want.contains("payload_utf8")) {
      EXPECT_EQ(frame.payload, want["payload_utf8"].get<std::string>()) << name;
    }
    for (const auto& [header, value] : want["headers"].items())
      if (value["type"] == "string") {
        EXPECT_EQ(string_header(frame, header), value["value"].get<std::string>()) << name;
      }
  }
}

TEST(EventStream, RefusesEveryCapturedCorruption) {
  auto text = shared_fixture("eventstream/negative.json");
  if (text.empty()) GTEST_SKIP() << "the captured fixtures are not on this machine";
  auto cases = unordered(text);
  EXPECT_GE(cases.size(), 6u);
  for (const auto& [name, bad] : cases.items())
    EXPECT_FALSE(decode(from_hex(bad["hex"].get<std::string>()))) << name;
}

}  // namespace
}  // namespace troupe::providers::bedrock
