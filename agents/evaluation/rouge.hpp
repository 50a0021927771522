// ROUGE: how many words, word pairs and word sequences a text shares with a reference.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::evaluation {

/// Shares in [0, 1]; all 0 when either side is empty.
struct RougeScore {
  double precision = 0;
  double recall = 0;
  /// Harmonic mean of both.
  double f1 = 0;
};

/// Lower-case runs of ASCII letters and digits, everything else parts them; with `stem` those longer than
/// three letters are Porter stems. The tokenisation of the rouge-score package.
std::vector<std::string> rouge_tokens(std::string_view text, bool stem);

/// Shared n-grams, each counted as often as both sides have it (Lin 2004). `n` from 1.
RougeScore rouge_n(std::string_view reference, std::string_view candidate, std::size_t n, bool stem = false);

/// The longest common subsequence of both texts as one sequence each.
RougeScore rouge_l(std::string_view reference, std::string_view candidate, bool stem = false);

/// Line by line: the union of each reference line's subsequences with all candidate lines, no word counted
/// more often than either side has it. The variant papers mean by "ROUGE-L" of whole summaries; the
/// rouge-score package calls it rougeLsum.
RougeScore rouge_lsum(std::string_view reference, std::string_view candidate, bool stem = false);

}  // namespace troupe::evaluation
