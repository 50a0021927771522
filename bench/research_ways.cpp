// A search that hides some titles, and a run over it; or all queries at once and one reading.
#include "bench/research_ways.hpp"

#include "agents/research/evidence.hpp"
#include "agents/research/prompts.hpp"
#include "providers/simulator/extractive.hpp"

#include <algorithm>
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

void add_usage(Usage& sum, const Usage& one) {
  sum.input += one.input;
  sum.output += one.output;
  sum.cache_read += one.cache_read;
  sum.cache_write += one.cache_write;
}

void add_what_was_shown(const research_test::WorldJournal& journal, Answered& out) {
  std::set<std::string> docs;
  for (const auto& [key, output] : journal.tools) {
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
}

double prompt_bytes(const CompletionRequest& request) {
  std::size_t sum = 0;
  for (const auto& message : request.messages) {
    for (const auto& part : message.parts) {
      if (const auto* text = std::get_if<TextPart>(&part)) sum += text->text.size();
      if (const auto* use = std::get_if<ToolUsePart>(&part)) sum += use->input.text.size();
      if (const auto* result = std::get_if<ToolResultPart>(&part)) sum += result->text.size();
    }
  }
  return static_cast<double>(sum);
}

double completion_bytes(const Completion& completion) {
  CompletionRequest as_prompt;
  as_prompt.messages.push_back({Role::assistant, completion.parts});
  return prompt_bytes(as_prompt);
}

Answered::Bytes bytes_of(const research_test::ResearchWorld& world) {
  Answered::Bytes out;
  for (const auto& [run, request] : world.asked) {
    auto bytes = prompt_bytes(request);
    out.prompts += bytes;
    out.lead_prompts += run == "run" ? bytes : 0;
  }
  const auto& journal = world.journal;
  for (const auto& [key, text] : journal.children) out.handed += static_cast<double>(text.text.size());
  out.journal = out.handed;
  for (const auto& [key, text] : journal.steps) out.journal += static_cast<double>(text.text.size());
  for (const auto& [key, output] : journal.tools) out.journal += static_cast<double>(output.text.size());
  for (const auto& [key, completion] : journal.answers) out.journal += completion_bytes(completion);
  return out;
}

}  // namespace

Result<Completion> extract(const std::string&, const CompletionRequest& request) {
  return providers::simulator::answer(request);
}

std::set<std::string> gold_of(const KnownQuestion& question) {
  return {question.gold_titles.begin(), question.gold_titles.end()};
}

double tokens_of(const Usage& usage) { return static_cast<double>(usage.input_total() + usage.output); }

bool reached_gold(const Answered& answered, const KnownQuestion& question) {
  return std::ranges::all_of(question.gold_titles,
                             [&](const auto& t) { return answered.titles.contains(t); });
}

Answered by_agents_as(CorpusPtr corpus, const KnownQuestion& question, AgentsWay way) {
  research_test::ResearchWorld world(std::move(way.model),
                                     tools_over(std::move(corpus), std::move(way.hidden)));
  if (way.prepare) way.prepare(world);
  auto begun = world.now_ms;
  way.settings["question"] = question.question;
  auto result = world.run(way.settings);
  Answered out;
  out.wall_ms = world.now_ms - begun;
  out.agents_at_once = world.children_at_once_max;
  out.tools_at_once = world.tools_at_once_max;
  for (const auto& [key, completion] : world.journal.answers) add_usage(out.bought, completion.usage);
  out.bytes = bytes_of(world);
  if (!result || !*result) return out;
  out.json = *parse_json((*result)->text);
  out.answer = get_string(out.json, "answer");
  out.found = get_bool(out.json, "found");
  out.tokens = static_cast<double>(get_int(out.json, "tokens"));
  add_what_was_shown(world.journal, out);
  return out;
}

Answered by_agents(CorpusPtr corpus, const KnownQuestion& question, std::set<std::string> hidden,
                   research_test::ResearchWorld::Model model) {
  AgentsWay way;
  way.hidden = std::move(hidden);
  way.model = std::move(model);
  return by_agents_as(std::move(corpus), question, std::move(way));
}

Answered by_queries(const CorpusPtr& corpus, const KnownQuestion& question,
                    const std::vector<std::string>& queries, std::size_t hits_each) {
  Answered out;
  research::Shelf shelf(research::kSourcesCeiling);
  for (const auto& query : queries) {
    auto hits = corpus->search(query, "", hits_each);
    if (!hits) continue;
    Json list = Json::array();
    for (const auto& hit : *hits) {
      list.push_back(Json{{"doc", hit.doc},
                          {"title", hit.title},
                          {"start", hit.span.start},
                          {"end", hit.span.end},
                          {"text", hit.snippet}});
      out.titles.insert(hit.title);
    }
    shelf.add("search", query, {.text = dump_json(Json{{"hits", std::move(list)}})});
  }
  research::ResearchInput input;
  input.question = question.question;
  research::Delegation task;
  task.objective = question.question;
  auto first = providers::simulator::answer(research::findings_request(input, task, "", shelf.passages()));
  std::size_t dropped = 0;
  auto json = parse_json(first.text());
  auto findings = research::checked_findings(json ? *json : Json(), shelf, 8, dropped);
  auto second = providers::simulator::answer(research::report_request(input, "", findings));
  auto report = parse_json(second.text());
  out.found = report && get_bool(*report, "found");
  out.answer = report ? get_string(*report, "answer") : "";
  out.calls = queries.size();
  add_usage(out.bought, first.usage);
  add_usage(out.bought, second.usage);
  out.tokens = tokens_of(out.bought);
  return out;
}

}  // namespace troupe::bench
