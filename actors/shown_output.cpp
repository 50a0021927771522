#include "actors/shown_output.hpp"

#include "agents/research/research.hpp"
#include "agents/research/standing.hpp"
#include "agents/summary/standing.hpp"
#include "runtime/json/json.hpp"
#include "runtime/tools/corpus_files.hpp"
#include "runtime/tools/search_index.hpp"

#include <map>
#include <set>

namespace troupe::actors {
namespace {

/// Of the documents a run was given those that its result cites, as their files are now.
class GivenDocuments {
 public:
  /// Of files that cannot be read: none.
  GivenDocuments(const std::string& path, std::string principal, const std::set<std::string>& cited)
      : principal_(std::move(principal)) {
    auto files = tools::read_corpus_files(path, {}, &cited);
    if (!files) return;
    documents_ = std::move(files->documents);
    for (const auto& each : documents_) by_id_.emplace(each.id, &each);
  }

  std::optional<research::Reread> at(const Span& span) const {
    auto it = by_id_.find(span.doc);
    if (it == by_id_.end() || !tools::may_read(*it->second, principal_)) return std::nullopt;
    const auto& text = it->second->text;
    if (span.start >= span.end || span.end > text.size()) return std::nullopt;
    return research::Reread{it->second->title, text.substr(span.start, span.end - span.start)};
  }

 private:
  std::string principal_;
  std::vector<tools::Document> documents_;
  std::map<std::string_view, const tools::Document*> by_id_;
};

std::string research_now(const journal::RunRow& row) {
  auto result = parse_json(row.output), asked = parse_json(row.input);
  auto path = asked ? get_string(*asked, "input") : std::string();
  if (!result || !result->is_object() || path.empty()) return row.output;
  GivenDocuments documents(path, get_string(*asked, "principal"), research::cited_documents(*result));
  auto now = research::still_stands(*result, [&](const Span& span) { return documents.at(span); });
  return now == *result ? row.output : dump_json(now);
}

}  // namespace

std::string shown_output(const journal::RunRow& row) {
  if (row.state != journal::RunState::done) return row.output;
  if (row.workflow == "summary") {
    auto now = summary::summary_as_of_now({row.output}, {row.input});
    return now ? now->text : summary::summary_withheld({row.output}).text;
  }
  return row.workflow == research::kResearchName ? research_now(row) : row.output;
}

}  // namespace troupe::actors
