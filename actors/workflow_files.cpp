#include "actors/workflow_files.hpp"

#include "actors/built_in.hpp"
#include "agents/declared/declared.hpp"
#include "runtime/config/words.hpp"

#include <fmt/format.h>

#include <memory>

namespace troupe::actors {

Result<WorkflowFiles> load_workflow_files(const config::Config& config, const Clock& clock) {
  WorkflowFiles out;
  auto taken = built_in_names();
  for (const auto& file : config.workflows) {
    auto loaded = declared::load_declared(file);
    if (!loaded) return std::unexpected(loaded.error());
    auto declared = std::make_shared<const declared::Declared>(std::move(*loaded));
    if (!taken.insert(declared->name).second)
      return fail(Errc::bad_config,
                  fmt::format("{}: there is another workflow named {}; give this one another name", file,
                              declared->name));
    out.budgets[declared->name] = declared->budget;
    out.durability[declared->name] = declared->durability;
    out.types.push_back(declared::declared_type(declared, clock));
  }
  return out;
}

std::set<std::string> known_workflows(const config::Config& config) {
  auto names = built_in_names();
  for (const auto& file : config.workflows)
    if (auto declared = declared::load_declared(file)) names.insert(declared->name);
  return names;
}

Result<void> check_schedules(const config::Config& config, const std::set<std::string>& workflows) {
  for (const auto& [name, schedule] : config.schedules) {
    if (workflows.contains(schedule.workflow)) continue;
    return fail(Errc::bad_config,
                fmt::format("{}: there is no workflow \"{}\"{}", schedule.where, schedule.workflow,
                            config::did_you_mean(schedule.workflow, {workflows.begin(), workflows.end()})));
  }
  return {};
}

}  // namespace troupe::actors
