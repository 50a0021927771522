// Every stream of every dialect reads the same however its bytes are cut, and no corrupt frame is taken. D1,
// G4
#include "providers/eventstream.hpp"
#include "providers/sse.hpp"
#include "providers/text.hpp"
#include "tests/providers/codec_support.hpp"

#include <cctype>
#include <ostream>

namespace troupe::providers {
namespace {

using codec_test::decode_split;
using codec_test::decode_whole;
using codec_test::from_hex;
using codec_test::golden;
using codec_test::shared_fixture;
using codec_test::unordered;

// How a file's bytes become a stream's.
enum class Wrapping { none, hex, json_of_hex, payload_parts, invoke_chunks };

struct Stream {
  const char* dialect;
  const char* file;
  bool shared = false;
  Wrapping wrapping = Wrapping::none;
  /// Which of a json_of_hex file's members.
  const char* member = "";
};
std::ostream& operator<<(std::ostream& out, const Stream& stream) {
  return out << stream.dialect << " " << stream.file << stream.member;
}

std::string framed(const char* type, const std::string& payload) {
  Frame frame;
  frame.headers = {{":event-type", std::string(type)}, {":message-type", std::string("event")}};
  frame.payload = payload;
  return encode_frame(frame).value();
}

constexpr std::size_t kPartBytes = 251;

// SageMaker cuts a body anywhere, so these pieces do not respect its lines.
std::string in_payload_parts(std::string_view text) {
  std::string out;
  for (; !text.empty(); text.remove_prefix(std::min(text.size(), kPartBytes)))
    out += framed("PayloadPart", std::string(text.substr(0, kPartBytes)));
  return out;
}

std::string in_invoke_chunks(const std::string& text) {
  SseParser parser;
  std::vector<SseEvent> events;
  EXPECT_TRUE(parser.feed(text, events));
  std::string out;
  for (const auto& event : events)
    out += framed("chunk", R"({"bytes":")" + base64_encode(event.data) + R"(","p":"ab"})");
  return out;
}

std::string trimmed(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

std::string bytes_of(const Stream& stream) {
  auto text = stream.shared ? shared_fixture(stream.file) : golden(stream.file);
  if (text.empty()) return text;
  switch (stream.wrapping) {
    case Wrapping::hex: return from_hex(trimmed(text));
    case Wrapping::json_of_hex: return from_hex(unordered(text)[stream.member].get<std::string>());
    case Wrapping::payload_parts: return in_payload_parts(text);
    case Wrapping::invoke_chunks: return in_invoke_chunks(text);
    default: return text;
  }
}

class Streams : public testing::TestWithParam<Stream> {};

std::string name_of(const testing::TestParamInfo<Stream>& info) {
  auto name = std::string(info.param.dialect) + "_" + info.param.file + info.param.member;
  for (char& c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  return name + "_" + std::to_string(info.index);
}

constexpr auto kHex = Wrapping::hex;
constexpr auto kMember = Wrapping::json_of_hex;
constexpr auto kParts = Wrapping::payload_parts;
constexpr auto kChunks = Wrapping::invoke_chunks;
constexpr const char* kFrames = "eventstream/streams.json";
constexpr const char* kMessages = "serve/anthropic_messages_stream.sse";

INSTANTIATE_TEST_SUITE_P(Own, Streams,
                         testing::Values(Stream{"openai", "openai/text.sse"},
                                         Stream{"openai", "openai/tools_crlf.sse"},
                                         Stream{"azure_openai", "openai/tools_crlf.sse"},
                                         Stream{"sagemaker", "openai/tools_crlf.sse", false, kParts},
                                         Stream{"bedrock", kFrames, false, kMember, "whole_stream"},
                                         Stream{"bedrock", kFrames, false, kMember, "throttled_stream"},
                                         Stream{"anthropic", "anthropic/message.sse"},
                                         Stream{"vertex_anthropic", "anthropic/message.sse"},
                                         Stream{"bedrock_invoke", "anthropic/message.sse", false, kChunks},
                                         Stream{"vertex_gemini", "vertex/text.sse"},
                                         Stream{"vertex_gemini", "vertex/calls.sse"}),
                         name_of);

INSTANTIATE_TEST_SUITE_P(
    Captured, Streams,
    testing::Values(Stream{"bedrock", "eventstream/converse_text_ok.stream.hex", true, kHex},
                    Stream{"bedrock", "eventstream/converse_reasoning_tool_ok.stream.hex", true, kHex},
                    Stream{"bedrock", "eventstream/converse_midstream_throttle.stream.hex", true, kHex},
                    Stream{"bedrock", "eventstream/converse_midstream_error_frame.stream.hex", true, kHex},
                    Stream{"sagemaker", "sagemaker/vllm_sse_split.stream.hex", true, kHex},
                    Stream{"sagemaker_tgi", "sagemaker/tgi_generate_stream.sse", true, kParts},
                    Stream{"sagemaker_tgi", "sagemaker/lmi_jsonlines_stream.txt", true, kParts},
                    Stream{"openai", "serve/openai_chat_stream.sse", true},
                    Stream{"openai", "serve/openai_chat_stream_tools.sse", true},
                    Stream{"azure_openai", "serve/openai_chat_stream.sse", true},
                    Stream{"openai_responses", "serve/openai_responses_stream.sse", true},
                    Stream{"openai_responses", "serve/openai_responses_stream_tool.sse", true},
                    Stream{"anthropic", kMessages, true}, Stream{"vertex_anthropic", kMessages, true},
                    Stream{"bedrock_invoke", kMessages, true, kChunks},
                    Stream{"vertex_gemini", "vertex/stream_generate_content.sse", true},
                    Stream{"vertex_gemini", "vertex/stream_midstream_error.sse", true}),
    name_of);

TEST_P(Streams, ReadTheSameHoweverCut) {
  auto bytes = bytes_of(GetParam());
  if (bytes.empty()) GTEST_SKIP() << "the captured fixtures are not on this machine";
  const auto* dialect = find_dialect(GetParam().dialect);
  ASSERT_NE(dialect, nullptr);
  auto whole = decode_whole(*dialect, bytes);
  EXPECT_FALSE(whole.events.empty());
  codec_test::expect_same_however_split(*dialect, bytes);
  codec_test::expect_same_in_random_splits(*dialect, bytes, GetParam().shared ? 10'000 : 2'000);
  EXPECT_NE(whole.error() != nullptr, whole.stopped()) << "an answer either ends or fails";
}

class Writers : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Own, Writers,
                         testing::Values("openai", "openai_responses", "azure_openai", "anthropic", "bedrock",
                                         "bedrock_invoke", "sagemaker", "sagemaker_tgi", "vertex_gemini",
                                         "vertex_anthropic"),
                         [](const auto& test) { return std::string(test.param); });

TEST_P(Writers, WriteStreamsThatReadTheSameHoweverCut) {
  const auto* dialect = find_dialect(GetParam());
  const auto* server = find_dialect_server(GetParam());
  ASSERT_TRUE(dialect != nullptr && server != nullptr);
  std::vector<StreamEvent> events{StreamStarted{"m"}, TextDelta{"h\xc3\xa9"},
                                  TextDelta{"llo\r\n\xf0\x9f\x98\x80"}, StreamStopped{StopReason::length, {}},
                                  UsageReported{{.input = 3, .output = 2}}};
  auto bytes = codec_test::serve_stream(*server, events);
  auto whole = decode_whole(*dialect, bytes);
  ASSERT_TRUE(whole.fed && whole.finished) << whole.error()->what;
  EXPECT_EQ(whole.sum().text(), "h\xc3\xa9llo\r\n\xf0\x9f\x98\x80");
  codec_test::expect_same_however_split(*dialect, bytes);
  codec_test::expect_same_in_random_splits(*dialect, bytes, 300);
  codec_test::expect_truncation_shows(*dialect, bytes);
}

std::vector<Frame> frames_in(std::string_view bytes, std::size_t cut) {
  FrameDecoder decoder;
  std::vector<Frame> out;
  EXPECT_TRUE(decoder.feed(bytes.substr(0, cut), out));
  EXPECT_TRUE(decoder.feed(bytes.substr(cut), out));
  EXPECT_TRUE(decoder.between_frames());
  return out;
}

TEST(FrameSplits, EveryCapturedFrameInOneStreamCutAnywhere) {
  auto text = shared_fixture("eventstream/frames.json");
  if (text.empty()) GTEST_SKIP() << "the captured fixtures are not on this machine";
  std::string bytes;
  const auto captured = unordered(text);
  for (const auto& [name, frame] : captured.items()) bytes += from_hex(frame["hex"].get<std::string>());
  auto whole = frames_in(bytes, bytes.size());
  EXPECT_EQ(whole.size(), 28u);
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) ASSERT_EQ(frames_in(bytes, cut), whole) << cut;
}

constexpr std::array kFrameDialects{"bedrock", "bedrock_invoke", "sagemaker", "sagemaker_tgi"};

// Each kind of corruption of one good frame: its length, its checksums, its payload, its end.
std::vector<std::string> corrupt_frames() {
  auto good = framed("contentBlockDelta", R"({"contentBlockIndex":0,"delta":{"text":"Hi"}})");
  std::vector<std::string> out;
  for (std::size_t at :
       {std::size_t{0}, std::size_t{3}, std::size_t{7}, std::size_t{8}, good.size() / 2, good.size() - 1}) {
    out.push_back(good);
    out.back()[at] = static_cast<char>(out.back()[at] ^ 1);
  }
  out.push_back(good.substr(0, good.size() - 1));
  out.push_back(std::string("\0\0\0\x0f", 4) + std::string(12, '\0'));
  return out;
}

void expect_refused(const std::string& corrupt, const std::string& why) {
  for (const auto* name : kFrameDialects) {
    const auto* dialect = find_dialect(name);
    ASSERT_NE(dialect, nullptr) << name;
    for (std::size_t cut = 0; cut <= corrupt.size(); ++cut) {
      auto got = decode_split(*dialect, corrupt, {cut});
      ASSERT_NE(got.error(), nullptr) << name << ": " << why;
      ASSERT_EQ(got.error()->code, Errc::stream_broken) << name << ": " << why << " cut at " << cut;
      ASSERT_FALSE(got.stopped());
    }
  }
}

TEST(FrameSplits, NoDialectTakesACorruptFrameHoweverCut) {
  for (const auto& corrupt : corrupt_frames()) expect_refused(corrupt, "own");
  auto text = shared_fixture("eventstream/negative.json");
  if (text.empty()) GTEST_SKIP() << "the captured corruptions are not on this machine";
  const auto cases = unordered(text);
  for (const auto& [name, bad] : cases.items()) expect_refused(from_hex(bad["hex"].get<std::string>()), name);
}

}  // namespace
}  // namespace troupe::providers
