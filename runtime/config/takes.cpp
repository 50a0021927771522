// The table of what each option takes when it changes.
#include "runtime/config/changes.hpp"

#include <utility>

namespace troupe::config {
namespace {

// What nobody listed is nobody's: a new option must be thought about (tests/config/changes_test.cpp).
constexpr std::pair<std::string_view, Takes> kTakes[] = {
    {"node", Takes::restart},
    {"store", Takes::restart},
    {"cluster", Takes::restart},
    {"http", Takes::restart},
    {"tenants", Takes::restart},
    {"tools", Takes::restart},
    {"workflows", Takes::restart},
    {"schedules", Takes::restart},
    {"telemetry", Takes::restart},
    {"simulator", Takes::restart},
    {"prices", Takes::nothing},
    {"prices of endpoint", Takes::endpoint},
    {"providers.*", Takes::provider},
    {"providers.*.auth", Takes::restart},
    {"providers.*.sign_offs", Takes::sign_off},
    {"models.*", Takes::nothing},
    {"models.*.sign_offs", Takes::sign_off},
    {"endpoints.defaults", Takes::nothing},
    {"endpoints.data_classes", Takes::sign_off},
    {"endpoints.list[]", Takes::endpoint},
    {"endpoints.list[].sign_offs", Takes::sign_off},
    {"features.*.deadline", Takes::nothing},
    {"features.*.budget", Takes::restart},
    {"features.*.share", Takes::share},
    {"features.*.shadow", Takes::shadow},
    {"features.*.shadow.model", Takes::candidate},
    {"features.*.hierarchy", Takes::routing},
    {"features.*.class", Takes::routing},
    {"features.*.boundary", Takes::routing},
    {"features.*.data_class", Takes::routing},
    {"features.*.quality", Takes::routing},
    {"features.*.diverts", Takes::routing},
    {"features.*.after_first_token", Takes::routing},
    {"features.*.route", Takes::routing},
    {"features.*.retry", Takes::routing},
    {"features.*.admission", Takes::routing},
    {"features.*.hedge", Takes::routing},
    {"features.*.choice", Takes::routing},
    {"experiments.*", Takes::leads},
    {"rollouts.*.feature", Takes::leads},
    {"rollouts.*.model", Takes::leads},
    {"rollouts.*.unit", Takes::leads},
    {"rollouts.*.salt", Takes::leads},
    {"rollouts.*.stages", Takes::leads},
    {"rollouts.*.home", Takes::rollout},
    {"rollouts.*.after_copies", Takes::rollout},
    {"rollouts.*.dwell", Takes::rollout},
    {"rollouts.*.samples_min", Takes::rollout},
    {"rollouts.*.stage_time_max", Takes::rollout},
    {"rollouts.*.gates", Takes::rollout},
    {"rollouts.*.failure_margin", Takes::rollout},
    {"rollouts.*.ttft_ratio_max", Takes::rollout},
    {"rollouts.*.total_ratio_max", Takes::rollout},
    {"rollouts.*.cost_ratio_max", Takes::rollout},
    {"rollouts.*.quality_margin", Takes::rollout},
    {"rollouts.*.alpha", Takes::rollout},
};

}  // namespace

bool is_below(std::string_view key, std::string_view section) {
  if (!key.starts_with(section)) return false;
  return key.size() == section.size() || key[section.size()] == '.' || key[section.size()] == '[';
}

std::optional<Takes> takes(std::string_view key) {
  std::optional<Takes> found;
  std::size_t longest = 0;
  for (const auto& [section, what] : kTakes)
    if (is_below(key, section) && section.size() >= longest) found = what, longest = section.size();
  return found;
}

}  // namespace troupe::config
