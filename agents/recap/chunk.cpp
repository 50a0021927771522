// Fills chunks with whole conversations, first come first served, so that the order of talk is kept.
#include "agents/recap/chunk.hpp"

#include "runtime/base/characters.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::recap {
namespace {

constexpr std::size_t kBytesPerToken = 4;

std::size_t line_tokens_of(const slack::Message& message, const ChunkPolicy& policy) {
  auto text_max = std::min(policy.message_tokens_max, policy.chunk_tokens_max);
  return policy.line_tokens + estimate_tokens(message.user) +
         estimate_tokens(cut_text(message.text, text_max));
}

class ChunkBuilder {
 public:
  ChunkBuilder(const slack::ChannelDay& day, const ChunkPolicy& policy) : day_(day), policy_(policy) {}

  void add(const Conversation& conversation) {
    std::size_t whole = 0;
    for (auto index : conversation.messages) whole += tokens_of(index);
    if (!fits(whole)) start_chunk();
    for (auto index : conversation.messages) {
      auto tokens = tokens_of(index);
      if (!fits(tokens)) start_chunk();
      current_.messages.push_back(index);
      current_.tokens += tokens;
    }
  }

  std::vector<Chunk> finish() {
    start_chunk();
    return std::move(chunks_);
  }

 private:
  std::size_t tokens_of(std::size_t index) const { return line_tokens_of(day_.messages.at(index), policy_); }
  bool fits(std::size_t tokens) const { return current_.tokens + tokens <= policy_.chunk_tokens_max; }

  void start_chunk() {
    if (!current_.messages.empty()) chunks_.push_back(std::move(current_));
    current_ = {};
  }

  const slack::ChannelDay& day_;
  const ChunkPolicy& policy_;
  std::vector<Chunk> chunks_;
  Chunk current_;
};

}  // namespace

std::size_t estimate_tokens(std::string_view text) {
  return (text.size() + kBytesPerToken - 1) / kBytesPerToken;
}

std::string cut_text(std::string_view text, std::size_t tokens_max) {
  auto bytes_max = tokens_max * kBytesPerToken;
  if (text.size() <= bytes_max) return std::string(text);
  // Room for the marker, so that a cut text keeps to the bound as well; a bound smaller than the marker
  // loses.
  constexpr std::size_t kMarkerBytesMax = 64;
  auto end = whole_character(text, bytes_max > kMarkerBytesMax ? bytes_max - kMarkerBytesMax : 0);
  return fmt::format("{} [… cut: {} of {} bytes shown]", text.substr(0, end), end, text.size());
}

std::vector<Chunk> chunk_day(const slack::ChannelDay& day, const std::vector<Conversation>& conversations,
                             const ChunkPolicy& policy) {
  ChunkBuilder builder(day, policy);
  for (const auto& conversation : conversations) builder.add(conversation);
  return builder.finish();
}

}  // namespace troupe::recap
