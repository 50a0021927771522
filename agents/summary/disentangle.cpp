// Reading the signs off each line once, then comparing it with the lines within reach.
#include "agents/summary/disentangle.hpp"

#include "agents/recap/words.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <string>
#include <unordered_map>

namespace troupe::summary {
namespace {

constexpr std::int64_t kNobody = -1;
// Whoever is spoken to is named early or with an @; a hundred words bound the look.
constexpr std::size_t kWordsLookedAt = 100;

struct LineSigns {
  std::int64_t author = kNobody;
  /// Speakers it names, the one it begins with first.
  std::vector<std::int64_t> names;
  bool names_first = false;
  bool asks = false;
  std::int64_t ms = 0;
  /// Numbers of its words, ascending.
  std::vector<std::uint32_t> words;
};

std::string lower_name(std::string_view name) {
  std::string out(name);
  for (auto& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

std::string_view bare_word(std::string_view word) {
  constexpr std::string_view around = ":,;.!?@()\"'<>";
  auto first = word.find_first_not_of(around);
  if (first == std::string_view::npos) return {};
  return word.substr(first, word.find_last_not_of(around) + 1 - first);
}

bool asks_something(std::string_view text) {
  for (auto at = text.find('?'); at != std::string_view::npos; at = text.find('?', at + 1))
    if (at + 1 == text.size() || text[at + 1] == ' ' || text[at + 1] == '?') return true;
  return false;
}

double halving(double distance, double half) { return half > 0 ? std::exp2(-distance / half) : 0; }

double in_ms(Duration duration) { return std::chrono::duration<double, std::milli>(duration).count(); }

class Linking {
 public:
  Linking(std::span<const Line> lines, const DisentanglePolicy& policy) : lines_(lines), policy_(policy) {
    number_speakers();
    for (const auto& line : lines_) signs_.push_back(signs_of(line));
    weigh_words();
  }

  Disentangled link() {
    Disentangled out;
    std::size_t recent = 0;
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      while (recent<i&& static_cast<double>(signs_[i].ms - signs_[recent].ms)> in_ms(policy_.quiet_window))
        ++recent;
      lines_lately_ = i - recent;
      auto parent = parent_of(i);
      out.parent.push_back(parent);
      out.conversation.push_back(parent == i ? out.conversations++ : out.conversation[parent]);
      last_of_[signs_[i].author] = i;
      number_of_id_.emplace(lines_[i].id, i);
      if (!lines_[i].thread.empty()) last_in_thread_[lines_[i].thread] = i;
    }
    return out;
  }

 private:
  void number_speakers() {
    for (const auto& line : lines_) {
      if (line.who.empty()) continue;
      auto number = static_cast<std::int64_t>(speakers_.size());
      auto [it, added] = speakers_.try_emplace(lower_name(line.who), number);
      if (!added) continue;
      // "@Ann" means Ann Lee, unless there is another Ann.
      auto first = lower_name(line.who.substr(0, line.who.find(' ')));
      auto [short_name, fresh] = first_names_.try_emplace(first, number);
      if (!fresh && short_name->second != number) short_name->second = kNobody;
    }
  }

  std::int64_t speaker_named(std::string_view word) const {
    auto name = lower_name(bare_word(word));
    if (name.size() < 2) return kNobody;
    if (auto it = speakers_.find(name); it != speakers_.end()) return it->second;
    // IRC clients take turns with "_" and "`" at the end of a name in use.
    auto it = first_names_.find(name);
    return it == first_names_.end() ? kNobody : it->second;
  }

  LineSigns signs_of(const Line& line) {
    LineSigns out;
    if (auto it = speakers_.find(lower_name(line.who)); it != speakers_.end()) out.author = it->second;
    out.asks = asks_something(line.text);
    out.ms = line.at ? line.at->ms : (signs_.empty() ? 0 : signs_.back().ms);
    read_names(line.text, out);
    for (const auto& word : recap::telling_words(line.text)) {
      auto [it, added] = words_.try_emplace(word, static_cast<std::uint32_t>(words_.size()));
      if (added) lines_with_.push_back(0);
      ++lines_with_[it->second];
      out.words.push_back(it->second);
    }
    std::ranges::sort(out.words);
    return out;
  }

  void read_names(std::string_view text, LineSigns& out) const {
    for (std::size_t number = 0; number < kWordsLookedAt && !text.empty(); ++number) {
      auto end = text.find_first_of(" \n\t");
      auto word = text.substr(0, end);
      text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
      auto speaker = speaker_named(word);
      bool first = number == 0;
      // Elsewhere in a line a short name is more often a word.
      bool clear = first || word.starts_with('@') || bare_word(word).size() >= 4;
      if (speaker == kNobody || speaker == out.author || !clear) continue;
      out.names.push_back(speaker);
      out.names_first = out.names_first || first || word.starts_with('@');
    }
  }

  void weigh_words() {
    auto all = std::log(std::max<double>(2, static_cast<double>(lines_.size())));
    for (auto with : lines_with_)
      rarity_.push_back(with > 1 || lines_.size() > 1
                            ? std::log(static_cast<double>(lines_.size()) / static_cast<double>(with)) / all
                            : 0);
  }

  std::size_t parent_of(std::size_t i) const {
    const auto& line = lines_[i];
    if (auto it = number_of_id_.find(line.reply_to); !line.reply_to.empty() && it != number_of_id_.end())
      return it->second;
    if (!line.thread.empty()) {
      auto it = last_in_thread_.find(line.thread);
      if (it != last_in_thread_.end()) return it->second;
      // Slack names a thread after its first message, which may have been seen before it became one.
      if (auto root = number_of_id_.find(line.thread); root != number_of_id_.end()) return root->second;
      return i;
    }
    return best_parent(i);
  }

  std::size_t best_parent(std::size_t i) const {
    const auto& signs = signs_[i];
    double best = policy_.join_min;
    if (signs.asks && signs.names.empty()) best += policy_.opening_weight;
    auto known = last_of_.find(signs.author);
    bool newcomer = known == last_of_.end() || i - known->second > policy_.reach;
    if (newcomer) best += policy_.newcomer_weight;
    std::size_t parent = i;
    auto reach = std::min(i, policy_.reach);
    for (std::size_t back = 1; back <= reach; ++back) {
      auto j = i - back;
      if (static_cast<double>(signs.ms - signs_[j].ms) > in_ms(policy_.silence_max)) break;
      auto score = score_of(signs, signs_[j], back);
      // The later of equals: it was passed first.
      if (score <= best) continue;
      best = score;
      parent = j;
    }
    return parent;
  }

  double score_of(const LineSigns& line, const LineSigns& other, std::size_t back) const {
    auto gap = std::max<double>(0, static_cast<double>(line.ms - other.ms));
    double score = policy_.near_weight * halving(static_cast<double>(back - 1), policy_.near_half_lines) +
                   policy_.fresh_weight * halving(gap, in_ms(policy_.fresh_half));
    bool opens = line.asks && line.names.empty();
    if (back == 1 && !opens)
      score += policy_.quiet_weight * halving(static_cast<double>(lines_lately_), policy_.quiet_half_lines);
    bool same = line.author == other.author && line.author != kNobody;
    bool speaks_to = std::ranges::find(line.names, other.author) != line.names.end();
    bool spoken_to = std::ranges::find(other.names, line.author) != other.names.end();
    bool same_partner = !line.names.empty() && !other.names.empty() && line.names[0] == other.names[0];
    if (same) score += policy_.same_weight;
    if (speaks_to) score += policy_.addresses_weight;
    if (spoken_to) score += policy_.addressed_weight;
    bool away = line.names_first && !speaks_to && !(same && (other.names.empty() || same_partner));
    bool other_away = other.names_first && !spoken_to && !same && !same_partner;
    if (away) score -= policy_.elsewhere_weight;
    if (other_away) score -= policy_.elsewhere_weight;
    if (other.asks && !same) score += policy_.question_weight;
    return score + std::min(policy_.words_max, policy_.word_weight * shared_rarity(line, other));
  }

  double shared_rarity(const LineSigns& a, const LineSigns& b) const {
    double sum = 0;
    auto x = a.words.begin();
    auto y = b.words.begin();
    while (x != a.words.end() && y != b.words.end()) {
      if (*x == *y) sum += rarity_[*x];
      bool step_x = *x <= *y;
      bool step_y = *y <= *x;
      if (step_x) ++x;
      if (step_y) ++y;
    }
    return sum;
  }

  std::span<const Line> lines_;
  const DisentanglePolicy& policy_;
  std::unordered_map<std::string, std::int64_t> speakers_, first_names_;
  std::vector<LineSigns> signs_;
  std::unordered_map<std::string, std::uint32_t> words_;
  std::vector<std::size_t> lines_with_;
  std::vector<double> rarity_;
  // Before the line that is looked at, within the quiet window.
  std::size_t lines_lately_ = 0;
  std::unordered_map<std::int64_t, std::size_t> last_of_;
  std::unordered_map<std::string, std::size_t> number_of_id_, last_in_thread_;
};

}  // namespace

Disentangled disentangle(std::span<const Line> lines, const DisentanglePolicy& policy) {
  return Linking(lines, policy).link();
}

std::vector<std::size_t> by_conversation(const Disentangled& found) {
  std::vector<std::size_t> order(found.conversation.size());
  std::iota(order.begin(), order.end(), 0u);
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return found.conversation[i]; });
  return order;
}

}  // namespace troupe::summary
