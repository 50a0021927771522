#include "runtime/tools/corpus.hpp"

#include "runtime/base/characters.hpp"
#include "runtime/json/json.hpp"
#include "runtime/tools/corpus_files.hpp"
#include "runtime/tools/search_index.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>
#include <utility>

namespace troupe::tools {
namespace {

constexpr std::size_t kProblemsTold = 3;
constexpr std::size_t kProblemBytesMax = 200;

}  // namespace

Corpus::Corpus() = default;
Corpus::~Corpus() = default;

Result<std::vector<Hit>> Corpus::search(std::string_view query, const std::string& principal,
                                        std::size_t limit, const DocumentFilter& filter) const {
  constexpr std::size_t limit_max = 50;
  return index_->search(query, principal, std::min(limit, limit_max), filter);
}

const Document* Corpus::find(std::string_view id, const std::string& principal) const {
  auto known = by_id_.find(id);
  if (known == by_id_.end() || !may_read(documents_[known->second], principal)) return nullptr;
  return &documents_[known->second];
}

bool Corpus::resolves(const Span& span, const std::string& principal) const {
  const auto* document = find(span.doc, principal);
  if (!document || span.start >= span.end || span.end > document->text.size()) return false;
  return whole_character(document->text, span.start) == span.start &&
         whole_character(document->text, span.end) == span.end;
}

std::string Corpus::left_out(const std::string& principal) const {
  if (problems_.empty()) return {};
  if (!std::ranges::all_of(documents_, [&](const auto& each) { return may_read(each, principal); }))
    return std::ranges::any_of(problems_, &CorpusProblem::for_everyone)
               ? "records that cannot be used are left out"
               : "";
  auto told = std::min(problems_.size(), kProblemsTold);
  auto out = fmt::format("{} records that cannot be used are left out", problem_count_);
  for (std::size_t i = 0; i < told; ++i) {
    auto one = to_valid_utf8(fmt::format("{}: {}", problems_[i].where, problems_[i].reason));
    out += fmt::format("; {}", cut_to(std::string_view(one), kProblemBytesMax));
  }
  if (problem_count_ > told) out += fmt::format("; and {} more", problem_count_ - told);
  return out;
}

Result<std::shared_ptr<Corpus>> make_corpus(std::vector<Document> documents, const CorpusConfig& config) {
  std::unordered_set<std::string_view> ids;
  for (const auto& document : documents) {
    if (document.id.empty() || !ids.insert(document.id).second)
      return fail(Errc::invalid_input, fmt::format("the id \"{}\" is empty or there twice", document.id));
    if (!is_utf8(document.text) || !is_utf8(document.title) || document.text.find('\0') != std::string::npos)
      return fail(Errc::invalid_input, fmt::format("document {} is no UTF-8 text", document.id));
  }
  std::shared_ptr<Corpus> corpus(new Corpus);
  corpus->documents_ = std::move(documents);
  for (std::size_t i = 0; i < corpus->documents_.size(); ++i)
    corpus->by_id_.emplace(corpus->documents_[i].id, i);
  auto index = SearchIndex::make(corpus->documents_, config);
  if (!index) return std::unexpected(std::move(index.error()));
  corpus->index_ = std::move(*index);
  return corpus;
}

Result<std::shared_ptr<Corpus>> open_corpus(const std::filesystem::path& path, const CorpusConfig& config) {
  auto files = read_corpus_files(path, config);
  if (!files) return std::unexpected(std::move(files.error()));
  if (files->documents.empty())
    return fail(Errc::invalid_input,
                fmt::format("{} holds no document{}", path.string(),
                            files->problems.empty() ? ""
                                                    : ": " + files->problems.front().where + ": " +
                                                          files->problems.front().reason));
  auto corpus = make_corpus(std::move(files->documents), config);
  if (!corpus) return corpus;
  (*corpus)->problems_ = std::move(files->problems);
  (*corpus)->problem_count_ = files->problem_count;
  return corpus;
}

}  // namespace troupe::tools
