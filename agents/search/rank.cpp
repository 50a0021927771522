// Fusing, weighing and dropping.
#include "agents/search/rank.hpp"

#include "agents/evaluation/porter.hpp"
#include "agents/research/words.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace troupe::search {
namespace {

constexpr std::size_t kPassagesOfDocument = 3;

using WordSet = std::set<std::string>;

WordSet words_in(std::string_view text) {
  WordSet out;
  // As the index has them: "evaluating" meets "evaluation".
  for (const auto& word : research::telling_words(text)) out.insert(evaluation::porter_stem(word));
  return out;
}

// "https://a.example/docs/rate-limits#quota" speaks of docs, rate, limits and quota.
WordSet address_words(const research::Passage& passage) {
  auto text = passage.url.empty() ? passage.span.doc : passage.url;
  auto path = text.find("://");
  path = path == std::string::npos ? 0 : text.find('/', path + 3);
  if (path == std::string::npos) return {};
  std::ranges::replace_if(
      text, [](char c) { return c == '-' || c == '_' || c == '/' || c == '#' || c == '.'; }, ' ');
  return words_in(std::string_view(text).substr(path));
}

/// The words of all that was found, and how rare each is among it.
class FoundWords {
 public:
  FoundWords(std::span<const research::Passage> passages, std::span<const RankedDocument> documents) {
    for (const auto& document : documents) {
      const auto& first = passages[document.passages.front()];
      titles_.push_back(words_in(first.title));
      addresses_.push_back(address_words(first));
      WordSet text;
      for (auto at : document.passages) text.merge(words_in(passages[at].text));
      for (const auto& word : text) ++held_[word];
      texts_.push_back(std::move(text));
    }
  }
  double in_title(std::size_t at, const WordSet& query) const { return share(titles_[at], query); }
  double in_address(std::size_t at, const WordSet& query) const { return share(addresses_[at], query); }
  double in_text(std::size_t at, const WordSet& query) const { return share(texts_[at], query); }

 private:
  double weight(const std::string& word) const {
    auto it = held_.find(word);
    auto holding = it == held_.end() ? 0.0 : static_cast<double>(it->second);
    return std::log(1 + static_cast<double>(texts_.size()) / (1 + holding));
  }
  double share(const WordSet& there, const WordSet& query) const {
    double all = 0, held = 0;
    for (const auto& word : query) {
      all += weight(word);
      held += there.contains(word) ? weight(word) : 0;
    }
    return all == 0 ? 0 : held / all;
  }

  std::vector<WordSet> titles_, addresses_, texts_;
  std::map<std::string, std::size_t> held_;
};

double list_weight(const FoundList& list, const RankPolicy& policy) {
  return list.core ? 1 : policy.variant_weight;
}

// Every document with the share of what ranks can add up to.
std::vector<RankedDocument> fused(std::span<const FoundList> lists,
                                  std::span<const research::Passage> passages, const RankPolicy& policy) {
  std::vector<RankedDocument> out;
  std::map<std::string, std::size_t> at;
  double most = 0;
  for (const auto& list : lists) {
    most += list_weight(list, policy) / (policy.k + 1);
    for (std::size_t rank = 0; rank < list.passages.size(); ++rank) {
      const auto& passage = passages[list.passages[rank]];
      auto [known, is_new] = at.emplace(passage.span.doc, out.size());
      if (is_new) out.push_back({passage.span.doc, 0, {}});
      auto& document = out[known->second];
      document.score += list_weight(list, policy) / (policy.k + static_cast<double>(rank + 1));
      bool has = std::ranges::find(document.passages, list.passages[rank]) != document.passages.end();
      if (!has && document.passages.size() < kPassagesOfDocument)
        document.passages.push_back(list.passages[rank]);
    }
  }
  for (auto& document : out) document.score /= most > 0 ? most : 1;
  return out;
}

void add_words(std::vector<RankedDocument>& documents, std::span<const FoundList> lists,
               std::span<const research::Passage> passages, const RankPolicy& policy) {
  WordSet query;
  for (const auto& list : lists)
    if (list.core) query.merge(words_in(list.query));
  FoundWords words(passages, documents);
  for (std::size_t i = 0; i < documents.size(); ++i)
    documents[i].score += policy.title_weight * words.in_title(i, query) +
                          policy.address_weight * words.in_address(i, query) +
                          policy.text_weight * words.in_text(i, query);
}

bool copies(const RankedDocument& one, std::span<const RankedDocument> better,
            std::span<const research::Passage> passages, double copy_min) {
  const auto& text = passages[one.passages.front()].text;
  return std::ranges::any_of(better, [&](const RankedDocument& other) {
    const auto& shown = passages[other.passages.front()].text;
    return text == shown || research::shingle_similarity(text, shown) > copy_min;
  });
}

}  // namespace

std::vector<RankedDocument> rank_found(std::span<const FoundList> lists,
                                       std::span<const research::Passage> passages, const RankPolicy& policy,
                                       std::size_t documents_max) {
  auto all = fused(lists, passages, policy);
  add_words(all, lists, passages, policy);
  std::ranges::stable_sort(all, std::ranges::greater{}, &RankedDocument::score);
  std::vector<RankedDocument> out;
  for (auto& document : all) {
    if (out.size() == documents_max) break;
    bool copy = policy.copy_min < 1 && copies(document, out, passages, policy.copy_min);
    if (!copy) out.push_back(std::move(document));
  }
  return out;
}

}  // namespace troupe::search
