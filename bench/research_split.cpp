// Tasks by rule from a question's words.
#include "bench/research_split.hpp"

#include "agents/research/prompts.hpp"
#include "agents/research/words.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

namespace troupe::bench {
namespace {

std::vector<std::string> objectives_of(const std::string& question, std::size_t count) {
  std::vector<std::string> out{question};
  auto words = research::telling_words(question);
  for (const auto& name : research::names_and_numbers(question)) {
    auto own = research::telling_words(name);
    auto rest = words;
    std::erase_if(rest, [&](const auto& word) { return std::ranges::find(own, word) != own.end(); });
    if (out.size() < count) out.push_back(fmt::format("About {}: {}", name, fmt::join(rest, " ")));
  }
  for (std::size_t size = words.size() / 2; size >= 2 && out.size() < count; --size) {
    for (std::size_t i = 0; i + size <= words.size() && out.size() < count; i += size) {
      auto from = words.begin() + static_cast<std::ptrdiff_t>(i);
      out.push_back(fmt::format("About {}", fmt::join(from, from + static_cast<std::ptrdiff_t>(size), " ")));
    }
  }
  if (out.size() > count) out.resize(count);
  return out;
}

Json task_of(const std::string& objective) {
  return Json{{"objective", objective},
              {"output_format", "sentences with their sources"},
              {"tools", {"search", "open_document"}},
              {"sources", Json::array()},
              {"avoid", Json::array()},
              {"boundaries", "only this"},
              {"background", ""},
              {"starts", Json::array()},
              {"priority", 0}};
}

}  // namespace

AgentsWay split_among(const KnownQuestion& question, std::size_t agents) {
  AgentsWay way;
  way.settings = Json{{"effort", "complex"}, {"subagents_max", agents}};
  Json tasks = Json::array();
  for (const auto& objective : objectives_of(question.question, agents)) tasks.push_back(task_of(objective));
  Json plan{{"kind", "breadth_first"}, {"approach", "the question and its parts"}, {"tasks", tasks}};
  way.model = [text = dump_json(plan)](const std::string& run, const CompletionRequest& request) {
    auto answer = extract(run, request);
    bool plans = request.response_schema && request.response_schema->name == research::kPlanShape;
    if (plans && answer) {
      answer->parts = {TextPart{.text = text}};
      answer->usage.output = static_cast<std::int64_t>(text.size() / 4);
    }
    return answer;
  };
  return way;
}

double agents_of(const Answered& answered) {
  const auto* list = find(answered.json, "agents");
  return list == nullptr ? 0 : static_cast<double>(list->size());
}

}  // namespace troupe::bench
