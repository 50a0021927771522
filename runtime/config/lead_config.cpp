#include "runtime/config/lead_config.hpp"

#include "runtime/config/config.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>

namespace troupe::config {
namespace {

std::optional<int> digits(std::string_view text) {
  int value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  bool whole = error == std::errc() && end == text.data() + text.size() && text.front() != '-';
  return whole ? std::optional(value) : std::nullopt;
}

WallTime day_or_never(const std::string& text) {
  return text.empty() ? WallTime{} : read_day(text).value_or(WallTime{});
}

void add_sign_offs(policy::SignOffs& out, policy::Signed subject, const std::string& name,
                   const std::vector<SignOffConfig>& all) {
  for (const auto& each : all)
    out.add({subject, name, each.kind, each.data_classes, day_or_never(each.expires), {}});
}

std::vector<std::string> tenants_of(const Config& config, const ExperimentConfig& experiment) {
  auto out = experiment.tenants;
  for (const auto& [name, tenant] : config.tenants) {
    const auto& cohorts = tenant.cohorts;
    if (std::find_first_of(cohorts.begin(), cohorts.end(), experiment.cohorts.begin(),
                           experiment.cohorts.end()) != cohorts.end())
      out.push_back(name);
  }
  // A cohort without tenants is nobody, not everybody.
  if (out.empty() && !experiment.cohorts.empty()) out.emplace_back();
  return out;
}

policy::Experiment experiment_of(const Config& config, const std::string& name,
                                 const ExperimentConfig& from) {
  policy::Experiment out;
  out.name = name;
  out.layer = from.layer;
  out.salt = from.salt;
  out.unit = from.unit;
  out.slice = {from.from, from.percent};
  out.predicate = {from.features, tenants_of(config, from), from.languages, from.input_tokens_min,
                   from.input_tokens_max};
  for (const auto& arm : from.arms) out.arms.push_back({arm.name, arm.model, arm.share});
  out.begins = day_or_never(from.begins);
  out.ends = day_or_never(from.ends);
  return out;
}

}  // namespace

std::optional<WallTime> read_day(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  auto year = digits(text.substr(0, 4)), month = digits(text.substr(5, 2)), day = digits(text.substr(8, 2));
  if (!year || !month || !day) return std::nullopt;
  std::chrono::year_month_day date{std::chrono::year(*year),
                                   std::chrono::month(static_cast<unsigned>(*month)),
                                   std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  constexpr std::int64_t day_ms = 86'400'000;
  return WallTime{std::chrono::sys_days(date).time_since_epoch().count() * day_ms};
}

policy::SignOffs sign_offs_of(const Config& config) {
  policy::SignOffs out;
  for (const auto& [name, data] : config.endpoints.data_classes)
    out.add(policy::Checklist{name, data.provider, data.model});
  for (const auto& [name, provider] : config.providers)
    add_sign_offs(out, policy::Signed::provider, name, provider.sign_offs);
  for (const auto& [name, model] : config.models)
    add_sign_offs(out, policy::Signed::model, name, model.sign_offs);
  for (const auto& endpoint : config.endpoints.list)
    add_sign_offs(out, policy::Signed::endpoint, endpoint.id, endpoint.sign_offs);
  return out;
}

namespace {

// A model that something else of the feature sends calls to is no candidate, whoever compares it with what.
bool only_shadowed(const FeatureConfig& feature) {
  const auto& model = feature.shadow.model;
  bool diverted = std::ranges::any_of(feature.diverts, [&](const auto& each) { return each.model == model; });
  return !model.empty() && !diverted && model != feature.choice.weak && model != feature.choice.strong &&
         model != feature.budget.model;
}

}  // namespace

policy::LeadRules lead_rules_of(const Config& config) {
  policy::LeadRules out;
  std::vector<policy::Experiment> experiments;
  for (const auto& [name, each] : config.experiments)
    experiments.push_back(experiment_of(config, name, each));
  out.experiments = policy::ExperimentRules(std::move(experiments));
  for (const auto& [name, each] : config.rollouts)
    out.rollouts.push_back({name, each.feature, each.model, each.unit, each.salt, each.policy});
  for (const auto& [name, feature] : config.features)
    if (only_shadowed(feature)) out.shadowed.push_back({name, feature.shadow.model});
  return out;
}

std::string rollout_home(const Config& config, const RolloutConfig& rollout) {
  if (!rollout.home.empty()) return rollout.home;
  auto home = config.node.id;
  for (const auto& peer : config.cluster.peers) home = std::min(home, peer.id);
  return home;
}

}  // namespace troupe::config
