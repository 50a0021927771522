#include "actors/built_in.hpp"

#include "actors/configured_tools.hpp"
#include "agents/recap/recap.hpp"
#include "agents/research/research.hpp"
#include "agents/summary/summary.hpp"

namespace troupe::actors {
namespace {

// To be raised when a run that began before would go another way with the new code: it is then left to a node
// that has the old one (M14).
constexpr const char* kVersion = "1";

}  // namespace

std::vector<WorkflowType> built_in_workflows(const config::ToolsConfig& tools, Clock& clock) {
  auto configured = std::make_shared<ConfiguredTools>(tools, clock);
  research::ToolSource source = [configured](const JsonText& input) {
    return configured->open(std::string(research::kResearchName), input);
  };
  std::vector<WorkflowType> out;
  auto add = [&out](std::string_view name, WorkflowFunction function) {
    auto from_before_versions = [](const std::string& from) { return from.empty(); };
    out.push_back({std::string(name), std::move(function), kVersion, from_before_versions});
  };
  add("recap", recap::recap);
  add("summary", summary::summarise);
  add(research::kResearchName, research::make_research(source));
  add(research::kAgentName, research::make_research_agent(source));
  return out;
}

std::set<std::string> built_in_names() {
  ManualClock never_read;
  std::set<std::string> out;
  for (const auto& type : built_in_workflows({}, never_read)) out.insert(type.name);
  return out;
}

}  // namespace troupe::actors
