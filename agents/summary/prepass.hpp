// The extractive pre-pass: from a transcript no model can read to one it can, without asking any (K6).
#pragma once

#include "agents/summary/window.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::summary {

struct PrepassPolicy {
  /// How the sentences that stay are chosen. The baselines are there to be compared with.
  enum class Choice { central, lead, random };
  Choice choice = Choice::central;
  std::size_t tokens_max = 48'000;
  /// What a line costs beside its text.
  std::size_t line_tokens = 12;
  /// This share of the budget goes to the stretches of the transcript alike, so that its end is not lost to
  /// its beginning; the rest goes where most is said.
  double spread_share = 0.5;
  std::size_t stretches = 12;
  /// For `random`.
  std::uint64_t seed = 1;
};

/// A line that stays, whole or in part.
struct KeptLine {
  std::size_t line = 0;
  /// Its kept sentences, " … " where some between were left out.
  std::string text;
};

struct Prepass {
  /// In the order of the transcript.
  std::vector<KeptLine> kept;
  std::size_t tokens_before = 0, tokens = 0;
  /// The share of the transcript's words, weighed by how telling they are, that still occur: 1 when nothing
  /// was cut. What a pre-pass can know of its own loss.
  double coverage = 1;
};

/// By estimate, at most `tokens_max` of the lines' sentences stay. A sentence's worth is its rank (Salience,
/// drawn toward `query`) times the share of its words' weight that is not said yet, per token to the power of
/// 0.5; the best goes first. It falls with every sentence taken, so a lazy heap finds the same as looking at
/// all again. A transcript within the budget is given back whole. Deterministic; pure; time grows with the
/// words times the logarithm of the sentences.
Prepass prepass(std::span<const Line> lines, std::string_view query, const PrepassPolicy& policy);

/// The sentences of a text, white space at their ends included: joined they are the text. At most 4,000;
/// what is beyond is the last one's.
std::vector<std::string_view> sentences_in(std::string_view text);

/// The estimated tokens a line costs in a prompt.
std::size_t line_cost(const Line& line, std::size_t line_tokens = 12);

}  // namespace troupe::summary
