#include "runtime/tools/words.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <iterator>
#include <unordered_map>
#include <unordered_set>

namespace troupe::tools {
namespace {

// Ascending, so that they can be searched for. Question words are among them: they say what is asked, not
// about what.
constexpr std::array<std::string_view, 76> kFunctionWords = {
    "a",    "about", "after", "all",   "also", "an",    "and",   "any",  "are",  "as",    "at",
    "be",   "been",  "being", "but",   "by",   "can",   "did",   "do",   "does", "for",   "from",
    "had",  "has",   "have",  "he",    "her",  "his",   "how",   "i",    "if",   "in",    "into",
    "is",   "it",    "its",   "may",   "me",   "more",  "most",  "my",   "no",   "not",   "of",
    "on",   "or",    "s",     "she",   "so",   "such",  "than",  "that", "the",  "their", "them",
    "then", "there", "these", "they",  "this", "those", "to",    "was",  "we",   "were",  "what",
    "when", "where", "which", "while", "who",  "whom",  "whose", "will", "with", "would"};

bool function_word(std::string_view word) { return std::ranges::binary_search(kFunctionWords, word); }

bool word_byte(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || static_cast<unsigned char>(c) >= 0x80;
}

char ascii_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// Is there general punctuation at `at`? It takes three bytes: E2 80 xx or E2 81 xx.
bool punctuation_at(std::string_view text, std::size_t at) {
  return at + 2 < text.size() && text[at] == '\xe2' && (text[at + 1] == '\x80' || text[at + 1] == '\x81');
}

std::uint64_t mixed(std::uint64_t state, std::string_view word) {
  // FNV-1a, with a byte between words that no word holds.
  for (char c : word) state = (state ^ static_cast<unsigned char>(c)) * 1099511628211ull;
  return (state ^ ' ') * 1099511628211ull;
}

}  // namespace

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> out;
  std::string word;
  auto end_word = [&] {
    if (!word.empty()) out.push_back(std::move(word));
    word.clear();
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = ascii_lower(text[i]);
    if (punctuation_at(text, i)) {
      end_word();
      i += 2;
    } else if (word_byte(c)) {
      word += c;
    } else {
      end_word();
    }
  }
  end_word();
  return out;
}

std::vector<std::string> query_words(std::string_view query, std::size_t words_max, std::size_t bytes_max) {
  std::vector<std::string> telling, all;
  std::unordered_set<std::string> seen;
  for (auto& word : words_of(query.substr(0, bytes_max))) {
    if (!seen.insert(word).second) continue;
    if (!function_word(word)) telling.push_back(word);
    all.push_back(std::move(word));
  }
  auto& chosen = telling.empty() ? all : telling;
  if (chosen.size() > words_max) chosen.resize(words_max);
  return std::move(chosen);
}

double repetition(const std::vector<std::string>& words) {
  if (words.empty()) return 0;
  std::unordered_map<std::string_view, std::size_t> counts;
  for (const auto& word : words)
    if (!function_word(word)) ++counts[word];
  // Prose names its subject every thirty words or so.
  const std::size_t usual = 3 + words.size() / 30;
  std::size_t beyond = 0;
  for (const auto& [word, count] : counts) beyond += count > usual ? count - usual : 0;
  return static_cast<double>(beyond) / static_cast<double>(words.size());
}

std::vector<std::uint64_t> shingles(const std::vector<std::string>& words) {
  constexpr std::size_t length = 5;
  std::vector<std::uint64_t> out;
  for (std::size_t i = 0; i + length <= words.size(); ++i) {
    std::uint64_t hash = 14695981039346656037ull;
    for (std::size_t j = 0; j < length; ++j) hash = mixed(hash, words[i + j]);
    out.push_back(hash);
  }
  std::ranges::sort(out);
  auto repeated = std::ranges::unique(out);
  out.erase(repeated.begin(), repeated.end());
  return out;
}

double overlap(const std::vector<std::uint64_t>& a, const std::vector<std::uint64_t>& b) {
  constexpr std::size_t least = 4;
  auto smaller = std::min(a.size(), b.size());
  if (smaller < least) return 0;
  std::vector<std::uint64_t> shared;
  std::ranges::set_intersection(a, b, std::back_inserter(shared));
  return static_cast<double>(shared.size()) / static_cast<double>(smaller);
}

}  // namespace troupe::tools
