// What the codec tests share: files, whole and split decoding, answers made at random.
#pragma once

#include "providers/dialect.hpp"
#include "providers/serve.hpp"
#include "runtime/base/rng.hpp"
#include "runtime/json/json.hpp"

#include <troupe/completion.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace troupe::providers::codec_test {

inline std::string slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline std::string golden(const std::string& name) {
  auto text = slurp(std::string(TROUPE_SOURCE_DIR) + "/tests/golden/" + name);
  EXPECT_FALSE(text.empty()) << "golden file " << name << " is missing";
  return text;
}

/// A captured fixture; empty when the shared folder is not there.
inline std::string shared_fixture(const std::string& name) {
  const char* data = std::getenv("TROUPE_DATA");
  auto base = data != nullptr ? std::string(data) : std::string(TROUPE_SOURCE_DIR) + "/../shared";
  return slurp(base + "/spec/fixtures/" + name);
}

/// Key order does not matter when captured and written bodies are compared.
using Unordered = nlohmann::json;
inline Unordered unordered(const std::string& text) { return Unordered::parse(text); }

inline std::string from_hex(std::string_view hex) {
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    out += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  return out;
}

struct Decoded {
  std::vector<StreamEvent> events;
  Result<void> fed;
  Result<void> finished;

  bool stopped() const {
    for (const auto& event : events)
      if (std::holds_alternative<StreamStopped>(event)) return true;
    return false;
  }
  Completion sum() const {
    CompletionBuilder builder;
    for (const auto& event : events) builder.add(event);
    return std::move(builder).take();
  }
  const Error* error() const {
    if (!fed) return &fed.error();
    return finished ? nullptr : &finished.error();
  }
};

/// Feeds the pieces between these offsets, then finishes.
inline Decoded decode_split(const Dialect& dialect, std::string_view bytes,
                            const std::vector<std::size_t>& cuts) {
  Decoded out;
  auto decoder = dialect.stream_decoder();
  std::size_t from = 0;
  auto feed = [&](std::size_t to) {
    if (out.fed) out.fed = decoder->feed(bytes.substr(from, to - from), out.events);
    from = to;
  };
  for (auto cut : cuts) feed(cut);
  feed(bytes.size());
  out.finished = decoder->finish(out.events);
  return out;
}

inline Decoded decode_whole(const Dialect& dialect, std::string_view bytes) {
  return decode_split(dialect, bytes, {});
}

/// Every single cut, every byte alone, and random cuts give what the whole gives.
inline void expect_same_however_split(const Dialect& dialect, std::string_view bytes) {
  auto whole = decode_whole(dialect, bytes);
  auto same = [&](const std::vector<std::size_t>& cuts) {
    auto got = decode_split(dialect, bytes, cuts);
    return got.events == whole.events && got.fed.has_value() == whole.fed.has_value() &&
           got.finished.has_value() == whole.finished.has_value();
  };
  std::vector<std::size_t> every;
  for (std::size_t i = 0; i <= bytes.size(); ++i) {
    ASSERT_TRUE(same({i})) << "split at " << i;
    every.push_back(i);
  }
  EXPECT_TRUE(same(every));
  Rng rng(7);
  for (int round = 0; round < 50; ++round) {
    std::vector<std::size_t> cuts;
    for (std::size_t at = rng.below(40); at < bytes.size(); at += 1 + rng.below(40)) cuts.push_back(at);
    ASSERT_TRUE(same(cuts)) << "round " << round;
  }
}

/// Random cuts, up to eight at a time, give what the whole gives.
inline void expect_same_in_random_splits(const Dialect& dialect, std::string_view bytes,
                                         int rounds = 10'000) {
  auto whole = decode_whole(dialect, bytes);
  Rng rng(11);
  for (int round = 0; round < rounds; ++round) {
    std::vector<std::size_t> cuts(1 + rng.below(8));
    for (auto& cut : cuts) cut = rng.below(bytes.size() + 1);
    std::ranges::sort(cuts);
    auto got = decode_split(dialect, bytes, cuts);
    bool same = got.events == whole.events && got.fed.has_value() == whole.fed.has_value() &&
                got.finished.has_value() == whole.finished.has_value();
    ASSERT_TRUE(same) << "round " << round;
  }
}

/// However early the body ends, finish() succeeds exactly when the final event was seen.
inline void expect_truncation_shows(const Dialect& dialect, std::string_view bytes) {
  int whole = 0;
  for (std::size_t i = 0; i <= bytes.size(); ++i) {
    auto got = decode_whole(dialect, bytes.substr(0, i));
    bool looks_whole = got.fed && got.finished;
    ASSERT_TRUE(!looks_whole || got.stopped()) << "cut at " << i;
    if (!looks_whole && got.fed) {
      ASSERT_EQ(got.finished.error().code, Errc::stream_broken) << "cut at " << i;
    }
    whole += looks_whole;
  }
  EXPECT_GT(whole, 0);
  EXPECT_LT(static_cast<std::size_t>(whole), bytes.size());
}

inline std::string random_text(Rng& rng) {
  static const std::vector<std::string> pieces{"a", " ", "\n", "\r\n",   "\"",     "\\",
                                               "é", "€", "😀",  "data: ", "[DONE]", "{}"};
  std::string out;
  for (auto n = 1 + rng.below(12); n > 0; --n) out += pieces[rng.below(pieces.size())];
  return out;
}

/// An answer both dialects can carry: at most one reasoning and one text part, then tool calls.
inline Completion random_completion(Rng& rng, bool signatures) {
  Completion out;
  if (rng.below(2) == 0) out.parts.emplace_back(ReasoningPart{random_text(rng), signatures ? "c2ln" : ""});
  if (rng.below(3) != 0) out.parts.emplace_back(TextPart{random_text(rng)});
  auto calls = rng.below(3);
  for (std::uint64_t i = 0; i < calls; ++i) {
    Json input{{"q", random_text(rng)}};
    out.parts.emplace_back(ToolUsePart{"call_" + std::to_string(i), "look", {dump_json(input)}});
  }
  constexpr std::array plain{StopReason::stop, StopReason::length, StopReason::content_filter};
  out.stop = calls > 0 ? StopReason::tool_calls : plain[rng.below(plain.size())];
  auto count = [&] { return static_cast<std::int64_t>(rng.below(1000)); };
  out.usage = {.input = count(), .output = count(), .cache_read = count(), .cache_write = count()};
  return out;
}

/// The events a streaming model would send for this answer, texts and arguments cut at random.
inline std::vector<StreamEvent> events_of(const Completion& answer, Rng& rng) {
  std::vector<StreamEvent> out{StreamStarted{answer.model}};
  auto in_pieces = [&](std::string_view text, auto emit) {
    while (!text.empty()) {
      auto n = std::min<std::size_t>(text.size(), 1 + rng.below(5));
      while (n < text.size() && (static_cast<unsigned char>(text[n]) & 0xc0) == 0x80) ++n;
      emit(std::string(text.substr(0, n)));
      text.remove_prefix(n);
    }
  };
  int tool = 0;
  for (const auto& part : answer.parts) {
    if (const auto* text = std::get_if<TextPart>(&part))
      in_pieces(text->text, [&](std::string piece) { out.emplace_back(TextDelta{std::move(piece)}); });
    if (const auto* said = std::get_if<ReasoningPart>(&part)) {
      in_pieces(said->text, [&](std::string piece) {
        out.emplace_back(ReasoningDelta{std::move(piece), {}});
      });
      if (!said->signature.empty()) out.emplace_back(ReasoningDelta{{}, said->signature});
    }
    if (const auto* use = std::get_if<ToolUsePart>(&part)) {
      out.emplace_back(ToolUseStarted{tool, use->id, use->name});
      in_pieces(use->input.text, [&](std::string piece) {
        out.emplace_back(ToolInputDelta{tool, std::move(piece)});
      });
      ++tool;
    }
  }
  out.emplace_back(StreamStopped{answer.stop});
  out.emplace_back(UsageReported{answer.usage});
  return out;
}

inline std::string serve_stream(const DialectServer& server, const std::vector<StreamEvent>& events) {
  auto writer = server.stream_writer({});
  std::string bytes;
  for (const auto& event : events) bytes += writer->write(event);
  return bytes + writer->finish();
}

inline CompletionRequest ask(std::string text) {
  CompletionRequest request;
  request.messages = {{Role::user, {TextPart{std::move(text)}}}};
  request.output_tokens_max = 64;
  request.stream = false;
  return request;
}

inline const Target& target() {
  static const Target value{"anthropic.claude-3-5-sonnet-20241022-v2:0", "",
                            "bedrock-runtime.us-east-1.amazonaws.com"};
  return value;
}

}  // namespace troupe::providers::codec_test
