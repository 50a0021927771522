// What a text looks like as words: the words of a query, how repetitive it is, and how much two texts share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::tools {

/// Runs of letters, digits and bytes above ASCII, in ASCII lower case. General punctuation (U+2000 to U+206F)
/// parts words as spaces do.
std::vector<std::string> words_of(std::string_view text);

/// What to look up for a query: its different words without English function words (all of them when there is
/// nothing else), the first `words_max` of the first `bytes_max` bytes.
std::vector<std::string> query_words(std::string_view query, std::size_t words_max, std::size_t bytes_max);

/// The share of a text's words that repeat one that is no function word beyond what prose of that length
/// does, 0 to 1: nearly all prose stays below 0.08, lists of keywords reach 0.3 and more (M8).
double repetition(const std::vector<std::string>& words);

/// Hashes of each five consecutive words, sorted, each once (Broder 1997).
std::vector<std::uint64_t> shingles(const std::vector<std::string>& words);
/// The share of the smaller set that is in the other, 0 to 1; 0 when either has fewer than four.
double overlap(const std::vector<std::uint64_t>& a, const std::vector<std::uint64_t>& b);

}  // namespace troupe::tools
