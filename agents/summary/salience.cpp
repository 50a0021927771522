// The vectors, and the power method through the words.
#include "agents/summary/salience.hpp"

#include "agents/recap/words.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <unordered_map>
#include <unordered_set>

namespace troupe::summary {
namespace {

constexpr double kWalkDamping = 0.85;
constexpr double kQueryPull = 20;
constexpr int kWalkSteps = 30;
constexpr double kWalkDone = 1e-7;

constexpr std::array kCommonWords = {
    "the",   "and",    "that",   "this",     "with",    "for",        "you",        "have",    "are",
    "was",   "but",    "not",    "they",     "what",    "would",      "will",       "can",     "from",
    "there", "just",   "like",   "your",     "all",     "one",        "about",      "them",    "then",
    "when",  "which",  "some",   "could",    "because", "also",       "more",       "than",    "very",
    "well",  "yeah",   "okay",   "right",    "mean",    "know",       "think",      "gonna",   "want",
    "it's",  "that's", "don't",  "i'm",      "we're",   "you're",     "didn't",     "doesn't", "can't",
    "thing", "things", "really", "actually", "kind",    "sort",       "maybe",      "how",     "who",
    "our",   "out",    "get",    "got",      "going",   "has",        "had",        "his",     "her",
    "she",   "him",    "were",   "been",     "being",   "into",       "over",       "only",    "other",
    "these", "those",  "where",  "why",      "any",     "did",        "does",       "doing",   "say",
    "said",  "see",    "look",   "let",      "much",    "many",       "make",       "way",     "yes",
    "now",   "here",   "still",  "even",     "too",     "quite",      "bit",        "lot",     "sure",
    "thank", "thanks", "hmm",    "mmm",      "uhm",     "vocalsound", "disfmarker", "pause",   "laugh",
    "their", "should", "its",    "able"};

bool is_common(const std::string& word) {
  static const std::unordered_set<std::string_view> common(kCommonWords.begin(), kCommonWords.end());
  return common.contains(word);
}

bool is_letter(unsigned char c) {
  return c >= 0x80 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

void to_unit(Salience::Vector& vector) {
  double square = 0;
  for (const auto& [word, weight] : vector) square += weight * weight;
  if (square <= 0) return;
  for (auto& [word, weight] : vector) weight /= std::sqrt(square);
}

double dot(const Salience::Vector& vector, const std::vector<double>& dense) {
  double sum = 0;
  for (const auto& [word, weight] : vector) sum += weight * dense[word];
  return sum;
}

// What the walk falls back to: everybody alike, and more to what is like the query.
std::vector<double> pulls(const std::vector<Salience::Vector>& vectors, const std::vector<double>& wanted,
                          double square) {
  auto scale = square > 0 ? kQueryPull / std::sqrt(square) : 0;
  std::vector<double> out;
  for (const auto& vector : vectors) out.push_back(1 + scale * dot(vector, wanted));
  return out;
}

std::vector<double> through_words(const std::vector<Salience::Vector>& vectors, std::size_t words,
                                  const std::vector<double>& mass) {
  std::vector<double> out(words, 0.0);
  for (std::size_t i = 0; i < vectors.size(); ++i)
    for (const auto& [word, weight] : vectors[i]) out[word] += weight * mass[i];
  return out;
}

}  // namespace

std::vector<std::string> meaning_words(std::string_view text) {
  std::vector<std::string> out;
  std::string word;
  auto flush = [&] {
    while (!word.empty() && (word.back() == '\'' || word.back() == '-')) word.pop_back();
    bool link = word == "http" || word == "https" || word == "www";
    if (word.size() >= 3 && !link && !is_common(word)) out.push_back(word);
    word.clear();
  };
  for (unsigned char c : text) {
    bool inside = is_letter(c) || (!word.empty() && (c == '\'' || c == '-' || (c >= '0' && c <= '9')));
    if (!inside) {
      flush();
      continue;
    }
    word += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  }
  flush();
  return out;
}

Salience::Salience(const std::vector<std::vector<std::string>>& pieces,
                   const std::vector<std::string>& query) {
  std::unordered_map<std::string_view, std::uint32_t> numbers;
  std::vector<std::map<std::uint32_t, int>> counts(pieces.size());
  std::vector<double> pieces_with;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    for (const auto& word : pieces[i]) {
      auto number = numbers.try_emplace(word, static_cast<std::uint32_t>(numbers.size())).first->second;
      if (number == pieces_with.size()) pieces_with.push_back(0);
      if (++counts[i][number] == 1) ++pieces_with[number];
    }
  }
  words_ = numbers.size();
  auto rarity = [&](std::uint32_t word) {
    return std::log(1 + static_cast<double>(pieces.size()) / pieces_with[word]);
  };
  vectors_.resize(pieces.size());
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    for (auto [word, count] : counts[i]) vectors_[i].emplace_back(word, (1 + std::log(count)) * rarity(word));
    to_unit(vectors_[i]);
  }
  std::vector<double> wanted(words_, 0.0);
  double square = 0;
  for (const auto& word : std::set<std::string>(query.begin(), query.end())) {
    auto it = numbers.find(word);
    if (it == numbers.end()) continue;
    wanted[it->second] = rarity(it->second);
    square += rarity(it->second) * rarity(it->second);
  }
  walk(pulls(vectors_, wanted, square));
}

void Salience::walk(const std::vector<double>& toward) {
  auto n = vectors_.size();
  rank_.assign(n, 1.0);
  if (n == 0) return;
  auto total = std::accumulate(toward.begin(), toward.end(), 0.0);
  // What leaves a piece: its cosine with all others, itself (1) left out.
  auto sums = through_words(vectors_, words_, std::vector<double>(n, 1.0));
  std::vector<double> degree(n);
  for (std::size_t i = 0; i < n; ++i) degree[i] = std::max(0.0, dot(vectors_[i], sums) - 1);
  for (int step = 0; step < kWalkSteps; ++step) {
    std::vector<double> share(n, 0.0);
    for (std::size_t i = 0; i < n; ++i) share[i] = degree[i] > 1e-9 ? rank_[i] / degree[i] : 0;
    auto mass = through_words(vectors_, words_, share);
    double change = 0;
    for (std::size_t i = 0; i < n; ++i) {
      auto own = vectors_[i].empty() ? 0 : share[i];
      auto next = kWalkDamping * std::max(0.0, dot(vectors_[i], mass) - own) +
                  (1 - kWalkDamping) * toward[i] / total * static_cast<double>(n);
      change = std::max(change, std::abs(next - rank_[i]));
      rank_[i] = next;
    }
    if (change < kWalkDone) break;
  }
}

}  // namespace troupe::summary
