// One rule for each of the prompts of research.
#include "providers/simulator/research_answers.hpp"

#include "providers/simulator/reading.hpp"
#include "providers/simulator/research_turns.hpp"
#include "runtime/json/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>

namespace troupe::providers::simulator {
namespace {

constexpr std::size_t kFindingsGiven = 8;
constexpr double kFindingMin = 0.2;
constexpr double kClaimHeld = 0.6;
constexpr std::size_t kReportSentences = 4;
// Beside the one that answers.
constexpr double kSentenceMin = 0.5;
constexpr std::size_t kTasksGiven = 4;

Json text_list(std::vector<std::string> texts) { return Json(std::move(texts)); }

Json task_for(const std::string& objective, const std::string& name, const ResearchPrompt& prompt) {
  auto starts = name.empty() ? std::vector<std::string>{} : std::vector<std::string>{name};
  return Json{{"objective", objective},
              {"output_format", "sentences with their sources"},
              {"tools", text_list(prompt.tools)},
              {"sources", Json::array()},
              {"avoid", Json::array()},
              {"boundaries", name.empty() ? "this question" : "only what concerns " + name},
              {"background", ""},
              {"starts", text_list(std::move(starts))},
              {"priority", 0}};
}

// The question without its names: what is asked of each.
std::string predicate_of(const std::string& question, const std::vector<std::string>& names) {
  std::set<std::string> named;
  for (const auto& name : names)
    for (auto& word : reading_words(name)) named.insert(std::move(word));
  std::string out;
  std::size_t begin = 0;
  while (begin < question.size()) {
    auto end = std::min(question.find_first_of(" ,?", begin), question.size());
    auto word = question.substr(begin, end - begin);
    auto stems = reading_words(word);
    if (!stems.empty() && !named.contains(stems.front())) out += (out.empty() ? "" : " ") + word;
    begin = end + 1;
  }
  return out;
}

std::string plan_answer(const ResearchPrompt& prompt) {
  auto names = names_in(prompt.question);
  Json tasks = Json::array();
  if (prompt.kind != "straightforward" && names.size() >= 2) {
    auto predicate = predicate_of(prompt.question, names);
    for (std::size_t i = 0; i < names.size() && i < kTasksGiven; ++i)
      tasks.push_back(task_for(fmt::format("About {}: {}", names[i], predicate), names[i], prompt));
  } else {
    tasks.push_back(task_for(prompt.question, "", prompt));
  }
  auto kind = prompt.kind.empty() ? std::string("straightforward") : prompt.kind;
  return dump_json(Json{{"kind", kind},
                        {"approach", "Look for the names, then for what they lead to."},
                        {"tasks", std::move(tasks)}});
}

std::string findings_answer(const ResearchPrompt& prompt, double found_min) {
  auto ranked = rank_sentences(prompt.question + " " + prompt.objective, prompt.sources);
  Json findings = Json::array();
  for (const auto& sentence : ranked) {
    if (findings.size() == kFindingsGiven || sentence.score < kFindingMin) break;
    findings.push_back(Json{
        {"text", sentence.text}, {"source", prompt.sources[sentence.source].id}, {"quote", sentence.text}});
  }
  bool enough = !ranked.empty() && ranked.front().score >= found_min;
  return dump_json(Json{{"findings", std::move(findings)},
                        {"sufficient", enough},
                        {"missing", enough ? "" : "no sentence holds enough of the question"}});
}

std::string review_answer(const ResearchPrompt& prompt, double found_min) {
  auto ranked = rank_sentences(prompt.question, prompt.sources);
  bool enough = !ranked.empty() && ranked.front().score >= found_min;
  // It has no better idea than the agents had: no further tasks.
  return dump_json(Json{{"sufficient", enough}, {"missing", ""}, {"tasks", Json::array()}});
}

std::string report_answer(const ResearchPrompt& prompt, double found_min) {
  auto ranked = rank_sentences(prompt.question, prompt.sources);
  auto answer = short_answer(prompt.question, prompt.sources, ranked);
  bool found = !answer.text.empty() && answer.score >= found_min;
  std::string report;
  std::size_t shown = 0;
  for (std::size_t i = 0; i < ranked.size(); ++i) {
    bool chosen = i == answer.from || (shown < kReportSentences && ranked[i].score >= kSentenceMin);
    if (!chosen) continue;
    ++shown;
    report += "- " + ranked[i].text + "\n";
  }
  return dump_json(Json{{"found", found}, {"answer", found ? answer.text : ""}, {"report", report}});
}

double held_by(const std::string& claim, const NumberedSource& source) {
  auto wanted = reading_words(claim);
  if (wanted.empty()) return 0;
  auto list = reading_words(source.title + " " + source.text);
  std::set<std::string> there(list.begin(), list.end());
  auto held = std::ranges::count_if(wanted, [&](const std::string& word) { return there.contains(word); });
  return static_cast<double>(held) / static_cast<double>(wanted.size());
}

// The source that holds most of it; null when none holds enough.
const NumberedSource* source_of(const std::string& claim, const std::vector<NumberedSource>& sources) {
  const NumberedSource* best = nullptr;
  double most = kClaimHeld;
  for (const auto& source : sources) {
    auto held = held_by(claim, source);
    if (held < most || (best != nullptr && held == most)) continue;
    most = held;
    best = &source;
  }
  return best;
}

std::string critique_answer(const ResearchPrompt& prompt) {
  Json verdicts = Json::array();
  for (std::size_t i = 0; i < prompt.claims.size(); ++i)
    verdicts.push_back(
        Json{{"claim", i + 1}, {"supported", source_of(prompt.claims[i], prompt.sources) != nullptr}});
  return dump_json(Json{{"verdicts", std::move(verdicts)}});
}

std::string citations_answer(const ResearchPrompt& prompt) {
  std::string out;
  std::string_view rest = prompt.report;
  while (!rest.empty()) {
    auto end = std::min(rest.find('\n'), rest.size());
    std::string line(rest.substr(0, end));
    const auto* source = line.starts_with('#') ? nullptr : source_of(line, prompt.sources);
    out += line;
    if (source != nullptr) out += fmt::format(" [{}]", source->id);
    if (end < rest.size()) out += '\n';
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return dump_json(Json{{"report", out}});
}

std::optional<std::string> shaped_answer(const std::string& shape, const ResearchPrompt& prompt,
                                         const ResearchRules& rules) {
  if (shape == "research_plan") return plan_answer(prompt);
  if (shape == "research_findings") return findings_answer(prompt, rules.found_min);
  if (shape == "research_review") return review_answer(prompt, rules.found_min);
  if (shape == "research_report") return report_answer(prompt, rules.found_min);
  if (shape == "research_critique") return critique_answer(prompt);
  if (shape == "research_citations") return citations_answer(prompt);
  return std::nullopt;
}

}  // namespace

double research_certainty(const CompletionRequest& request) {
  auto prompt = read_research_prompt(request);
  auto ranked = rank_sentences(prompt.question, prompt.sources);
  return short_answer(prompt.question, prompt.sources, ranked).score;
}

std::optional<std::vector<Part>> research_answer(const CompletionRequest& request,
                                                 const ResearchRules& rules) {
  if (request.response_schema) {
    const auto& shape = request.response_schema->name;
    if (!shape.starts_with("research_")) return std::nullopt;
    auto text = shaped_answer(shape, read_research_prompt(request), rules);
    if (!text) return std::nullopt;
    return std::vector<Part>{TextPart{.text = std::move(*text)}};
  }
  auto prompt = read_research_prompt(request);
  // Only what research's own prompts look like: others use tools as tool_answers.hpp says.
  if (prompt.question.empty() || prompt.objective.empty()) return std::nullopt;
  auto search = search_tool(request, prompt.objective);
  if (search.tool == nullptr) return std::nullopt;
  return search_turn(request, prompt, search);
}

}  // namespace troupe::providers::simulator
