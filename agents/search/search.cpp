// The order of the work: intent, meaning, look-ups, answer, check.
#include "agents/search/search.hpp"

#include "agents/research/kept_tools.hpp"
#include "agents/research/principal.hpp"
#include "agents/research/resolving.hpp"
#include "agents/research/words.hpp"
#include "agents/search/prompts.hpp"
#include "agents/search/result.hpp"
#include "agents/summary/live.hpp"
#include "agents/summary/marks.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/base/rng.hpp"

#include <troupe/structured.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

namespace troupe::search {

/// All there is while a search goes on. Everything its tasks refer to lives here, longer than they do.
struct Searching {
  Searching(Workflow& workflow, SearchInput asked, Toolbox toolbox, WallTime begun)
      : wf(workflow), input(std::move(asked)), tools(std::move(toolbox)), started(begun) {}
  Workflow& wf;
  SearchInput input;
  Toolbox tools;
  WallTime started;
  research::Shelf shelf{1000};
  std::vector<RankedDocument> ranked;
  SearchResult result;
};

namespace {

constexpr int kUnderstandingRepairs = 1;
constexpr std::size_t kLookUpsAtOnce = 8;
constexpr std::size_t kPassagesOfSource = 2;

// After these somebody who waits is better served with links than with nothing.
bool leaves_links(Errc code) {
  switch (code) {
    case Errc::deadline_exceeded:
    case Errc::timeout:
    case Errc::refused:
    case Errc::rate_limited:
    case Errc::overloaded:
    case Errc::quota_exhausted:
    case Errc::model_not_ready:
    case Errc::transient_server:
    case Errc::stream_broken:
    case Errc::no_endpoint:
    case Errc::unreachable:
    case Errc::content_filtered:
    case Errc::context_length_exceeded:
    case Errc::invalid_input: return true;
    default: return false;
  }
}

std::string why_no_answer(Errc code) {
  if (code == Errc::deadline_exceeded || code == Errc::timeout) return "the deadline has passed";
  if (code == Errc::refused) return "the budget does not allow it";
  return to_string(code);
}

bool is_over(const Searching& at) {
  return at.input.deadline <= std::chrono::milliseconds(at.wf.now().ms - at.started.ms);
}

void begin_with_intent(Searching& at) {
  auto& intent = at.result.intent;
  intent = at.input.intent ? Intent{*at.input.intent, 1, "asked"} : classify_query(at.input.question);
  at.result.understood = plain_understanding(at.input);
}

bool links_suffice(const Searching& at) {
  const auto& intent = at.result.intent;
  return intent.kind == IntentKind::navigational && is_sure(intent);
}

// What the question means; without a model's word, the question itself.
Task<Result<void>> understand(Searching& at) {
  auto request = understanding_request(at.input, to_iso8601(at.started).substr(0, 10));
  StepKey key{"understand", request_hash(request)};
  auto asking = complete_json(at.wf, key, std::move(request), kUnderstandingRepairs);
  auto answer = co_await asking;
  if (!answer) {
    auto code = answer.error().code;
    if (!leaves_links(code)) co_return std::unexpected(answer.error());
    at.result.note(fmt::format("the question was looked up as it stands: {}", to_string(code)));
    co_return Result<void>{};
  }
  for (const auto& one : answer->answers) at.result.spend.add(one);
  auto json = parse_json(answer->value.text);
  if (!json) co_return std::unexpected(json.error());
  at.result.understood = understanding_from(*json, at.input);
  auto& intent = at.result.intent;
  if (!is_sure(intent)) intent = {at.result.understood.intent, 1, "model"};
  co_return Result<void>{};
}

std::vector<std::string> shelf_names(const Toolbox& tools) {
  std::vector<std::string> out;
  for (const auto& spec : tools.specs())
    if (spec.name == "search" || spec.name.starts_with("search_")) out.push_back(spec.name);
  return out;
}

JsonText look_up_input(const std::string& query, const Filters& filters) {
  Json out{{"query", query}, {"limit", kFoundByQuery}};
  if (!filters.from.empty()) out["from"] = filters.from;
  if (!filters.to.empty()) out["to"] = filters.to;
  if (!filters.types.empty()) out["types"] = fmt::format("{}", fmt::join(filters.types, ","));
  if (!filters.people.empty()) out["people"] = fmt::format("{}", fmt::join(filters.people, ","));
  return {dump_json(out)};
}

Task<Result<ToolOutput>> look_up(Searching& at, std::string name, JsonText input) {
  StepKey key{"look_up", fmt::format("{}/{:016x}", name, stable_hash(input.text))};
  RetryPolicy retry{.attempts_max = 2};
  auto using_tool = at.wf.tool(key, at.tools.find(name), std::move(input), retry);
  auto output = co_await using_tool;
  co_return output;
}

// Every query on every shelf at once; what a shelf says is put on ours in the order of asking.
Task<Result<void>> look_up_all(Searching& at, const Filters& filters) {
  std::vector<Task<Result<ToolOutput>>> tasks;
  std::vector<FoundList> lists;
  auto queries = queries_of(at.result.understood);
  for (const auto& query : queries) {
    for (const auto& name : shelf_names(at.tools)) {
      tasks.push_back(look_up(at, name, look_up_input(query, filters)));
      lists.push_back({query, query == queries.front(), {}});
    }
  }
  auto joined = all(std::move(tasks), kLookUpsAtOnce);
  auto outputs = co_await joined;
  const Error* failed = nullptr;
  std::size_t answered = 0;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    ++at.result.spend.tool_calls;
    if (!outputs[i]) failed = &outputs[i].error();
    if (!outputs[i] || outputs[i]->is_error) continue;
    ++answered;
    lists[i].passages = at.shelf.add("search", std::to_string(i), *outputs[i]);
  }
  if (answered == 0 && failed != nullptr) co_return std::unexpected(*failed);
  if (answered < outputs.size()) at.result.note("some look-ups failed: there may be more than is shown");
  at.ranked = rank_found(lists, at.shelf.passages(), at.input.rank, at.input.results_max);
  co_return Result<void>{};
}

// What the asker set stays; what was read out of the question gives way.
Task<Result<void>> retrieve(Searching& at) {
  auto& understood = at.result.understood;
  auto looking = look_up_all(at, understood.filters);
  auto done = co_await looking;
  if (!done || !at.ranked.empty() || understood.filters == at.input.filters) co_return done;
  at.result.note(
      "nothing fits the time, kind or people that the question names: all documents were looked up");
  understood.filters = at.input.filters;
  auto again = look_up_all(at, understood.filters);
  auto looked = co_await again;
  co_return looked;
}

void list_results(Searching& at) {
  for (const auto& document : at.ranked) {
    const auto& passage = at.shelf.passages()[document.passages.front()];
    at.result.results.push_back({document.doc, passage.title, passage.url, document.score});
  }
  if (!at.ranked.empty()) at.result.served = "links";
}

// The best passage of each document, then the second best while there is room.
std::vector<research::Passage> chosen_sources(const Searching& at) {
  std::vector<research::Passage> out;
  for (std::size_t turn = 0; turn < kPassagesOfSource; ++turn)
    for (const auto& document : at.ranked)
      if (turn < document.passages.size() && out.size() < at.input.sources_max)
        out.push_back(at.shelf.passages()[document.passages[turn]]);
  return out;
}

void links_instead(Searching& at, const std::string& why) { at.result.note("links only, no answer: " + why); }

void keep_answer(Searching& at, const Completion& completion) {
  auto& result = at.result;
  result.model = completion.model;
  if (completion.stop == StopReason::content_filter)
    return links_instead(at, to_string(Errc::content_filtered));
  result.served = "answer";
  auto text = completion.text();
  if (summary::says_not_found(text)) return;
  // The last line of a text that was cut short is cut in the middle.
  if (completion.stop == StopReason::length) text.resize(std::min(text.rfind('\n'), text.size()));
  result.grounding = ground(text, result.sources, at.input.statements_max);
}

Task<Result<void>> write_answer(Searching& at) {
  at.result.sources = chosen_sources(at);
  if (is_over(at)) {
    links_instead(at, why_no_answer(Errc::deadline_exceeded));
    co_return Result<void>{};
  }
  auto request = answer_request(at.input, at.result.sources);
  auto hash = request_hash(request);
  auto call = at.wf.complete(summary::live_key(at.result.sources.size(), hash, summary::kAnswerStep),
                             std::move(request));
  auto answer = co_await call;
  if (!answer) {
    if (!leaves_links(answer.error().code)) co_return std::unexpected(answer.error());
    links_instead(at, why_no_answer(answer.error().code));
    co_return Result<void>{};
  }
  at.result.spend.add(*answer);
  keep_answer(at, answer->completion);
  co_return Result<void>{};
}

void take_back(Grounding& grounding, const Span& span) {
  for (auto& claim : grounding.claims)
    std::erase_if(claim.citations, [&](const Citation& citation) { return citation.span == span; });
  grounding.withdrawn +=
      std::erase_if(grounding.claims, [](const GroundedClaim& claim) { return claim.citations.empty(); });
}

using CitedSpans = std::set<std::pair<Span, std::string>>;

CitedSpans cited_spans(const Grounding& grounding) {
  CitedSpans cited;
  for (const auto& claim : grounding.claims)
    for (const auto& citation : claim.citations) cited.emplace(citation.span, citation.quote);
  return cited;
}

// Citations whose bytes are not there (any more, or for this asker) are taken back, and claims without any.
Task<Result<void>> verify_citations(Searching& at) {
  auto tool = at.tools.find(std::string(research::kVerifyTool));
  if (!tool) co_return Result<void>{};
  const auto cited = cited_spans(at.result.grounding);
  for (const auto& [span, quote] : cited) {
    auto opening = research::still_says(at.wf, tool, span, quote);
    auto there = co_await opening;
    ++at.result.spend.tool_calls;
    if (there && *there) continue;
    // One nobody could look up again may be gone, changed, or closed to who asks: it counts as that.
    ++at.result.unresolved;
    take_back(at.result.grounding, span);
  }
  co_return Result<void>{};
}

Task<Result<void>> answer_question(Searching& at) {
  auto writing = write_answer(at);
  auto written = co_await writing;
  if (!written) co_return written;
  auto verifying = verify_citations(at);
  auto verified = co_await verifying;
  co_return verified;
}

Task<Result<JsonText>> run_search(Workflow& wf, ShelfSource source, JsonText given) {
  auto input = read_search_input(given);
  if (!input) co_return std::unexpected(input.error());
  auto tools = source(given);
  if (!tools) co_return std::unexpected(tools.error());
  auto started = wf.now();
  tools->box = research::on_behalf_of(tools->box, input->principal);
  auto keeping = research::keep_opened(wf, *tools);
  auto kept = co_await keeping;
  if (!kept) co_return std::unexpected(kept.error());
  auto told = kept->told();
  Searching at(wf, std::move(*input), std::move(kept->box), started);
  for (const auto& note : told) at.result.note(research::one_line(note));
  if (shelf_names(at.tools).empty())
    co_return fail(Errc::input_missing, "there is nothing to search: no corpus is given or allowed");
  begin_with_intent(at);
  if (!links_suffice(at)) {
    auto understanding = understand(at);
    auto understood = co_await understanding;
    if (!understood) co_return std::unexpected(understood.error());
  }
  auto retrieving = retrieve(at);
  auto retrieved = co_await retrieving;
  if (!retrieved) co_return std::unexpected(retrieved.error());
  list_results(at);
  at.result.links_wanted = links_suffice(at);
  if (!at.result.links_wanted && !at.ranked.empty()) {
    auto answering = answer_question(at);
    auto answered = co_await answering;
    if (!answered) co_return std::unexpected(answered.error());
  }
  co_return JsonText{dump_json(search_json(at.input, at.result))};
}

}  // namespace

WorkflowFunction make_search(ShelfSource source) {
  return [source = std::move(source)](Workflow& wf, JsonText input) {
    return run_search(wf, source, std::move(input));
  };
}

}  // namespace troupe::search
