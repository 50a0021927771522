// One tokeniser, and comparisons of what it gives.
#include "agents/research/words.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <set>
#include <unordered_set>

namespace troupe::research {
namespace {

constexpr std::array kCommonWords = {
    "the",   "a",      "an",   "and",   "or",    "of",    "in",    "on",    "at",   "to",    "for",
    "from",  "by",     "with", "as",    "is",    "are",   "was",   "were",  "be",   "been",  "being",
    "it",    "its",    "this", "that",  "these", "those", "which", "who",   "whom", "whose", "what",
    "when",  "where",  "why",  "how",   "did",   "do",    "does",  "has",   "have", "had",   "he",
    "she",   "they",   "his",  "her",   "their", "them",  "i",     "you",   "we",   "not",   "but",
    "if",    "than",   "then", "so",    "such",  "into",  "also",  "there", "can",  "will",  "would",
    "could", "should", "may",  "might", "about", "after", "s",     "t"};
constexpr std::array kTitles = {"mr", "mrs", "ms",   "dr",  "st",  "jr",  "sr",
                                "vs", "no",  "prof", "gen", "col", "inc", "etc"};

bool is_common(const std::string& word) {
  static const std::unordered_set<std::string_view> words(kCommonWords.begin(), kCommonWords.end());
  return words.contains(word);
}

bool is_letter(unsigned char c) { return std::isalnum(c) != 0 || c >= 0x80; }

struct RawWord {
  std::string lower;
  Stretch at;
  bool capital = false, number = false;
};

// "1,500" is one word, and so is "o'clock".
bool joins_word(std::string_view text, std::size_t i) {
  if (i == 0 || i + 1 >= text.size()) return false;
  auto before = static_cast<unsigned char>(text[i - 1]), after = static_cast<unsigned char>(text[i + 1]);
  if (text[i] == '\'') return is_letter(before) && is_letter(after);
  return (text[i] == ',' || text[i] == '.') && std::isdigit(before) && std::isdigit(after);
}

std::vector<RawWord> raw_words(std::string_view text) {
  std::vector<RawWord> out;
  for (std::size_t i = 0; i < text.size();) {
    if (!is_letter(static_cast<unsigned char>(text[i]))) {
      ++i;
      continue;
    }
    RawWord word;
    word.at.start = i;
    word.capital = std::isupper(static_cast<unsigned char>(text[i])) != 0;
    word.number = std::isdigit(static_cast<unsigned char>(text[i])) != 0;
    for (; i < text.size() && (is_letter(static_cast<unsigned char>(text[i])) || joins_word(text, i)); ++i) {
      auto c = static_cast<unsigned char>(text[i]);
      if (c != ',' && c != '\'') word.lower += static_cast<char>(std::tolower(c));
      if (c == '\'') word.lower += '\'';
    }
    word.at.end = i;
    out.push_back(std::move(word));
  }
  return out;
}

// Plural and possessive endings only: enough that "films" meets "film".
std::string stem(std::string word) {
  if (word.ends_with("'s")) word.resize(word.size() - 2);
  std::erase(word, '\'');
  bool plural = word.size() > 3 && word.back() == 's' && !word.ends_with("ss") && !word.ends_with("us") &&
                !word.ends_with("is") && std::isalpha(static_cast<unsigned char>(word[word.size() - 2]));
  if (plural) word.pop_back();
  return word;
}

bool begins_sentence(std::string_view text, std::size_t at) {
  while (at > 0) {
    auto c = text[--at];
    if (c == '.' || c == '!' || c == '?' || c == '\n') return true;
    if (is_letter(static_cast<unsigned char>(c)) || c == ',' || c == ';') return false;
  }
  return true;
}

bool ends_sentence(std::string_view text, std::size_t i) {
  char c = text[i];
  if (c == '\n') return true;
  if (c != '.' && c != '!' && c != '?') return false;
  bool last = i + 1 == text.size();
  if (!last && !std::isspace(static_cast<unsigned char>(text[i + 1]))) return false;
  if (c != '.' || last) return true;
  auto begin = i;
  while (begin > 0 && is_letter(static_cast<unsigned char>(text[begin - 1]))) --begin;
  auto word = text.substr(begin, i - begin);
  if (word.size() <= 1 && !word.empty() && std::isupper(static_cast<unsigned char>(word[0]))) return false;
  std::string lower(word);
  for (auto& letter : lower) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  return std::ranges::none_of(kTitles, [&](const char* title) { return lower == title; });
}

bool is_blank(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

void add_trimmed(std::string_view text, Stretch part, std::vector<Stretch>& out) {
  while (part.start < part.end && is_blank(text[part.start])) ++part.start;
  while (part.end > part.start && is_blank(text[part.end - 1])) --part.end;
  if (part.start < part.end) out.push_back(part);
}

std::vector<std::string> sorted_set(std::vector<std::string> words) {
  std::ranges::sort(words);
  auto rest = std::ranges::unique(words);
  words.erase(rest.begin(), rest.end());
  return words;
}

std::set<std::string> shingles(std::string_view text) {
  auto words = telling_words(text);
  std::set<std::string> out(words.begin(), words.end());
  for (std::size_t i = 1; i < words.size(); ++i) out.insert(words[i - 1] + " " + words[i]);
  return out;
}

}  // namespace

std::vector<std::string> telling_words(std::string_view text) {
  std::vector<std::string> out;
  for (auto& word : raw_words(text)) {
    if (is_common(word.lower)) continue;
    auto stemmed = stem(std::move(word.lower));
    if (!stemmed.empty() && !is_common(stemmed)) out.push_back(std::move(stemmed));
  }
  return out;
}

std::vector<std::string> word_set(std::string_view text) { return sorted_set(telling_words(text)); }

std::vector<std::string> names_and_numbers(std::string_view text) {
  std::vector<std::string> out;
  for (auto& word : raw_words(text)) {
    bool name = word.capital && !begins_sentence(text, word.at.start);
    if ((name || word.number) && !is_common(word.lower)) out.push_back(stem(std::move(word.lower)));
  }
  return sorted_set(std::move(out));
}

std::vector<Stretch> sentences_of(std::string_view text) {
  std::vector<Stretch> out;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!ends_sentence(text, i)) continue;
    add_trimmed(text, {begin, i + 1}, out);
    begin = i + 1;
  }
  add_trimmed(text, {begin, text.size()}, out);
  return out;
}

double coverage(std::string_view claim, std::string_view source) {
  auto wanted = word_set(claim);
  if (wanted.empty()) return 0;
  auto there = word_set(source);
  auto held = std::ranges::count_if(
      wanted, [&](const std::string& word) { return std::ranges::binary_search(there, word); });
  return static_cast<double>(held) / static_cast<double>(wanted.size());
}

double support(std::string_view claim, std::string_view source) {
  auto there = word_set(source);
  for (const auto& name : names_and_numbers(claim)) {
    if (!std::ranges::binary_search(there, name)) return 0;
  }
  return coverage(claim, source);
}

double shingle_similarity(std::string_view a, std::string_view b) {
  auto left = shingles(a), right = shingles(b);
  if (left.empty() || right.empty()) return 0;
  auto shared = std::ranges::count_if(left, [&](const std::string& one) { return right.contains(one); });
  auto all = left.size() + right.size() - static_cast<std::size_t>(shared);
  return static_cast<double>(shared) / static_cast<double>(all);
}

Stretch find_quote(std::string_view text, std::string_view quote) {
  while (!quote.empty() && is_blank(quote.front())) quote.remove_prefix(1);
  while (!quote.empty() && is_blank(quote.back())) quote.remove_suffix(1);
  if (quote.empty()) return {};
  for (std::size_t start = 0; start < text.size(); ++start) {
    if (text[start] != quote.front()) continue;
    std::size_t i = start, j = 0;
    while (i < text.size() && j < quote.size()) {
      if (is_blank(text[i]) && is_blank(quote[j])) {
        while (i < text.size() && is_blank(text[i])) ++i;
        while (j < quote.size() && is_blank(quote[j])) ++j;
      } else if (text[i] == quote[j]) {
        ++i;
        ++j;
      } else {
        break;
      }
    }
    if (j == quote.size()) return {start, i};
  }
  return {};
}

}  // namespace troupe::research
