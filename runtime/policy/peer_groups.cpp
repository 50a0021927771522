#include "runtime/policy/peer_groups.hpp"

#include <algorithm>

namespace troupe::policy {
namespace {

bool on_trial(const LeadRules& leads, std::string_view feature, const std::string& model) {
  auto names = [&](const auto& rule) { return rule.feature == feature && rule.model == model; };
  return std::ranges::any_of(leads.rollouts, names) || std::ranges::any_of(leads.shadowed, names);
}

}  // namespace

std::vector<std::string> peer_group(std::string_view feature, const std::vector<std::string>& hierarchy,
                                    const LeadRules* leads) {
  std::vector<std::string> group;
  for (const auto& model : hierarchy)
    if (group.empty() || leads == nullptr || !on_trial(*leads, feature, model)) group.push_back(model);
  return group;
}

}  // namespace troupe::policy
