// The public values of tools and budgets that are more than a struct.
#include <troupe/budget.hpp>
#include <troupe/tool.hpp>

#include <algorithm>

namespace troupe {

Result<void> Toolbox::add(ToolPtr tool) {
  if (find(tool->spec().name))
    return fail(Errc::invalid_input, "there are two tools named " + tool->spec().name);
  tools_.push_back(std::move(tool));
  return {};
}

ToolPtr Toolbox::find(const std::string& name) const {
  auto it = std::ranges::find_if(tools_, [&](const ToolPtr& tool) { return tool->spec().name == name; });
  return it == tools_.end() ? nullptr : *it;
}

std::vector<ToolSpec> Toolbox::specs() const {
  std::vector<ToolSpec> out;
  for (const auto& tool : tools_) out.push_back(tool->spec());
  return out;
}

Toolbox Toolbox::only(const std::vector<std::string>& names) const {
  Toolbox out;
  for (const auto& name : names)
    if (auto tool = find(name); tool && !out.find(name)) out.tools_.push_back(std::move(tool));
  return out;
}

const char* to_string(BudgetStage stage) {
  switch (stage) {
    case BudgetStage::plenty: return "plenty";
    case BudgetStage::warn: return "warn";
    case BudgetStage::degrade: return "degrade";
    case BudgetStage::spent: return "spent";
  }
  return "plenty";
}

}  // namespace troupe
