// How a channel-day is cut into pieces a model can read at once, conversations kept whole where they fit.
#pragma once

#include "agents/recap/conversations.hpp"
#include "agents/slack/workspace.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::recap {

/// One token per four bytes, rounded up: the rule of thumb vendors give for English (OpenAI and Anthropic
/// help pages). For scripts of several bytes per letter it errs on the high side or near the truth; it never
/// decides money, only where to cut.
std::size_t estimate_tokens(std::string_view text);

struct ChunkPolicy {
  /// The estimated transcript tokens of a chunk, prompt not included.
  std::size_t chunk_tokens_max = 6000;
  /// The estimated tokens of points that are put together to be merged or condensed into a digest: small
  /// chunks make many points, and merging those few at a time would lose most of them, round by round.
  std::size_t points_tokens_max = 6000;
  /// A message longer than this is cut when printed, see cut_text(). Never above chunk_tokens_max.
  std::size_t message_tokens_max = 1500;
  /// What a line costs beside its text: "[1551757500.444300] name: ".
  std::size_t line_tokens = 12;
};

struct Chunk {
  /// Indices into ChannelDay::messages, in the order to print: conversation by conversation.
  std::vector<std::size_t> messages;
  /// The estimate of all its lines; at most ChunkPolicy::chunk_tokens_max unless a single line is larger.
  std::size_t tokens = 0;
};

/// The message's text as a transcript shows it: whole, or cut at a UTF-8 boundary and ended by
/// " [… cut: N of M bytes shown]", so that neither model nor reader takes the part for the whole.
std::string cut_text(std::string_view text, std::size_t tokens_max);

/// Every message is in exactly one chunk. Conversations stay in order and whole; only one that is larger than
/// a chunk by itself is split, between messages. An empty day gives no chunk. Pure; any thread.
std::vector<Chunk> chunk_day(const slack::ChannelDay& day, const std::vector<Conversation>& conversations,
                             const ChunkPolicy& policy = {});

}  // namespace troupe::recap
