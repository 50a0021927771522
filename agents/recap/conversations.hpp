// Which messages of a channel-day talk about the same thing: threads as Slack says, the rest by a simple score.
#pragma once

#include "agents/slack/workspace.hpp"

#include <troupe/time.hpp>

#include <cstddef>
#include <vector>

namespace troupe::recap {

/// How strongly the signs of "this continues that conversation" count. A message joins the open conversation with the
/// highest sum if that sum reaches `join_min`, otherwise it starts a new one. The defaults were chosen on one of the
/// two channels of a public developer chat and checked on the other (tests/agents/conversations_test.cpp).
struct ConversationPolicy {
  /// A conversation silent for longer than this is closed.
  Duration silence_max = std::chrono::minutes(60);
  /// The weight of recency halves every so long.
  Duration recency_half_life = std::chrono::minutes(8);
  /// At most this many conversations are kept open at a time; the one silent longest is closed first.
  std::size_t open_max = 8;
  double join_min = 1.0;
  /// Nothing but the silence: the baseline the scoring has to beat.
  bool time_gap_only = false;
};

/// Talk about one thing, as far as we can tell.
struct Conversation {
  /// Indices into ChannelDay::messages, ascending, never empty.
  std::vector<std::size_t> messages;
  /// True for a Slack thread of at least two messages (grouped by thread_ts, no guess involved).
  bool thread = false;
};

/// Every message of the day is in exactly one conversation; conversations are ordered by their first message.
/// Threads are taken as they are; other talk is attached, message by message, to the open conversation with the best
/// score of recency, same author, who is addressed, and shared rare words. Pure and deterministic; any thread.
std::vector<Conversation> group_conversations(const slack::ChannelDay& day, const ConversationPolicy& policy = {});

}  // namespace troupe::recap
