// Rules, then weighed words.
#include "agents/search/intent.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>

namespace troupe::search {
namespace {

constexpr double kRuleSure = 0.95, kRuleLikely = 0.85, kRuleUnsure = 0.5;
constexpr std::size_t kQueryBytesMax = 4096;

constexpr std::array kAskingWords = {"what",  "how",   "why",  "when",    "who",      "whom",   "whose",
                                     "which", "where", "is",   "are",     "was",      "were",   "can",
                                     "could", "does",  "do",   "did",     "should",   "will",   "would",
                                     "may",   "has",   "have", "explain", "describe", "compare"};
constexpr std::array kGoingPhrases = {"go to ",   "take me to ", "bring me to ", "navigate to ", "open the ",
                                      "link to ", "url of ",     "address of ",  "show me the ", "bring up "};
// Things one goes to. "Where is the expense form?" wants the form, "Where is the fault?" does not.
constexpr std::array kPlaceWords = {"page", "site",   "website",  "form",  "document", "doc",
                                    "file", "folder", "channel",  "link",  "homepage", "dashboard",
                                    "wiki", "portal", "template", "sheet", "slides",   "handbook"};
constexpr std::array kAddressEnds = {".com", ".org", ".net", ".io", ".dev", ".gov", ".edu", ".html", ".php"};

bool is_word_byte(unsigned char c) { return std::isalnum(c) != 0 || c >= 0x80; }

std::string lowered_query(std::string_view query) {
  std::string out(query.substr(0, kQueryBytesMax));
  for (auto& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  auto first = out.find_first_not_of(" \t\r\n"), last = out.find_last_not_of(" \t\r\n");
  return first == std::string::npos ? std::string() : out.substr(first, last - first + 1);
}

std::vector<std::string> plain_words(const std::string& low) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < low.size();) {
    auto begin = i;
    while (i < low.size() && is_word_byte(static_cast<unsigned char>(low[i]))) ++i;
    if (i > begin) out.push_back(low.substr(begin, i - begin));
    if (i == begin) ++i;
  }
  return out;
}

template <class Words>
bool is_one_of(const Words& words, const std::string& word) {
  return std::ranges::any_of(words, [&](const char* each) { return word == each; });
}

bool holds_address(const std::string& low) {
  if (low.starts_with("http://") || low.starts_with("https://") || low.starts_with("www.")) return true;
  return std::ranges::any_of(kAddressEnds, [&](std::string_view end) {
    auto at = low.find(end);
    if (at == std::string::npos || at == 0 || !is_word_byte(static_cast<unsigned char>(low[at - 1])))
      return false;
    return at + end.size() == low.size() || !is_word_byte(static_cast<unsigned char>(low[at + end.size()]));
  });
}

bool asks_for_a_place(const std::vector<std::string>& words) {
  return words.front() == "where" &&
         std::ranges::any_of(words, [](const std::string& word) { return is_one_of(kPlaceWords, word); });
}

Intent by_rule(IntentKind kind, double confidence) { return {kind, confidence, "rule"}; }

}  // namespace

const char* to_string(IntentKind kind) {
  switch (kind) {
    case IntentKind::navigational: return "navigational";
    case IntentKind::informational: return "informational";
    case IntentKind::other: return "other";
  }
  return "other";
}

IntentKind intent_from(std::string_view word, IntentKind otherwise) {
  for (auto kind : {IntentKind::navigational, IntentKind::informational, IntentKind::other})
    if (word == to_string(kind)) return kind;
  return otherwise;
}

std::vector<std::string> intent_features(std::string_view query) {
  auto words = plain_words(lowered_query(query));
  auto is_number = [](const std::string& word) {
    return word.find_first_not_of("0123456789") == std::string::npos;
  };
  std::vector<std::string> out;
  if (std::ranges::any_of(words, is_number)) out.emplace_back("#number");
  out.emplace_back(words.size() == 1 ? "#one" : words.size() == 2 ? "#two" : "#many");
  for (auto& word : words)
    if (word.size() > 3 && word.ends_with('s') && !word.ends_with("ss")) word.pop_back();
  if (std::ranges::any_of(words, is_place_cue)) out.emplace_back("#place");
  if (std::ranges::any_of(words, is_fact_cue)) out.emplace_back("#fact");
  for (auto& word : words)
    if (std::ranges::find(out, word) == out.end()) out.push_back(std::move(word));
  return out;
}

std::array<double, 3> intent_chances(std::string_view query) {
  auto sums = intent_bias();
  auto table = intent_words();
  for (const auto& feature : intent_features(query)) {
    auto it = std::ranges::lower_bound(table, std::string_view(feature), {}, &WordWeights::feature);
    if (it == table.end() || it->feature != feature) continue;
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += it->weights[i];
  }
  auto most = std::ranges::max(sums);
  double all = 0;
  for (auto& sum : sums) all += sum = std::exp(sum - most);
  for (auto& sum : sums) sum /= all;
  return sums;
}

Intent classify_query(std::string_view query, const IntentPolicy& policy) {
  auto low = lowered_query(query);
  auto words = plain_words(low);
  if (words.empty()) return by_rule(IntentKind::other, kRuleUnsure);
  if (holds_address(low) && words.size() <= policy.words_max)
    return by_rule(IntentKind::navigational, kRuleSure);
  if (asks_for_a_place(words)) return by_rule(IntentKind::navigational, kRuleUnsure);
  bool sentence = words.size() >= 3 && is_one_of(kAskingWords, words.front());
  if (sentence || low.ends_with('?')) return by_rule(IntentKind::informational, kRuleSure);
  bool goes = std::ranges::any_of(kGoingPhrases, [&](const char* phrase) { return low.starts_with(phrase); });
  if (goes && words.size() <= policy.words_max) return by_rule(IntentKind::navigational, kRuleLikely);
  if (words.size() > policy.words_max) return by_rule(IntentKind::informational, kRuleLikely);
  auto chances = intent_chances(low);
  auto best = std::ranges::max_element(chances);
  return {static_cast<IntentKind>(best - chances.begin()), *best, "words"};
}

std::string_view without_command(std::string_view query) {
  auto low = lowered_query(query);
  // Blanks before it would shift what is cut off; one_line leaves none.
  for (std::string_view phrase : kGoingPhrases) {
    if (!low.starts_with(phrase) || low.size() != query.size()) continue;
    auto rest = query.substr(phrase.size());
    return rest.size() > 4 && low.substr(phrase.size()).starts_with("the ") ? rest.substr(4) : rest;
  }
  return query;
}

bool is_sure(const Intent& intent, const IntentPolicy& policy) {
  return intent.kind != IntentKind::other && intent.confidence >= policy.sure_min;
}

}  // namespace troupe::search
