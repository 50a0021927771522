#include "runtime/tools/search_index.hpp"

#include "runtime/tools/words.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

namespace troupe::tools {
namespace {

// Views kept; one costs a bit per document.
constexpr std::size_t kViewsMax = 64;
// Near copies are looked for among so many candidates beyond the hits asked for.
constexpr std::size_t kBeyondHits = 20;
// Prose stays below the first (docs/TOOLS.md says how much of it); at the second nothing is left of a score
// but kStuffedShare.
constexpr double kStuffingFrom = 0.08, kStuffingFull = 0.25, kStuffedShare = 0.05;
// Shingles kept of each passage to find its near copies by, and passages looked at for each of these.
constexpr std::size_t kSketchMax = 8, kAkinMax = 16;

double trusted(const Document& document) { return document.authority.value_or(0.5); }

// Is `part` a run of whole words of `name`?
bool holds_words(const std::string& name, const std::string& part) {
  auto there = words_of(name), asked = words_of(part);
  return !asked.empty() && !std::ranges::search(there, asked).empty();
}

double stuffing_factor(double stuffing) {
  double share = std::clamp((stuffing - kStuffingFrom) / (kStuffingFull - kStuffingFrom), 0.0, 1.0);
  return 1 - (1 - kStuffedShare) * share;
}

}  // namespace

bool may_read(const Document& document, const std::string& principal) {
  if (!document.readers) return true;
  return !principal.empty() && std::ranges::find(*document.readers, principal) != document.readers->end();
}

bool fits(const Document& document, const DocumentFilter& filter) {
  bool timely = (filter.from.empty() || (!document.date.empty() && document.date >= filter.from)) &&
                (filter.to.empty() || (!document.date.empty() && document.date <= filter.to));
  auto is_named = [](const std::vector<std::string>& names, const std::string& name) {
    return std::ranges::any_of(names, [&](const std::string& each) { return holds_words(name, each); });
  };
  bool kind = filter.types.empty() || is_named(filter.types, document.type);
  bool whose = filter.people.empty() || std::ranges::any_of(document.people, [&](const std::string& person) {
                 return is_named(filter.people, person);
               });
  return timely && kind && whose;
}

SearchIndex::SearchIndex(const std::vector<Document>& documents, const CorpusConfig& config,
                         journal::FullText words)
    : documents_(documents), config_(config), words_(std::move(words)) {}

Result<std::unique_ptr<SearchIndex>> SearchIndex::make(const std::vector<Document>& documents,
                                                       const CorpusConfig& config) {
  auto words = journal::FullText::make();
  if (!words) return std::unexpected(std::move(words.error()));
  std::unique_ptr<SearchIndex> index(new SearchIndex(documents, config, std::move(*words)));
  if (auto read = index->read_all(); !read) return std::unexpected(std::move(read.error()));
  return index;
}

Result<void> SearchIndex::read_all() {
  for (std::uint32_t i = 0; i < documents_.size(); ++i)
    if (auto added = add(i); !added) return added;
  auto lengths = words_.finish();
  if (!lengths) return std::unexpected(std::move(lengths.error()));
  lengths_ = std::move(*lengths);
  return {};
}

Result<void> SearchIndex::add(std::uint32_t document) {
  const auto& of = documents_[document];
  std::string_view text = of.text;
  const auto title = words_of(of.title);
  const auto first = passages_.size();
  double stuffed_bytes = 0, bytes = 0;
  for (const auto& at : passages_of(text, config_.passage_bytes_max)) {
    auto body = text.substr(at.start, at.end - at.start);
    auto words = words_of(body);
    auto sketch = shingles(words);
    sketch.resize(std::min(sketch.size(), kSketchMax));
    for (auto shingle : sketch) akin_[shingle].push_back(static_cast<std::uint32_t>(passages_.size()));
    words.insert(words.end(), title.begin(), title.end());
    passages_.push_back({document, static_cast<float>(repetition(words)), at, std::move(sketch)});
    stuffed_bytes += passages_.back().stuffing * static_cast<double>(body.size());
    bytes += static_cast<double>(body.size());
    if (auto added = words_.add(of.title, body); !added) return added;
  }
  // What stands beside a heap of keywords is spam, too.
  for (auto i = first; i < passages_.size(); ++i)
    passages_[i].stuffing = std::max(passages_[i].stuffing, static_cast<float>(stuffed_bytes / bytes));
  return {};
}

std::shared_ptr<const CorpusView> SearchIndex::make_view(const std::string& principal) const {
  auto view = std::make_shared<CorpusView>();
  for (const auto& document : documents_) view->sees.push_back(may_read(document, principal));
  for (std::size_t i = 0; i < passages_.size(); ++i) {
    if (!view->sees[passages_[i].document]) continue;
    ++view->passages;
    view->title_words += lengths_[i].title;
    view->body_words += lengths_[i].body;
  }
  return view;
}

std::shared_ptr<const CorpusView> SearchIndex::view_of(const std::string& principal) {
  if (auto known = views_.find(principal); known != views_.end()) return known->second;
  // Rarely reached; which one goes does not matter to any answer.
  if (views_.size() >= kViewsMax) views_.erase(views_.begin());
  return views_.emplace(principal, make_view(principal)).first->second;
}

// BM25 with the title's words counted title_weight times (the simple form of BM25F: Robertson, Zaragoza and
// Taylor 2004). The logarithm is of 1 + x, so that a word most passages hold still counts a little.
void SearchIndex::add_word(const std::vector<journal::WordCount>& counts, const CorpusView& view,
                           std::vector<double>& scores) const {
  auto seen = [&](const journal::WordCount& count) {
    return view.sees[passages_[static_cast<std::size_t>(count.row)].document];
  };
  auto holding = static_cast<double>(std::ranges::count_if(counts, seen));
  auto all = static_cast<double>(view.passages);
  double rarity = std::log(1 + (all - holding + 0.5) / (holding + 0.5));
  double weight = config_.title_weight;
  double mean = (weight * static_cast<double>(view.title_words) + static_cast<double>(view.body_words)) /
                std::max(all, 1.0);
  for (const auto& count : counts) {
    if (!seen(count)) continue;
    auto row = static_cast<std::size_t>(count.row);
    double length = weight * lengths_[row].title + lengths_[row].body;
    double often = weight * count.in_title + count.in_body;
    double room = config_.k1 * (1 - config_.b + config_.b * length / std::max(mean, 1.0));
    scores[row] += rarity * often * (config_.k1 + 1) / (often + room);
  }
}

Result<std::vector<double>> SearchIndex::scores(const std::vector<std::string>& words,
                                                const CorpusView& view) {
  std::vector<double> out(passages_.size(), 0.0);
  for (const auto& word : words) {
    auto counts = words_.count(word);
    if (!counts) return std::unexpected(std::move(counts.error()));
    add_word(*counts, view, out);
  }
  for (std::size_t i = 0; i < out.size(); ++i)
    if (out[i] > 0) out[i] *= worth(i);
  return out;
}

double SearchIndex::worth(std::size_t passage) const {
  double trust = 1 + config_.authority_weight * (2 * trusted(documents_[passages_[passage].document]) - 1);
  return config_.resist_stuffing ? trust * stuffing_factor(passages_[passage].stuffing) : trust;
}

std::vector<SearchIndex::Candidate> SearchIndex::best_of_each(const std::vector<double>& scores) const {
  std::vector<Candidate> out;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (scores[i] <= 0) continue;
    // A document's passages follow one another.
    if (out.empty() || passages_[out.back().passage].document != passages_[i].document)
      out.push_back({i, scores[i]});
    else if (scores[i] > out.back().score)
      out.back() = {i, scores[i]};
  }
  std::ranges::stable_sort(out, std::ranges::greater{}, &Candidate::score);
  return out;
}

// A passage is judged with its neighbours: a heap of keywords may fill one of its own beside the copied text.
std::pair<std::size_t, std::size_t> SearchIndex::neighbourhood(std::size_t index) const {
  auto same = [&](std::size_t other) { return passages_[other].document == passages_[index].document; };
  std::size_t first = index > 0 && same(index - 1) ? index - 1 : index;
  std::size_t last = index + 1 < passages_.size() && same(index + 1) ? index + 1 : index;
  return {first, last};
}

Likeness SearchIndex::likeness_of(std::size_t index) const {
  const auto& document = documents_[passages_[index].document];
  auto [first, last] = neighbourhood(index);
  auto start = passages_[first].at.start;
  auto text = std::string_view(document.text).substr(start, passages_[last].at.end - start);
  return {document.title, text, trusted(document), passages_[index].stuffing};
}

void SearchIndex::add_akin(std::size_t index, const CorpusView& view, std::set<std::size_t>& out) const {
  for (auto shingle : passages_[index].sketch) {
    std::size_t looked_at = 0;
    for (std::size_t other : akin_.at(shingle)) {
      auto document = passages_[other].document;
      bool counts = view.sees[document] && document != passages_[index].document;
      if (counts && ++looked_at <= kAkinMax) out.insert(other);
    }
  }
}

std::vector<std::size_t> SearchIndex::akin(const std::vector<Candidate>& ranked,
                                           const CorpusView& view) const {
  std::set<std::size_t> out;
  for (const auto& candidate : ranked) {
    auto [first, last] = neighbourhood(candidate.passage);
    for (auto i = first; i <= last; ++i) add_akin(i, view, out);
  }
  for (const auto& candidate : ranked) out.erase(candidate.passage);
  return {out.begin(), out.end()};
}

std::vector<SearchIndex::Candidate> SearchIndex::copies_last(std::vector<Candidate> ranked,
                                                             const std::vector<std::string>& words,
                                                             const CorpusView& view) const {
  std::vector<Likeness> likenesses;
  for (const auto& candidate : ranked) likenesses.push_back(likeness_of(candidate.passage));
  // The original may fit the query so badly that it is no candidate.
  for (auto passage : akin(ranked, view)) likenesses.push_back(likeness_of(passage));
  auto copies = inferior_copies(likenesses, ranked.size(), words);
  std::vector<Candidate> out, last;
  for (std::size_t i = 0; i < ranked.size(); ++i) (copies[i] ? last : out).push_back(ranked[i]);
  out.insert(out.end(), last.begin(), last.end());
  return out;
}

Hit SearchIndex::hit_of(const Candidate& candidate) const {
  const auto& passage = passages_[candidate.passage];
  const auto& document = documents_[passage.document];
  auto [start, end] = passage.at;
  return {.doc = document.id,
          .title = document.title,
          .url = document.url,
          .score = candidate.score,
          .span = {document.id, start, end},
          .snippet = document.text.substr(start, end - start)};
}

void SearchIndex::keep_fitting(const DocumentFilter& filter, std::vector<double>& scores) const {
  for (std::size_t i = 0; i < scores.size(); ++i)
    if (scores[i] > 0 && !fits(documents_[passages_[i].document], filter)) scores[i] = 0;
}

Result<std::vector<Hit>> SearchIndex::search(std::string_view query, const std::string& principal,
                                             std::size_t limit, const DocumentFilter& filter) {
  auto words = query_words(query, config_.query_words_max, config_.query_bytes_max);
  std::unique_lock lock(mutex_);
  auto view = view_of(principal);
  auto scored = scores(words, *view);
  lock.unlock();
  if (!scored) return std::unexpected(std::move(scored.error()));
  if (!filter.empty()) keep_fitting(filter, *scored);
  auto ranked = best_of_each(*scored);
  if (ranked.size() > limit + kBeyondHits) ranked.resize(limit + kBeyondHits);
  if (config_.resist_stuffing) ranked = copies_last(std::move(ranked), words, *view);
  std::vector<Hit> out;
  for (const auto& candidate : ranked)
    if (out.size() < limit) out.push_back(hit_of(candidate));
  return out;
}

}  // namespace troupe::tools
