// Choosing sentences by worth under a budget.
#include "agents/summary/prepass.hpp"

#include "agents/recap/chunk.hpp"
#include "agents/summary/salience.hpp"
#include "runtime/base/rng.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <queue>

namespace troupe::summary {
namespace {

constexpr std::size_t kSentencesMax = 4000;
// A sentence of three words says little however central they are.
constexpr double kWordsOfSubstance = 6;
// The " … " between two sentences of a line, or the "… " before its first.
constexpr std::size_t kGapTokens = 2;

struct Sentence {
  std::size_t line = 0;
  /// Position among the sentences of its line.
  std::size_t place = 0;
  std::string_view text;
  std::size_t tokens = 0;
};

std::vector<Sentence> all_sentences(std::span<const Line> lines) {
  std::vector<Sentence> out;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::size_t place = 0;
    for (auto text : sentences_in(lines[i].text))
      out.push_back({i, place++, text, recap::estimate_tokens(text)});
  }
  return out;
}

class Choosing {
 public:
  Choosing(std::span<const Line> lines, std::string_view query, const PrepassPolicy& policy)
      : policy_(policy),
        sentences_(all_sentences(lines)),
        words_(words_of(sentences_)),
        salience_(words_, meaning_words(query)),
        line_open_(lines.size(), false),
        taken_(sentences_.size(), false),
        said_(salience_.words(), false) {
    for (const auto& sentence : sentences_) tokens_all_ += sentence.tokens;
  }

  std::vector<bool> choose() {
    if (policy_.choice == PrepassPolicy::Choice::central) {
      take_spread();
      auto all = std::vector<std::size_t>(sentences_.size());
      std::iota(all.begin(), all.end(), 0u);
      take_best(all, policy_.tokens_max);
    } else {
      take_in(baseline_order());
    }
    return taken_;
  }

  const std::vector<Sentence>& sentences() const { return sentences_; }
  std::size_t tokens() const { return tokens_; }

  double coverage() const {
    std::vector<bool> kept(salience_.words(), false);
    for (std::size_t i = 0; i < sentences_.size(); ++i)
      for (const auto& [word, weight] : salience_.vector(i)) kept[word] = kept[word] || taken_[i];
    double all = 0, still = 0;
    for (std::size_t i = 0; i < sentences_.size(); ++i) {
      for (const auto& [word, weight] : salience_.vector(i)) {
        all += weight;
        still += kept[word] ? weight : 0;
      }
    }
    return all > 0 ? still / all : 1;
  }

 private:
  static std::vector<std::vector<std::string>> words_of(const std::vector<Sentence>& sentences) {
    std::vector<std::vector<std::string>> out;
    for (const auto& sentence : sentences) out.push_back(meaning_words(sentence.text));
    return out;
  }

  std::size_t cost_of(std::size_t i) const {
    auto opening = line_open_[sentences_[i].line] ? 0 : policy_.line_tokens;
    return sentences_[i].tokens + kGapTokens + opening;
  }

  void take(std::size_t i) {
    tokens_ += cost_of(i);
    taken_[i] = true;
    line_open_[sentences_[i].line] = true;
    for (const auto& [word, weight] : salience_.vector(i)) said_[word] = true;
  }

  double worth(std::size_t i) const {
    double all = 0, fresh = 0;
    for (const auto& [word, weight] : salience_.vector(i)) {
      all += weight * weight;
      fresh += said_[word] ? 0 : weight * weight;
    }
    if (all <= 0) return 0;
    auto substance = std::min(1.0, static_cast<double>(words_[i].size()) / kWordsOfSubstance);
    // What repeats others entirely keeps a little: it may be the better wording.
    auto novelty = 0.1 + 0.9 * fresh / all;
    return salience_.rank()[i] * substance * novelty / std::sqrt(static_cast<double>(sentences_[i].tokens));
  }

  // Worth only falls while sentences are taken, so one that is still the best after a new look is the best.
  void take_best(const std::vector<std::size_t>& among, std::size_t tokens_max) {
    using Entry = std::pair<double, std::size_t>;
    auto later = [](const Entry& a, const Entry& b) {
      return a.first != b.first ? a.first < b.first : a.second > b.second;
    };
    std::priority_queue<Entry, std::vector<Entry>, decltype(later)> heap(later);
    for (auto i : among)
      if (!taken_[i]) heap.emplace(worth(i), i);
    while (!heap.empty()) {
      auto [known, i] = heap.top();
      heap.pop();
      if (known <= 0) return;
      if (tokens_ + cost_of(i) > tokens_max) continue;
      auto now = worth(i);
      if (now < known) {
        heap.emplace(now, i);
      } else {
        take(i);
      }
    }
  }

  void take_spread() {
    auto budget = policy_.spread_share * static_cast<double>(policy_.tokens_max);
    auto stretches = std::max<std::size_t>(1, policy_.stretches);
    std::vector<std::vector<std::size_t>> members(stretches);
    std::size_t before = 0;
    for (std::size_t i = 0; i < sentences_.size(); ++i) {
      members[std::min(stretches - 1, before * stretches / std::max<std::size_t>(1, tokens_all_))].push_back(
          i);
      before += sentences_[i].tokens;
    }
    for (std::size_t s = 0; s < stretches; ++s) {
      auto until = budget * static_cast<double>(s + 1) / static_cast<double>(stretches);
      take_best(members[s], static_cast<std::size_t>(until));
    }
  }

  std::vector<std::size_t> baseline_order() const {
    std::vector<std::size_t> order(sentences_.size());
    std::iota(order.begin(), order.end(), 0u);
    if (policy_.choice == PrepassPolicy::Choice::lead) return order;
    Rng rng(policy_.seed);
    for (std::size_t i = order.size(); i > 1; --i)
      std::swap(order[i - 1], order[static_cast<std::size_t>(rng.below(i))]);
    return order;
  }

  void take_in(const std::vector<std::size_t>& order) {
    for (auto i : order) {
      if (tokens_ + cost_of(i) > policy_.tokens_max) return;
      take(i);
    }
  }

  const PrepassPolicy& policy_;
  std::vector<Sentence> sentences_;
  std::vector<std::vector<std::string>> words_;
  Salience salience_;
  std::vector<bool> line_open_, taken_, said_;
  std::size_t tokens_ = 0, tokens_all_ = 0;
};

std::vector<KeptLine> join_kept(const std::vector<Sentence>& sentences, const std::vector<bool>& taken) {
  std::vector<KeptLine> out;
  std::size_t last_place = 0;
  for (std::size_t i = 0; i < sentences.size(); ++i) {
    if (!taken[i]) continue;
    const auto& sentence = sentences[i];
    bool same_line = !out.empty() && out.back().line == sentence.line;
    if (!same_line) out.push_back({sentence.line, {}});
    bool gap = same_line ? sentence.place > last_place + 1 : sentence.place > 0;
    // A sentence holds the blank behind it.
    if (gap) out.back().text += !same_line || out.back().text.ends_with(' ') ? "… " : " … ";
    out.back().text += sentence.text;
    last_place = sentence.place;
  }
  return out;
}

}  // namespace

std::vector<std::string_view> sentences_in(std::string_view text) {
  std::vector<std::string_view> out;
  std::size_t begin = 0;
  for (std::size_t i = 0; i + 1 < text.size() && out.size() + 1 < kSentencesMax; ++i) {
    bool stop = text[i] == '.' || text[i] == '?' || text[i] == '!';
    bool ends = (stop && text[i + 1] == ' ') || text[i] == '\n';
    if (!ends) continue;
    auto end = text[i] == '\n' ? i + 1 : i + 2;
    out.push_back(text.substr(begin, end - begin));
    begin = end;
  }
  if (begin < text.size()) out.push_back(text.substr(begin));
  return out;
}

std::size_t line_cost(const Line& line, std::size_t line_tokens) {
  return recap::estimate_tokens(line.text) + line_tokens;
}

Prepass prepass(std::span<const Line> lines, std::string_view query, const PrepassPolicy& policy) {
  Prepass out;
  for (const auto& line : lines) out.tokens_before += line_cost(line, policy.line_tokens);
  if (out.tokens_before <= policy.tokens_max) {
    for (std::size_t i = 0; i < lines.size(); ++i) out.kept.push_back({i, lines[i].text});
    out.tokens = out.tokens_before;
    return out;
  }
  Choosing choosing(lines, query, policy);
  auto taken = choosing.choose();
  out.kept = join_kept(choosing.sentences(), taken);
  out.tokens = choosing.tokens();
  out.coverage = choosing.coverage();
  return out;
}

}  // namespace troupe::summary
