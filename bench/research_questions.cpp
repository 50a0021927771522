// Reading, scoring, resampling.
#include "bench/research_questions.hpp"

#include "runtime/base/rng.hpp"
#include "runtime/json/json.hpp"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <map>
#include <numeric>
#include <sstream>

namespace troupe::bench {
namespace {

std::vector<std::string> answer_words(const std::string& text) {
  std::string plain;
  for (unsigned char c : text) {
    if (std::ispunct(c)) continue;
    plain += static_cast<char>(std::tolower(c));
  }
  std::vector<std::string> out;
  std::istringstream words(plain);
  for (std::string word; words >> word;)
    if (word != "a" && word != "an" && word != "the") out.push_back(word);
  return out;
}

double f1(const std::vector<std::string>& mine, const std::vector<std::string>& right) {
  if (mine.empty() || right.empty()) return mine == right ? 1 : 0;
  std::map<std::string, int> left;
  for (const auto& word : right) ++left[word];
  double shared = 0;
  for (const auto& word : mine) shared += left[word]-- > 0 ? 1 : 0;
  if (shared == 0) return 0;
  auto precision = shared / static_cast<double>(mine.size()),
       recall = shared / static_cast<double>(right.size());
  return 2 * precision * recall / (precision + recall);
}

std::vector<std::string> strings_at(const Json& json, const char* key) {
  std::vector<std::string> out;
  if (const auto* list = find(json, key))
    for (const auto& item : *list) out.push_back(item.get<std::string>());
  return out;
}

}  // namespace

std::vector<KnownQuestion> read_questions(const std::string& path) {
  std::vector<KnownQuestion> out;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    auto json = parse_json(line);
    if (!json) continue;
    out.push_back({get_string(*json, "id"), get_string(*json, "source"), get_string(*json, "question"),
                   strings_at(*json, "answers"), strings_at(*json, "gold_titles")});
  }
  return out;
}

bool exact_match(const std::string& answer, const std::vector<std::string>& right) {
  auto mine = answer_words(answer);
  return std::ranges::any_of(right, [&](const std::string& one) { return answer_words(one) == mine; });
}

double answer_f1(const std::string& answer, const std::vector<std::string>& right) {
  double best = 0;
  for (const auto& one : right) best = std::max(best, f1(answer_words(answer), answer_words(one)));
  return best;
}

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (auto value : values) sum += value;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

MeanDifference paired_bootstrap(const std::vector<double>& a, const std::vector<double>& b) {
  constexpr std::size_t resamplings = 4000;
  auto n = std::min(a.size(), b.size());
  MeanDifference out;
  if (n == 0) return out;
  for (std::size_t i = 0; i < n; ++i) out.mean += (b[i] - a[i]) / static_cast<double>(n);
  Rng rng(20261123);
  std::vector<double> means(resamplings);
  for (auto& mean : means) {
    for (std::size_t i = 0; i < n; ++i) {
      auto which = rng.below(n);
      mean += (b[which] - a[which]) / static_cast<double>(n);
    }
  }
  std::ranges::sort(means);
  out.low = means[resamplings / 40];
  out.high = means[resamplings - 1 - resamplings / 40];
  return out;
}

}  // namespace troupe::bench
