// Documents one can search and quote: where they come from, who may read which, and the tools over them.
#pragma once

#include <troupe/error.hpp>
#include <troupe/tool.hpp>

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::tools {

/// Spans count bytes of `text` as it is stored here (for HTML: of the text made of it).
struct Document {
  /// The record's id; in a folder the file's relative path with forward slashes. Unique in a corpus.
  std::string id;
  std::string title, text, url;
  /// How far its source is to be trusted, 0 to 1; absent: unknown, which counts as the middle (M8).
  std::optional<double> authority;
  /// The principals who may read it (J4); absent: everyone. Empty: nobody.
  std::optional<std::vector<std::string>> readers;
  /// What a record may say of itself, for filters: the day it is from ("YYYY-MM-DD"), what kind of document
  /// it is
  /// ("pdf", "wiki page"), and whose it is. Empty: it does not say.
  std::string date = {}, type = {};
  std::vector<std::string> people = {};
};

/// Which documents may be found. A document that says nothing of what is asked for does not fit.
struct DocumentFilter {
  /// "YYYY-MM-DD", inclusive; empty: open.
  std::string from, to;
  /// One of these must be the type, or one of the people, ASCII case aside; a part of a name that is whole
  /// words counts ("ann" for "Ann Lee"). Empty: any.
  std::vector<std::string> types, people;
  bool empty() const { return from.empty() && to.empty() && types.empty() && people.empty(); }
};
bool fits(const Document& document, const DocumentFilter& filter);

/// A record that was left out, and why. `where` is "corpus.jsonl:17" or a file's relative path.
struct CorpusProblem {
  std::string where, reason;
  /// False: the record, or the earlier one of its id, says who may read it.
  bool for_everyone = true;
  friend bool operator==(const CorpusProblem&, const CorpusProblem&) = default;
};

/// Bounds of what is read, and how hits are ranked. The ranking defaults are measured (docs/TOOLS.md).
struct CorpusConfig {
  std::size_t documents_max = 1'000'000;
  std::size_t document_bytes_max = 8 * 1024 * 1024;
  std::size_t total_bytes_max = std::size_t{4} * 1024 * 1024 * 1024;
  /// Problems kept; further ones are only counted.
  std::size_t problems_max = 100;
  /// A passage ends at the last sentence or line before so many bytes.
  std::size_t passage_bytes_max = 1000;
  /// Words of a query that are looked up; the rest is ignored.
  std::size_t query_words_max = 64;
  std::size_t query_bytes_max = 4096;
  /// BM25 (Robertson and Zaragoza 2009, 3.2): term saturation and the weight of length.
  double k1 = 1.2, b = 0.75;
  /// How many times a word in the title counts.
  double title_weight = 2;
  /// A document of authority 1 scores this much above one of the middle, one of 0 this much below.
  double authority_weight = 0.3;
  /// Keyword-stuffed documents score less, and near copies of a better document come after everything else
  /// (M8).
  bool resist_stuffing = true;
};

/// A document that fits a query, by its best passage.
struct Hit {
  std::string doc, title, url;
  double score = 0;
  /// The passage, or the part of it that fits best: `snippet` is the document's text at `span`, byte for
  /// byte.
  Span span;
  std::string snippet;
};

class SearchIndex;

/// What one principal may know is exactly what a corpus without the documents hidden from it would tell,
/// scores included (J4); only the time a search takes depends on the rest. Immutable; thread-safe.
class Corpus {
 public:
  ~Corpus();
  Corpus(const Corpus&) = delete;
  Corpus& operator=(const Corpus&) = delete;

  /// The best `limit` (at most 50) documents for these words, best first; at most one hit a document. The
  /// query is words, never a search language. None is no error. Fails with `storage` when the index cannot be
  /// read.
  /// The filter decides who is ranked, not how: word statistics are those of all that `principal` may read.
  Result<std::vector<Hit>> search(std::string_view query, const std::string& principal, std::size_t limit,
                                  const DocumentFilter& filter = {}) const;
  /// Null when there is none or `principal` may not read it. Lives as long as the corpus.
  const Document* find(std::string_view id, const std::string& principal) const;
  /// Does it name a stretch of a document that `principal` may read, on whole characters and not empty?
  bool resolves(const Span& span, const std::string& principal) const;

  /// Of all documents, hidden ones too: not for models.
  const std::vector<Document>& documents() const { return documents_; }
  /// What was left out when it was read, in the order of reading, and how many there were in all.
  const std::vector<CorpusProblem>& problems() const { return problems_; }
  std::size_t problem_count() const { return problem_count_; }
  /// One line for who asks as `principal`: how many records were left out, and of the first where and why;
  /// empty for none. Somebody from whom documents are hidden is told neither number nor place, which would
  /// count them, too (J4).
  std::string left_out(const std::string& principal) const;

 private:
  friend Result<std::shared_ptr<Corpus>> make_corpus(std::vector<Document>, const CorpusConfig&);
  friend Result<std::shared_ptr<Corpus>> open_corpus(const std::filesystem::path&, const CorpusConfig&);
  Corpus();

  std::vector<Document> documents_;
  std::map<std::string, std::size_t, std::less<>> by_id_;
  std::vector<CorpusProblem> problems_;
  std::size_t problem_count_ = 0;
  std::unique_ptr<SearchIndex> index_;
};

/// Reads and indexes a file of JSON lines {id, title, text[, url, authority, acl, date, type, people]} or a
/// folder of text, Markdown and HTML files. Malformed records are left out and named in problems(); later
/// ones of an id that is taken, too. Fails with input_missing when there is no such path and invalid_input
/// when nothing in it can be used or it exceeds the bounds. Takes about a second for 10,000 passages.
Result<std::shared_ptr<Corpus>> open_corpus(const std::filesystem::path& path,
                                            const CorpusConfig& config = {});
/// Of documents already read. Fails with invalid_input for an id that is empty or there twice and for text
/// that is no UTF-8.
Result<std::shared_ptr<Corpus>> make_corpus(std::vector<Document> documents, const CorpusConfig& config = {});

/// "search" {query, limit?} as ToolContext::principal. Answers JSON
/// {"hits":[{"doc","title","url"?,"start","end", "text"}]}, best first; `sources` are the hits' spans in the
/// same order.
ToolPtr make_search_tool(std::shared_ptr<const Corpus> corpus);
/// The same with the further arguments of a DocumentFilter: from?, to?, types?, people? (the last two by
/// comma).
ToolPtr make_filtering_search_tool(std::shared_ptr<const Corpus> corpus);
/// "open_document" {doc, start?, length?}: JSON {"doc","title","url"?,"start","end","bytes","text"}, at most
/// 16 KB at once; `sources` is the one span shown. A hidden document is answered like one that is not there.
ToolPtr make_open_tool(std::shared_ptr<const Corpus> corpus);

}  // namespace troupe::tools
