#include "actors/shown_output.hpp"

#include "agents/research/research.hpp"
#include "agents/research/standing.hpp"
#include "agents/summary/standing.hpp"
#include "runtime/json/json.hpp"
#include "runtime/tools/corpus_files.hpp"
#include "runtime/tools/search_index.hpp"

#include <map>

namespace troupe::actors {
namespace {

/// The documents a run was given, as their files are now.
class GivenDocuments {
 public:
  /// Of files that cannot be read: none.
  GivenDocuments(const std::string& path, std::string principal) : principal_(std::move(principal)) {
    auto files = tools::read_corpus_files(path, {});
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
  GivenDocuments documents(path, get_string(*asked, "principal"));
  auto now = research::still_stands(*result, [&](const Span& span) { return documents.at(span); });
  return now == *result ? row.output : dump_json(now);
}

}  // namespace

std::string shown_output(const journal::RunRow& row) {
  if (row.state != journal::RunState::done) return row.output;
  if (row.workflow == "summary") return summary::summary_as_of_now({row.output}, {row.input}).text;
  return row.workflow == research::kResearchName ? research_now(row) : row.output;
}

}  // namespace troupe::actors
