#include "actors/built_in.hpp"

#include "actors/configured_tools.hpp"
#include "agents/recap/recap.hpp"
#include "agents/research/research.hpp"
#include "agents/summary/summary.hpp"

namespace troupe::actors {

std::vector<WorkflowType> built_in_workflows(const config::ToolsConfig& tools, Clock& clock) {
  auto configured = std::make_shared<ConfiguredTools>(tools, clock);
  research::ToolSource source = [configured](const JsonText& input) {
    return configured->open(std::string(research::kResearchName), input);
  };
  std::vector<WorkflowType> out;
  out.push_back({"recap", recap::recap, {}, {}});
  out.push_back({"summary", summary::summarise, {}, {}});
  out.push_back({std::string(research::kResearchName), research::make_research(source), {}, {}});
  out.push_back({std::string(research::kAgentName), research::make_research_agent(source), {}, {}});
  return out;
}

}  // namespace troupe::actors
