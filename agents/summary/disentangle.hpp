// Which line answers which, where several conversations run through one channel (MECHANISMS K5).
#pragma once

#include "agents/summary/window.hpp"

#include <troupe/time.hpp>

#include <cstddef>
#include <span>
#include <vector>

namespace troupe::summary {

/// How strongly the signs of "this answers that" count. A line is linked to the earlier line with the highest
/// sum if that reaches `join_min`; else it begins a conversation. Half-lives are of lines between, or of
/// time.
/// The weights were found by random search on two of the four annotated logs of irc_disentanglement and
/// checked on the other two; `quiet_weight` and `silence_max` were set by hand (docs/SUMMARY.md has the
/// figures).
struct DisentanglePolicy {
  /// How many earlier lines are looked at: what keeps the work linear.
  std::size_t reach = 80;
  /// Nothing older is answered unless a line says so itself.
  Duration silence_max = std::chrono::hours(1);
  double join_min = 1.0;
  double near_weight = 0.4;
  double near_half_lines = 4.4;
  double fresh_weight = 0.51;
  Duration fresh_half = std::chrono::seconds(180);
  /// Where little is said, what is said follows what was said: times 2^-(lines of the last `quiet_window` /
  /// quiet_half_lines), for the line just before.
  double quiet_weight = 1.0;
  double quiet_half_lines = 6;
  Duration quiet_window = std::chrono::seconds(300);
  /// Both have the same author, who goes on.
  double same_weight = 1.23;
  /// This line speaks to that one's author.
  double addresses_weight = 4.6;
  /// That line speaks to this one's author.
  double addressed_weight = 1.27;
  /// One of the two speaks to somebody else, and the other is not that one.
  double elsewhere_weight = 0.67;
  /// That line asks something, and another answers.
  double question_weight = 0.07;
  /// This line asks and speaks to nobody: beginnings look like that. Added to join_min.
  double opening_weight = 0.4;
  /// Its author has not spoken within reach. Added to join_min.
  double newcomer_weight = 0.07;
  /// Per shared word, times log(lines / lines with it) / log(lines); in all at most words_max.
  double word_weight = 0.057;
  double words_max = 0.43;
};

struct Disentangled {
  /// By line: the line it answers; itself when it begins a conversation. Never a later one.
  std::vector<std::size_t> parent;
  /// By line: its conversation, numbered from 0 by first line.
  std::vector<std::size_t> conversation;
  std::size_t conversations = 0;
};

/// Threads and replies are taken as the source says them; other lines are linked by the signs above. Names
/// are those of the window's speakers. Lines without a time count as spoken at the time of the line before.
/// Pure, deterministic; time grows with lines times `reach`, memory with the text.
Disentangled disentangle(std::span<const Line> lines, const DisentanglePolicy& policy = {});

/// The lines conversation by conversation, in the order of their beginnings: what a reader, or a model, can
/// follow.
std::vector<std::size_t> by_conversation(const Disentangled& found);

}  // namespace troupe::summary
