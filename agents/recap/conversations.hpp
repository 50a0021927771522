// Which messages of a channel-day talk about the same thing: threads as Slack says, the rest by a score.
#pragma once

#include "agents/slack/workspace.hpp"

#include <troupe/time.hpp>

#include <cstddef>
#include <vector>

namespace troupe::recap {

/// How strongly the signs of "this continues that conversation" count. A message joins the open conversation
/// with the highest sum if that sum reaches `join_min`, otherwise it starts a new one. The defaults were
/// found by random search on every other day of a public developer chat and checked on the days between
/// (tests/agents/conversations_test.cpp prints both figures).
struct ConversationPolicy {
  /// A conversation silent for longer than this is closed.
  Duration silence_max = std::chrono::minutes(105);
  /// At most this many are kept open at a time; the one silent longest is closed first.
  std::size_t open_max = 8;
  double join_min = 1.0;
  /// Somebody spoke in it a moment ago; halves every `recency_half_life`.
  double recency_weight = 2.36;
  Duration recency_half_life = std::chrono::seconds(255);
  /// It is the one spoken in last.
  double latest_weight = 0.5;
  /// Its last message has the same author; halves every `monologue_half_life`.
  double monologue_weight = 1.54;
  Duration monologue_half_life = std::chrono::minutes(40);
  /// The message speaks to somebody who took part in it.
  double addresses_weight = 0.34;
  /// Somebody in it spoke to the message's author.
  double addressed_weight = 0.48;
  /// Per unit of log(messages / messages with the word), over the shared words that at most `rare_share_max`
  /// of the day's messages have (or two of them); in all at most `words_weight_max`.
  double word_weight = 0.04;
  double words_weight_max = 0.4;
  double rare_share_max = 0.01;
  /// Only the silence counts: the baseline that the score has to beat. For tests.
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
/// Threads are taken as they are; other talk is attached, message by message, to the open conversation with
/// the best score. Pure and deterministic; any thread. Time grows with messages times `open_max`.
std::vector<Conversation> group_conversations(const slack::ChannelDay& day,
                                              const ConversationPolicy& policy = {});

}  // namespace troupe::recap
