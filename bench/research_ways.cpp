// A search that hides some titles, and a run over it.
#include "bench/research_ways.hpp"

#include "providers/simulator/extractive.hpp"

#include <utility>

namespace troupe::bench {
namespace {

/// Search over a corpus from which some titles are gone.
class HidingSearch final : public Tool {
 public:
  HidingSearch(CorpusPtr corpus, std::set<std::string> hidden)
      : spec_(tools::make_search_tool(corpus)->spec()),
        corpus_(std::move(corpus)),
        hidden_(std::move(hidden)) {}
  const ToolSpec& spec() const override { return spec_; }
  void call(const ToolContext&, const JsonText& input,
            std::function<void(Result<ToolOutput>)> done) override {
    auto json = parse_json(input.text);
    auto hits = corpus_->search(json ? get_string(*json, "query") : "", "", kHits + 2 * hidden_.size());
    if (!hits) return done(std::unexpected(hits.error()));
    Json list = Json::array();
    ToolOutput out;
    for (const auto& hit : *hits) {
      if (hidden_.contains(hit.title) || list.size() == kHits) continue;
      list.push_back(Json{{"doc", hit.doc},
                          {"title", hit.title},
                          {"start", hit.span.start},
                          {"end", hit.span.end},
                          {"text", hit.snippet}});
      out.sources.push_back(hit.span);
    }
    out.text = dump_json(Json{{"hits", std::move(list)}});
    done(std::move(out));
  }

 private:
  ToolSpec spec_;
  CorpusPtr corpus_;
  std::set<std::string> hidden_;
};

research::ToolSource tools_over(CorpusPtr corpus, std::set<std::string> hidden) {
  return [corpus, hidden](const JsonText&) -> Result<Toolbox> {
    Toolbox out;
    auto search = out.add(std::make_shared<HidingSearch>(corpus, hidden));
    auto open = out.add(tools::make_open_tool(corpus));
    if (!search || !open) return fail(Errc::internal, "two tools of one name");
    return out;
  };
}

}  // namespace

Result<Completion> extract(const std::string&, const CompletionRequest& request) {
  return providers::simulator::answer(request);
}

std::set<std::string> gold_of(const KnownQuestion& question) {
  return {question.gold_titles.begin(), question.gold_titles.end()};
}

Answered by_agents(CorpusPtr corpus, const KnownQuestion& question, std::set<std::string> hidden,
                   research_test::ResearchWorld::Model model) {
  research_test::ResearchWorld world(std::move(model), tools_over(std::move(corpus), std::move(hidden)));
  auto result = world.run(Json{{"question", question.question}});
  Answered out;
  if (!result || !*result) return out;
  out.json = *parse_json((*result)->text);
  out.answer = get_string(out.json, "answer");
  out.found = get_bool(out.json, "found");
  out.tokens = static_cast<double>(get_int(out.json, "tokens"));
  std::set<std::string> docs;
  for (const auto& [key, output] : world.journal.tools) {
    auto said = parse_json(output.text);
    const auto* hits = said ? find(*said, "hits") : nullptr;
    if (hits == nullptr) continue;
    ++out.calls;
    for (const auto& hit : *hits) {
      out.titles.insert(get_string(hit, "title"));
      docs.insert(get_string(hit, "doc"));
    }
  }
  out.passages = docs.size();
  return out;
}

}  // namespace troupe::bench
