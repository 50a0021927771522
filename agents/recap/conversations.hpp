// Which messages of a channel-day talk about the same thing: threads as Slack says, the rest by a score.
#pragma once

#include "agents/slack/workspace.hpp"

#include <troupe/time.hpp>

#include <cstddef>
#include <vector>

namespace troupe::recap {

/// How strongly the signs of "this continues that conversation" count. A message joins the open conversation
/// with the highest sum if that sum reaches `join_min`, otherwise it starts a new one. The defaults were
/// found by random search on every other day of two public developer channels and checked on the days
/// between: better than any fixed silence where talk is interleaved, not where one subject simply follows
/// another (tests/agents/conversations_test.cpp prints the figures).
struct ConversationPolicy {
  /// A conversation silent for longer than this is closed.
  Duration silence_max = std::chrono::seconds(3600);
  /// At most this many are kept open at a time; the one silent longest is closed first.
  std::size_t open_max = 8;
  double join_min = 1.0;
  /// Somebody spoke in it a moment ago: times 2^-((silence / recency_half)^recency_steepness), so a steep one
  /// is nearly a limit.
  double recency_weight = 1.1;
  Duration recency_half = std::chrono::seconds(491);
  double recency_steepness = 3.61;
  /// It is the one spoken in last.
  double latest_weight = 0.6;
  /// Its last message has the same author; halves every `monologue_half`.
  double monologue_weight = 0.85;
  Duration monologue_half = std::chrono::seconds(1809);
  /// The author took part in it, though not with the last message.
  double took_part_weight = 0.1;
  /// Who wrote the share s of the day's messages is in every conversation, so both of the above are
  /// multiplied by (1 - s)^regulars_discount.
  double regulars_discount = 2;
  /// The message speaks to somebody who took part in it.
  double addresses_weight = 0.54;
  /// Somebody in it spoke to the message's author.
  double addressed_weight = 0.48;
  /// Per unit of log(messages / messages with the word), over the shared words that at most `rare_share_max`
  /// of the day's messages have (or two of them); in all at most `words_weight_max`.
  double word_weight = 0.039;
  double words_weight_max = 0.3;
  double rare_share_max = 0.009;
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
