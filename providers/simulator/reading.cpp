// Sentences, names and ranks.
#include "providers/simulator/reading.hpp"

#include "providers/simulator/source_lines.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <map>
#include <set>

namespace troupe::providers::simulator {
namespace {

constexpr std::size_t kNumberedMax = 2000;
constexpr std::size_t kStemLength = 6;
constexpr std::size_t kNameWordsMax = 8;
constexpr std::size_t kBridgesMax = 4;
constexpr double kTitleShare = 0.7;
constexpr double kPassageShare = 0.25;
constexpr double kBridge = 0.95;
constexpr std::array kJoiners = {"of", "the", "de", "la", "von", "van", "&", "for", "du", "del"};

using Weights = std::map<std::string, double>;

bool is_joiner(std::string_view word) {
  return std::ranges::any_of(kJoiners, [&](const char* one) { return word == one; });
}

bool word_byte(unsigned char c) { return std::isalnum(c) != 0 || c >= 0x80 || c == '\'' || c == '-'; }

std::string_view bare(std::string_view word) {
  while (!word.empty() && !word_byte(static_cast<unsigned char>(word.back()))) word.remove_suffix(1);
  while (!word.empty() && !word_byte(static_cast<unsigned char>(word.front()))) word.remove_prefix(1);
  if (word.ends_with("'s")) word.remove_suffix(2);
  return word;
}

std::vector<std::string_view> blank_separated(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    auto end = text.find(' ');
    if (end != 0) out.push_back(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  }
  return out;
}

bool is_capital(std::string_view word) {
  auto plain = bare(word);
  return !plain.empty() && std::isupper(static_cast<unsigned char>(plain.front())) != 0;
}

/// Collects runs of capitalised words.
class NameRun {
 public:
  explicit NameRun(std::vector<std::string>& out) : out_(out) {}
  void word(std::string_view word, bool first) {
    bool ends = word.find_first_of(",;:?!()\"") != std::string_view::npos || word.ends_with('.');
    if (is_capital(word)) {
      if (run_.empty()) first_ = first;
      run_.emplace_back(bare(word));
      if (word.find_first_of("(\"") == 0 && run_.size() > 1) split_last();
      if (ends && !(word.size() == 2 && word.ends_with('.'))) flush();
    } else if (!run_.empty() && is_joiner(word) && run_.size() < kNameWordsMax) {
      run_.emplace_back(word);
    } else {
      flush();
    }
  }
  void flush() {
    while (!run_.empty() && is_joiner(run_.back())) run_.pop_back();
    // The first word of a sentence is capital whatever it is.
    bool lone_first = first_ && run_.size() == 1;
    bool question_word = first_ && run_.size() > 1 && content_words(run_.front()).empty();
    if (question_word) run_.erase(run_.begin());
    if (!run_.empty() && !lone_first) add();
    run_.clear();
  }

 private:
  void split_last() {
    auto last = run_.back();
    run_.pop_back();
    flush();
    run_.push_back(last);
    first_ = false;
  }
  void add() {
    std::string name;
    for (const auto& part : run_) name += (name.empty() ? "" : " ") + part;
    bool known = std::ranges::find(out_, name) != out_.end();
    if (!known && name.size() > 1) out_.push_back(std::move(name));
  }
  std::vector<std::string>& out_;
  std::vector<std::string> run_;
  bool first_ = false;
};

void add_quoted(std::string_view text, std::vector<std::string>& out) {
  while (true) {
    auto open = text.find('"');
    if (open == std::string_view::npos) return;
    auto close = text.find('"', open + 1);
    if (close == std::string_view::npos) return;
    std::string name(text.substr(open + 1, close - open - 1));
    if (name.size() > 2 && name.size() < 80 && std::ranges::find(out, name) == out.end()) out.push_back(name);
    text.remove_prefix(close + 1);
  }
}

Weights weights_of(const std::vector<std::string>& wanted,
                   const std::vector<std::set<std::string>>& sentences) {
  Weights out;
  for (const auto& word : wanted) {
    auto held = std::ranges::count_if(sentences, [&](const auto& words) { return words.contains(word); });
    out[word] = std::log(1 + static_cast<double>(sentences.size()) / (1 + static_cast<double>(held)));
  }
  return out;
}

double held_share(const Weights& wanted, const std::set<std::string>& words,
                  const std::set<std::string>& title) {
  double all = 0, held = 0;
  for (const auto& [word, weight] : wanted) {
    all += weight;
    if (words.contains(word)) {
      held += weight;
    } else if (title.contains(word)) {
      held += kTitleShare * weight;
    }
  }
  return all == 0 ? 0 : held / all;
}

std::set<std::string> set_of(std::string_view text) {
  auto words = reading_words(text);
  return {words.begin(), words.end()};
}

struct Corpus {
  std::vector<RankedSentence> sentences;
  std::vector<std::set<std::string>> words;
  std::vector<std::set<std::string>> titles, passages;
};

Corpus corpus_of(const std::vector<NumberedSource>& sources) {
  Corpus out;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    out.titles.push_back(set_of(sources[i].title));
    out.passages.push_back(set_of(sources[i].text));
    for (auto sentence : reading_sentences(sources[i].text)) {
      out.sentences.push_back({i, std::string(sentence), 0});
      out.words.push_back(set_of(sentence));
    }
  }
  return out;
}

bool names(const RankedSentence& one, const RankedSentence& other,
           const std::vector<NumberedSource>& sources) {
  const auto& title = sources[other.source].title;
  return one.source != other.source && sources[one.source].title != title && title.size() > 3 &&
         one.text.find(title) != std::string::npos;
}

// A page that a fitting sentence of another page names is the next place to look: what the two hold together
// counts, if the second adds to the first.
void add_bridges(std::vector<RankedSentence>& ranked, const std::vector<NumberedSource>& sources,
                 const Weights& weights) {
  auto best = std::vector<RankedSentence>(
      ranked.begin(), ranked.begin() + static_cast<std::ptrdiff_t>(std::min(ranked.size(), kBridgesMax)));
  for (const auto& bridge : best) {
    auto first = set_of(bridge.text);
    auto title = set_of(sources[bridge.source].title);
    auto alone = held_share(weights, first, title);
    for (auto& sentence : ranked) {
      if (!names(bridge, sentence, sources)) continue;
      auto both = first;
      both.merge(set_of(sentence.text));
      auto joint = held_share(weights, both, title);
      if (joint > alone) sentence.score = std::max(sentence.score, kBridge * joint);
    }
  }
}

}  // namespace

std::vector<NumberedSource> numbered_sources(std::string_view prompt) {
  std::vector<NumberedSource> out;
  bool inside = false;
  while (!prompt.empty() && out.size() < kNumberedMax) {
    auto end = prompt.find('\n');
    auto line = prompt.substr(0, end);
    prompt = end == std::string_view::npos ? std::string_view{} : prompt.substr(end + 1);
    if (line == "<sources>") inside = true;
    if (line == "</sources>") inside = false;
    auto close = line.find("] ");
    auto bar = line.find(" | ");
    if (!inside || !line.starts_with('[') || close == std::string_view::npos || bar == std::string_view::npos)
      continue;
    if (bar < close + 2) continue;
    out.push_back({std::string(line.substr(1, close - 1)),
                   std::string(line.substr(close + 2, bar - close - 2)), std::string(line.substr(bar + 3))});
  }
  return out;
}

std::vector<std::string> reading_words(std::string_view text) {
  auto words = content_words(text);
  for (auto& word : words) {
    if (word.ends_with("'s")) word.resize(word.size() - 2);
    if (word.size() > 3 && word.ends_with('s') && !word.ends_with("ss")) word.pop_back();
    if (word.size() > kStemLength && word.find_first_of("0123456789") == std::string::npos)
      word.resize(kStemLength);
  }
  return words;
}

std::vector<std::string> names_in(std::string_view text) {
  std::vector<std::string> out;
  NameRun run(out);
  bool first = true;
  for (auto word : blank_separated(text)) {
    run.word(word, first);
    first = word.ends_with('.') || word.ends_with('?') || word.ends_with('!');
  }
  run.flush();
  add_quoted(text, out);
  return out;
}

std::vector<std::string_view> reading_sentences(std::string_view text) {
  std::vector<std::string_view> out;
  std::size_t begin = 0;
  auto add = [&](std::size_t end) {
    while (begin < end && text[begin] == ' ') ++begin;
    if (end > begin) out.push_back(text.substr(begin, end - begin));
    begin = end;
  };
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    bool mark = (text[i] == '.' || text[i] == '?' || text[i] == '!') && text[i + 1] == ' ';
    bool initial =
        i >= 1 && std::isupper(static_cast<unsigned char>(text[i - 1])) && (i == 1 || text[i - 2] == ' ');
    if (mark && !(text[i] == '.' && initial)) add(i + 1);
  }
  add(text.size());
  return out;
}

std::vector<RankedSentence> rank_sentences(std::string_view question,
                                           const std::vector<NumberedSource>& sources) {
  auto corpus = corpus_of(sources);
  auto weights = weights_of(reading_words(question), corpus.words);
  auto out = std::move(corpus.sentences);
  for (std::size_t i = 0; i < out.size(); ++i) {
    auto source = out[i].source;
    auto here = held_share(weights, corpus.words[i], corpus.titles[source]);
    auto around = held_share(weights, corpus.passages[source], corpus.titles[source]);
    out[i].score = (1 - kPassageShare) * here + kPassageShare * around;
  }
  auto better = [](const RankedSentence& a, const RankedSentence& b) { return a.score > b.score; };
  std::ranges::stable_sort(out, better);
  add_bridges(out, sources, weights);
  std::ranges::stable_sort(out, better);
  return out;
}

}  // namespace troupe::providers::simulator
