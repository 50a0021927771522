// A small library, the extractive model over it, and models that misbehave.
#pragma once

#include "agents/research/prompts.hpp"
#include "providers/simulator/extractive.hpp"
#include "runtime/tools/corpus.hpp"
#include "tests/agents/research_world.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace troupe::research_test {

inline std::vector<tools::Document> library() {
  return {{.id = "skerry",
           .title = "Skerry Light",
           .text = "Skerry Light is a lighthouse on Gannet Rock. "
                   "It was designed by the engineer Aline Moor."},
          {.id = "moor",
           .title = "Aline Moor",
           .text = "Aline Moor was an engineer. She was born in Port Varr in "
                   "1871 and kept bees."},
          {.id = "elbow",
           .title = "Elbow Light",
           .text = "Elbow Light is a lighthouse of iron. It was lit in 1866."},
          {.id = "varr", .title = "Port Varr", .text = "Port Varr is a harbour town of nine hundred people."},
          {.id = "fog",
           .title = "Fog signals",
           .text = "Fog signals were fired by hand until horns replaced them."},
          {.id = "bees", .title = "Bees", .text = "Bees are kept for honey in many coast towns."}};
}

inline research::ToolSource shelves(std::vector<tools::Document> documents = library()) {
  auto made = tools::make_corpus(std::move(documents));
  std::shared_ptr<tools::Corpus> corpus = made ? *made : nullptr;
  return [corpus](const JsonText&) -> Result<Toolbox> {
    if (!corpus) return fail(Errc::input_missing, "no corpus");
    Toolbox out;
    auto search = out.add(tools::make_search_tool(corpus));
    auto open = out.add(tools::make_open_tool(corpus));
    if (!search || !open) return fail(Errc::internal, "two tools of one name");
    return out;
  };
}

inline Result<Completion> extract(const std::string&, const CompletionRequest& request) {
  return providers::simulator::answer(request);
}

inline bool asks_for(const CompletionRequest& request, std::string_view shape) {
  return request.response_schema && request.response_schema->name == shape;
}

inline Completion says(const Json& json) {
  Completion out;
  out.parts.emplace_back(TextPart{.text = dump_json(json)});
  return out;
}

inline Json a_task(const std::string& objective) {
  return Json{
      {"objective", objective},   {"output_format", "sentences"}, {"tools", {"search", "open_document"}},
      {"sources", Json::array()}, {"avoid", Json::array()},       {"boundaries", "only this"},
      {"background", ""},         {"starts", Json::array()},      {"priority", 0}};
}

/// The same in the form that a review gives.
inline Json a_gap(const std::string& objective) {
  auto out = a_task(objective);
  for (const char* key : {"sources", "avoid", "priority"}) out.erase(key);
  return out;
}

/// Plans `count` tasks, each about another numbered tower; everything else by rule.
inline ResearchWorld::Model planning(std::size_t count) {
  return [count](const std::string& run, const CompletionRequest& request) -> Result<Completion> {
    if (!asks_for(request, research::kPlanShape)) return extract(run, request);
    Json tasks = Json::array();
    for (std::size_t i = 0; i < count; ++i)
      tasks.push_back(a_task(fmt::format("Who designed the lighthouse Tower{} of Coast{}", i, i)));
    return says(
        Json{{"kind", "breadth_first"}, {"approach", "everything at once"}, {"tasks", std::move(tasks)}});
  };
}

inline Json outcome(ResearchWorld& world, const Json& input) {
  auto result = world.run(input);
  if (!result || !*result) {
    ADD_FAILURE() << (result ? (*result).error().what : "it did not end");
    return Json::object();
  }
  auto json = parse_json((*result)->text);
  return json ? *json : Json::object();
}

inline const Json kBridge = Json{{"question", "In which year was the designer of Skerry Light born?"}};
inline const Json kCompare = Json{{"question", "Are Skerry Light and Elbow Light both lighthouses?"}};

}  // namespace troupe::research_test
