// Lexical rules: what words a text holds, where its sentences are, and how far one text bears out another.
#pragma once

#include "agents/text/one_line.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::research {

/// Lower-case words without English stop words and plural endings, in order, repeats kept. Bytes above ASCII
/// count as letters. Numbers are words of any length ("7", "1,500" as "1500"). Pure, as all here.
std::vector<std::string> telling_words(std::string_view text);
/// The same, each once and sorted: what is compared.
std::vector<std::string> word_set(std::string_view text);

/// Capitalised words and numbers that do not merely begin a sentence, lower-case, sorted, each once: what
/// makes one statement differ from another of the same words.
std::vector<std::string> names_and_numbers(std::string_view text);

struct Stretch {
  std::size_t start = 0, end = 0;
  friend bool operator==(const Stretch&, const Stretch&) = default;
};
/// The sentences of a text, blanks around them left out; a line's end ends one too. Abbreviations of one or
/// two letters ("J.", "St.") and common titles end none.
std::vector<Stretch> sentences_of(std::string_view text);

/// How far `source` bears out `claim`: the share of the claim's telling words it holds, and 0 when it lacks
/// one of the claim's numbers or names. A lexical check: it finds what is not there, not what is said of it.
double support(std::string_view claim, std::string_view source);
/// The same share without the rule on names and numbers.
double coverage(std::string_view claim, std::string_view source);

/// Jaccard similarity of the telling words and their pairs ("shingles" of two), in [0, 1].
double shingle_similarity(std::string_view a, std::string_view b);

/// Where `quote` stands in `text`, blanks counting as equal however many; an empty stretch when it does not.
Stretch find_quote(std::string_view text, std::string_view quote);

using text::one_line;

}  // namespace troupe::research
