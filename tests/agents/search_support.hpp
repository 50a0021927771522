// A small library with dates, owners and readers, and a search over it by script.
#pragma once

#include "agents/search/search.hpp"
#include "providers/simulator/extractive.hpp"
#include "runtime/json/json.hpp"
#include "runtime/tools/corpus.hpp"
#include "tests/support/scripted_driver.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace troupe::search_test {

using testing::ScriptedDriver;

inline std::vector<tools::Document> handbook() {
  std::vector<tools::Document> out{
      {.id = "skerry",
       .title = "Skerry Light",
       .text =
           "Skerry Light is a lighthouse on Gannet Rock. It was designed by the engineer Aline Moor in 1899.",
       .url = "https://wiki.example/lights/skerry",
       .date = "2024-05-02",
       .type = "wiki page",
       .people = {"Ann Lee"}},
      {.id = "elbow",
       .title = "Elbow Light",
       .text = "Elbow Light is a lighthouse of iron. It was lit in 1866 and burns paraffin.",
       .url = "https://wiki.example/lights/elbow",
       .date = "2022-01-10",
       .type = "pdf",
       .people = {"Bo Rask"}},
      {.id = "duty",
       .title = "Duty roster",
       .text = "The duty roster of the keepers. Every keeper stands four hours of watch at night.",
       .url = "https://wiki.example/duty"},
      {.id = "expenses",
       .title = "Expense form",
       .text = "Send the expense form to the paymaster by the fifth of the month.",
       .url = "https://wiki.example/expenses"}};
  tools::Document secret{.id = "secret",
                         .title = "Wreck report",
                         .text = "The wreck of the Marigold was blamed on the lamp of Skerry Light."};
  secret.readers = std::vector<std::string>{"harbour-master"};
  out.push_back(std::move(secret));
  return out;
}

inline Toolbox shelves_of(std::vector<tools::Document> documents = handbook()) {
  auto corpus = tools::make_corpus(std::move(documents));
  Toolbox out;
  if (!corpus) return out;
  auto search = out.add(tools::make_filtering_search_tool(*corpus));
  auto open = out.add(tools::make_open_tool(*corpus));
  EXPECT_TRUE(search && open);
  return out;
}

inline ScriptedDriver::Model by_rule() {
  return [](const StepKey&, const CompletionRequest& request) -> Result<Completion> {
    return providers::simulator::answer(request);
  };
}

/// By rule, but for the answer: that is `text`.
inline ScriptedDriver::Model answering(std::string text) {
  return [text](const StepKey& key, const CompletionRequest& request) -> Result<Completion> {
    if (key.name == "answer") return testing::text_completion(text);
    return providers::simulator::answer(request);
  };
}

inline Result<JsonText> searched(ScriptedDriver& driver, const Json& input,
                                 research::OpenedTools shelves = shelves_of()) {
  auto workflow =
      search::make_search([shelves](const JsonText&) -> Result<research::OpenedTools> { return shelves; });
  Workflow wf(driver);
  auto output = testing::drive(driver, workflow(wf, {dump_json(input)}));
  return output ? *output : Result<JsonText>(fail(Errc::internal, "it did not end"));
}

inline Json outcome(ScriptedDriver& driver, const Json& input, research::OpenedTools shelves = shelves_of()) {
  auto output = searched(driver, input, std::move(shelves));
  auto json = output ? parse_json(output->text) : Result<Json>(std::unexpected(output.error()));
  EXPECT_TRUE(json) << json.error().what;
  return json ? *json : Json::object();
}

inline std::vector<std::string> docs_of(const Json& search) {
  std::vector<std::string> out;
  if (const auto* results = find(search, "results"))
    for (const auto& result : *results) out.push_back(get_string(result, "doc"));
  return out;
}
inline std::string first_doc(const Json& search) {
  auto docs = docs_of(search);
  return docs.empty() ? std::string() : docs.front();
}

inline const Json kDesigner = Json{{"question", "Who designed Skerry Light?"}};

}  // namespace troupe::search_test
