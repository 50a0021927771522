// Counting n-grams, and the dynamic programme of the longest common subsequence.
#include "agents/evaluation/rouge.hpp"

#include "agents/evaluation/porter.hpp"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <map>
#include <set>
#include <span>

namespace troupe::evaluation {
namespace {

using Tokens = std::vector<std::string>;

RougeScore score_of(double hits, double reference, double candidate) {
  RougeScore out;
  if (reference <= 0 || candidate <= 0) return out;
  out.recall = hits / reference;
  out.precision = hits / candidate;
  if (hits > 0) out.f1 = 2 * out.precision * out.recall / (out.precision + out.recall);
  return out;
}

std::map<Tokens, std::size_t> count_grams(const Tokens& tokens, std::size_t n) {
  std::map<Tokens, std::size_t> out;
  for (std::size_t i = 0; i + n <= tokens.size(); ++i) {
    auto first = tokens.begin() + static_cast<std::ptrdiff_t>(i);
    ++out[Tokens(first, first + static_cast<std::ptrdiff_t>(n))];
  }
  return out;
}

// table[i][j]: the length for the first i of `a` and the first j of `b`.
std::vector<std::vector<std::uint32_t>> lcs_table(const Tokens& a, const Tokens& b) {
  std::vector<std::vector<std::uint32_t>> table(a.size() + 1, std::vector<std::uint32_t>(b.size() + 1, 0));
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      table[i][j] =
          a[i - 1] == b[j - 1] ? table[i - 1][j - 1] + 1 : std::max(table[i - 1][j], table[i][j - 1]);
    }
  }
  return table;
}

// Two rows are enough for the length alone, which whole meetings need.
std::size_t lcs_length(const Tokens& a, const Tokens& b) {
  std::vector<std::uint32_t> row(b.size() + 1, 0), before(b.size() + 1, 0);
  for (const auto& token : a) {
    std::swap(row, before);
    for (std::size_t j = 1; j <= b.size(); ++j)
      row[j] = token == b[j - 1] ? before[j - 1] + 1 : std::max(before[j], row[j - 1]);
  }
  return row.back();
}

// The places in `a` of one longest common subsequence. Of equally long ones it takes the earliest in `a`, as
// rouge-score does: the union over sentences depends on it.
void add_lcs_places(const Tokens& a, const Tokens& b, std::set<std::size_t>& places) {
  auto table = lcs_table(a, b);
  auto i = a.size();
  auto j = b.size();
  while (i > 0 && j > 0) {
    if (a[i - 1] == b[j - 1]) {
      places.insert(i - 1);
      --i;
      --j;
    } else if (table[i][j - 1] > table[i - 1][j]) {
      --j;
    } else {
      --i;
    }
  }
}

std::vector<Tokens> lines_of(std::string_view text, bool stem) {
  std::vector<Tokens> out;
  while (!text.empty()) {
    auto end = text.find('\n');
    auto tokens = rouge_tokens(text.substr(0, end), stem);
    if (!tokens.empty()) out.push_back(std::move(tokens));
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  }
  return out;
}

struct WordCounts {
  std::map<std::string, std::size_t> left;
  std::size_t total = 0;
};

WordCounts count_words(const std::vector<Tokens>& lines) {
  WordCounts out;
  for (const auto& line : lines) {
    out.total += line.size();
    for (const auto& token : line) ++out.left[token];
  }
  return out;
}

}  // namespace

std::vector<std::string> rouge_tokens(std::string_view text, bool stem) {
  std::vector<std::string> out;
  std::string word;
  auto flush = [&] {
    if (!word.empty()) out.push_back(stem && word.size() > 3 ? porter_stem(word) : word);
    word.clear();
  };
  for (unsigned char c : text) {
    if (c < 0x80 && std::isalnum(c)) {
      word += static_cast<char>(std::tolower(c));
    } else {
      flush();
    }
  }
  flush();
  return out;
}

RougeScore rouge_n(std::string_view reference, std::string_view candidate, std::size_t n, bool stem) {
  auto wanted = rouge_tokens(reference, stem);
  auto given = rouge_tokens(candidate, stem);
  if (n == 0 || wanted.size() < n || given.size() < n) return {};
  auto known = count_grams(wanted, n);
  double hits = 0;
  for (const auto& [gram, count] : count_grams(given, n)) {
    if (auto it = known.find(gram); it != known.end())
      hits += static_cast<double>(std::min(count, it->second));
  }
  return score_of(hits, static_cast<double>(wanted.size() - n + 1),
                  static_cast<double>(given.size() - n + 1));
}

RougeScore rouge_l(std::string_view reference, std::string_view candidate, bool stem) {
  auto wanted = rouge_tokens(reference, stem);
  auto given = rouge_tokens(candidate, stem);
  return score_of(static_cast<double>(lcs_length(wanted, given)), static_cast<double>(wanted.size()),
                  static_cast<double>(given.size()));
}

RougeScore rouge_lsum(std::string_view reference, std::string_view candidate, bool stem) {
  auto wanted = lines_of(reference, stem);
  auto given = lines_of(candidate, stem);
  auto wanted_words = count_words(wanted);
  auto given_words = count_words(given);
  double hits = 0;
  for (const auto& line : wanted) {
    std::set<std::size_t> places;
    for (const auto& other : given) add_lcs_places(line, other, places);
    for (auto place : places) {
      auto& here = wanted_words.left[line[place]];
      auto& there = given_words.left[line[place]];
      if (here == 0 || there == 0) continue;
      --here;
      --there;
      ++hits;
    }
  }
  return score_of(hits, static_cast<double>(wanted_words.total), static_cast<double>(given_words.total));
}

}  // namespace troupe::evaluation
