// Attaches each message to the open conversation that it most likely continues. The first form of K5: no
// training, a sum of six signs, each of which a reader would name when asked why two messages belong
// together.
#include "agents/recap/conversations.hpp"

#include "agents/recap/words.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <unordered_map>

namespace troupe::recap {
namespace {

struct OpenConversation {
  std::size_t index = 0;
  std::int64_t last_ms = 0;
  std::string last_author;
  std::set<std::string> authors;
  std::set<std::string> addressed;
  std::set<std::string> words;
};

// What one message brings to the decision.
struct Signs {
  std::string author;
  std::int64_t ms = 0;
  std::set<std::string> addressed;
  std::vector<std::string> words;
};

// 2^-((gap / half)^steepness)
double fading(std::int64_t gap_ms, Duration half, double steepness = 1) {
  auto half_ms = std::chrono::duration<double, std::milli>(half).count();
  if (half_ms <= 0) return 0;
  return std::exp2(-std::pow(static_cast<double>(std::max<std::int64_t>(0, gap_ms)) / half_ms, steepness));
}

bool meet(const std::set<std::string>& a, const std::set<std::string>& b) {
  return std::ranges::any_of(a, [&](const auto& each) { return b.contains(each); });
}

const std::string& author_of(const slack::Message& message) {
  return message.user_id.empty() ? message.user : message.user_id;
}

class Grouping {
 public:
  Grouping(const slack::ChannelDay& day, const ConversationPolicy& policy) : day_(day), policy_(policy) {
    for (const auto& message : day.messages) {
      names_.emplace(message.user, author_of(message));
      words_.push_back(policy.time_gap_only ? std::vector<std::string>() : telling_words(message.text));
      for (const auto& word : words_.back()) ++messages_with_[word];
      rarity_[author_of(message)] += 1;
    }
    auto all = static_cast<double>(day.messages.size());
    for (auto& [author, rarity] : rarity_) rarity = std::pow(1 - rarity / all, policy.regulars_discount);
  }

  std::vector<Conversation> group() {
    auto thread_sizes = count_threads();
    for (std::size_t i = 0; i < day_.messages.size(); ++i) {
      const auto& thread = day_.messages[i].thread_ts;
      bool threaded = !thread.empty() && thread_sizes[thread] > 1;
      threaded ? take_threaded(i, thread) : take_loose(i);
    }
    return std::move(out_);
  }

 private:
  std::map<std::string, std::size_t> count_threads() const {
    std::map<std::string, std::size_t> out;
    for (const auto& message : day_.messages) ++out[message.thread_ts];
    return out;
  }

  void take_threaded(std::size_t i, const std::string& thread) {
    auto [it, first] = threads_.try_emplace(thread, out_.size());
    if (first) out_.push_back({.thread = true});
    out_[it->second].messages.push_back(i);
  }

  void take_loose(std::size_t i) {
    auto signs = signs_of(i);
    std::erase_if(open_, [&](const auto& each) {
      return signs.ms - each.last_ms >
             std::chrono::duration_cast<std::chrono::milliseconds>(policy_.silence_max).count();
    });
    auto* home = best_home(signs);
    if (home == nullptr) home = start(signs);
    out_[home->index].messages.push_back(i);
    home->last_ms = signs.ms;
    home->last_author = signs.author;
    home->authors.insert(signs.author);
    home->addressed.insert(signs.addressed.begin(), signs.addressed.end());
    home->words.insert(signs.words.begin(), signs.words.end());
    // The one spoken in last stands last, so that "latest" is a position and the silent ones are in front.
    std::rotate(open_.begin() + (home - open_.data()), open_.begin() + (home - open_.data()) + 1,
                open_.end());
  }

  Signs signs_of(std::size_t i) const {
    const auto& message = day_.messages[i];
    Signs out{.author = author_of(message), .ms = message.time.ms, .words = words_[i]};
    if (policy_.time_gap_only) return out;
    for (const auto& [name, id] : names_) {
      if (addresses(message.text, name)) out.addressed.insert(id);
    }
    return out;
  }

  OpenConversation* best_home(const Signs& signs) {
    if (open_.empty()) return nullptr;
    if (policy_.time_gap_only) return &open_.back();
    OpenConversation* best = nullptr;
    double best_score = policy_.join_min;
    // From the latest backwards: of equals the one spoken in last wins.
    for (auto it = open_.rbegin(); it != open_.rend(); ++it) {
      double score = score_of(signs, *it, it == open_.rbegin());
      if (score < best_score || (best != nullptr && score == best_score)) continue;
      best = &*it;
      best_score = score;
    }
    return best;
  }

  double score_of(const Signs& signs, const OpenConversation& home, bool latest) const {
    auto gap = signs.ms - home.last_ms;
    double score = policy_.recency_weight * fading(gap, policy_.recency_half, policy_.recency_steepness);
    if (latest) score += policy_.latest_weight;
    if (home.last_author == signs.author) {
      score += rarity_.at(signs.author) * policy_.monologue_weight * fading(gap, policy_.monologue_half);
    } else if (home.authors.contains(signs.author)) {
      score += rarity_.at(signs.author) * policy_.took_part_weight;
    }
    if (meet(signs.addressed, home.authors)) score += policy_.addresses_weight;
    if (home.addressed.contains(signs.author)) score += policy_.addressed_weight;
    return score +
           std::min(policy_.words_weight_max, policy_.word_weight * shared_rarity(signs.words, home.words));
  }

  // The sum of log(messages / messages with the word) over the shared words that are rare today.
  double shared_rarity(const std::vector<std::string>& words, const std::set<std::string>& known) const {
    auto all = static_cast<double>(day_.messages.size());
    double sum = 0;
    for (const auto& word : words) {
      if (!known.contains(word)) continue;
      auto with = static_cast<double>(messages_with_.at(word));
      if (with <= std::max(2.0, policy_.rare_share_max * all)) sum += std::log(all / with);
    }
    return sum;
  }

  OpenConversation* start(const Signs& signs) {
    if (open_.size() >= std::max<std::size_t>(1, policy_.open_max)) open_.erase(open_.begin());
    open_.push_back({.index = out_.size(), .last_ms = signs.ms});
    out_.push_back({});
    return &open_.back();
  }

  const slack::ChannelDay& day_;
  const ConversationPolicy& policy_;
  std::map<std::string, std::string> names_;
  std::vector<std::vector<std::string>> words_;
  std::unordered_map<std::string, std::size_t> messages_with_;
  // By author: near 1 for those who said little today.
  std::unordered_map<std::string, double> rarity_;
  std::map<std::string, std::size_t> threads_;
  // Least recently spoken in first.
  std::vector<OpenConversation> open_;
  std::vector<Conversation> out_;
};

}  // namespace

std::vector<Conversation> group_conversations(const slack::ChannelDay& day,
                                              const ConversationPolicy& policy) {
  return Grouping(day, policy).group();
}

}  // namespace troupe::recap
