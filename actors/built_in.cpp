#include "actors/built_in.hpp"

#include "actors/configured_tools.hpp"
#include "actors/edition.hpp"
#include "agents/recap/recap.hpp"
#include "agents/recap_night/export_world.hpp"
#include "agents/recap_night/workflows.hpp"
#include "agents/research/research.hpp"
#include "agents/search/search.hpp"
#include "agents/summary/summary.hpp"
#include "agents/tool_tester/tool_test.hpp"
#include "runtime/json/json.hpp"
#include "runtime/tools/calculator.hpp"
#include "runtime/tools/corpus.hpp"

#include <mutex>

namespace troupe::actors {
namespace {

// To be raised when a run that began before would go another way with the new code: it is then left to a node
// that has the old one (M14).
constexpr const char* kVersion = "1";

// A night and all it starts look at one world, as long as its files stay as they are.
class OpenWorlds {
 public:
  Result<recap_night::NightWorld> open(const Json& input) {
    auto name = edition_of(get_string(input, "input"));
    for (const char* key : {"people", "recaps"}) name += "\n" + get_string(input, key);
    name += "\n" + edition_of(get_string(input, "people"));
    std::lock_guard lock(mutex_);
    if (name == name_) return world_;
    auto opened = recap_night::open_export_world(input);
    if (!opened) return opened;
    name_ = std::move(name);
    return world_ = std::move(*opened);
  }

 private:
  std::mutex mutex_;
  std::string name_;
  recap_night::NightWorld world_;
};

recap_night::PortsPtr night_ports(std::shared_ptr<recap_night::SharedRuns> shared) {
  auto ports = std::make_shared<recap_night::NightPorts>();
  ports->open = [worlds = std::make_shared<OpenWorlds>()](const Json& input) { return worlds->open(input); };
  ports->runs = std::move(shared);
  return ports;
}

/// What looks things up: for agents, and for a search.
struct Sources {
  research::ToolSource tools;
  search::ShelfSource shelves;
  research::ToolSource tested;
};

std::vector<WorkflowType> workflows_with(const Sources& sources, Clock& clock,
                                         std::shared_ptr<recap_night::SharedRuns> shared) {
  std::vector<WorkflowType> out;
  auto add = [&out](std::string_view name, std::string_view version, WorkflowFunction function,
                    std::string_view same_steps = "") {
    // Runs from before there were versions ask for the same steps.
    auto older = [same_steps](const std::string& from) { return from.empty() || from == same_steps; };
    out.push_back({std::string(name), std::move(function), std::string(version), older});
  };
  add("recap", kVersion, recap::recap);
  add("summary", summary::kSummaryVersion, summary::summarise, summary::kFirstVersion);
  add(research::kResearchName, research::kResearchVersion, research::make_research(sources.tools, clock));
  add(research::kAgentName, research::kResearchVersion, research::make_research_agent(sources.tools));
  add(search::kSearchName, search::kSearchVersion, search::make_search(sources.shelves));
  add(tool_tester::kToolTestName, tool_tester::kToolTestVersion, tool_tester::make_tool_test(sources.tested));
  for (auto& type : recap_night::night_workflows(night_ports(std::move(shared))))
    out.push_back(std::move(type));
  return out;
}

// --input of a test is its tasks; what the tools look things up in is its "corpus".
Result<research::OpenedTools> open_tested(ConfiguredTools& configured, const JsonText& input) {
  auto given = parse_json(input.text);
  if (!given) return std::unexpected(given.error());
  Json asked{{"input", get_string(*given, "corpus")},
             {"principal", get_string(*given, "principal")},
             {"tools", get_string(*given, "tools")}};
  return configured.open(std::string(tool_tester::kToolTestName), {dump_json(asked)});
}

Result<Toolbox> tools_on_paper() {
  Toolbox box;
  for (auto& tool :
       {tools::make_search_tool(nullptr), tools::make_open_tool(nullptr), tools::make_calculator()})
    if (auto added = box.add(tool); !added) return std::unexpected(added.error());
  return box;
}

}  // namespace

std::vector<WorkflowType> built_in_workflows(BuiltInParts parts) {
  auto configured =
      std::make_shared<ConfiguredTools>(std::move(parts.tools), *parts.clock, std::move(parts.descriptions));
  Sources sources;
  sources.tools = [configured](const JsonText& input) {
    return configured->open(std::string(research::kResearchName), input);
  };
  sources.shelves = [configured](const JsonText& input) {
    return configured->open_shelves(std::string(search::kSearchName), input);
  };
  sources.tested = [configured](const JsonText& input) { return open_tested(*configured, input); };
  return workflows_with(sources, *parts.clock, std::move(parts.shared));
}

std::vector<WorkflowType> built_in_workflows_on_paper(Clock& clock) {
  auto on_paper = [](const JsonText&) -> Result<research::OpenedTools> { return tools_on_paper(); };
  return workflows_with({on_paper, on_paper, on_paper}, clock, nullptr);
}

std::set<std::string> built_in_names() {
  ManualClock never_read;
  std::set<std::string> out;
  for (const auto& type : built_in_workflows_on_paper(never_read)) out.insert(type.name);
  return out;
}

}  // namespace troupe::actors
