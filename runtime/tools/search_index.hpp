// Ranks the passages that one principal may read: BM25 over what it sees, trust, stuffing and near copies.
#pragma once

#include "runtime/journal/full_text.hpp"
#include "runtime/tools/corpus.hpp"
#include "runtime/tools/near_copies.hpp"
#include "runtime/tools/passages.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace troupe::tools {

/// Which documents a principal sees, and what their passages sum up to: the statistics of ranking (J4).
struct CorpusView {
  std::vector<bool> sees;  // by document
  std::uint64_t passages = 0, title_words = 0, body_words = 0;
};

bool may_read(const Document& document, const std::string& principal);

/// Thread-safe. `documents` must outlive it and not change.
class SearchIndex {
 public:
  static Result<std::unique_ptr<SearchIndex>> make(const std::vector<Document>& documents,
                                                   const CorpusConfig& config);
  Result<std::vector<Hit>> search(std::string_view query, const std::string& principal, std::size_t limit,
                                  const DocumentFilter& filter = {});

 private:
  struct Passage {
    std::uint32_t document = 0;
    float stuffing = 0;  // repetition() of title and passage, or of its document when that is more
    Stretch at;
    std::vector<std::uint64_t> sketch;  // its smallest shingles: near copies have some of them, too
  };
  /// A document's best passage for a query.
  struct Candidate {
    std::size_t passage = 0;
    double score = 0;
  };
  SearchIndex(const std::vector<Document>& documents, const CorpusConfig& config, journal::FullText words);
  Result<void> read_all();
  Result<void> add(std::uint32_t document);
  std::shared_ptr<const CorpusView> view_of(const std::string& principal);
  std::shared_ptr<const CorpusView> make_view(const std::string& principal) const;
  Result<std::vector<double>> scores(const std::vector<std::string>& words, const CorpusView& view);
  void add_word(const std::vector<journal::WordCount>& counts, const CorpusView& view,
                std::vector<double>& scores) const;
  double worth(std::size_t passage) const;
  void keep_fitting(const DocumentFilter& filter, std::vector<double>& scores) const;
  std::vector<Candidate> best_of_each(const std::vector<double>& scores) const;
  std::vector<Candidate> copies_last(std::vector<Candidate> ranked, const std::vector<std::string>& words,
                                     const CorpusView& view) const;
  std::pair<std::size_t, std::size_t> neighbourhood(std::size_t passage) const;
  void add_akin(std::size_t passage, const CorpusView& view, std::set<std::size_t>& out) const;
  Likeness likeness_of(std::size_t passage) const;
  /// Passages of other documents in sight that may be near copies of these.
  std::vector<std::size_t> akin(const std::vector<Candidate>& ranked, const CorpusView& view) const;
  Hit hit_of(const Candidate& candidate) const;

  const std::vector<Document>& documents_;
  const CorpusConfig config_;
  std::mutex mutex_;  // of words_ and views_
  journal::FullText words_;
  std::map<std::string, std::shared_ptr<const CorpusView>> views_;
  std::vector<Passage> passages_;
  std::unordered_map<std::uint64_t, std::vector<std::uint32_t>> akin_;  // passages by sketched shingle
  std::vector<journal::RowLength> lengths_;                             // by passage
};

}  // namespace troupe::tools
