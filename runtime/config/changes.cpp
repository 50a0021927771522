#include "runtime/config/changes.hpp"

#include "runtime/config/option_text.hpp"

#include <algorithm>
#include <map>

namespace troupe::config {
namespace {

template <class Named>
NameChanges names_of(const std::map<std::string, Named>& before, const std::map<std::string, Named>& after) {
  NameChanges out;
  for (const auto& [name, unused] : before)
    if (!after.contains(name)) out.removed.insert(name);
  for (const auto& [name, unused] : after)
    if (!before.contains(name)) out.added.insert(name);
  return out;
}

std::map<std::string, const EndpointConfig*> by_id(const Config& config) {
  std::map<std::string, const EndpointConfig*> out;
  for (const auto& each : config.endpoints.list) out[each.id] = &each;
  return out;
}

std::map<std::string, const ShadowConfig*> shadows_of(const Config& config) {
  std::map<std::string, const ShadowConfig*> out;
  for (const auto& [name, feature] : config.features)
    if (!feature.shadow.model.empty()) out[name] = &feature.shadow;
  return out;
}

/// Reads the changed options one by one.
class ChangeReader {
 public:
  ChangeReader(const Config& before, const Config& after) : before_(before), after_(after) {
    out_.options = changed_options(before, after);
    out_.endpoints = names_of(by_id(before), by_id(after));
    out_.shadows = names_of(shadows_of(before), shadows_of(after));
    out_.rollouts = names_of(before.rollouts, after.rollouts);
  }

  ConfigChanges read() {
    for (const auto& each : out_.options) take(each);
    check_features();
    check_budgets();
    keep_changed(out_.endpoints, by_id(before_), by_id(after_));
    keep_changed(out_.shadows, shadows_of(before_), shadows_of(after_));
    keep_changed(out_.rollouts, before_.rollouts, after_.rollouts);
    std::erase_if(out_.redealt, [&](const auto& name) { return !out_.rollouts.changed.contains(name); });
    return std::move(out_);
  }

 private:
  void take(const ChangedOption& option) {
    // Whole ones that come or go: rollouts concern a feature, features are looked at by name.
    if (option.key == "features.*") return;
    if (option.key == "rollouts.*") return take_lead(option);
    auto what = takes(option.key).value_or(Takes::restart);
    switch (what) {
      case Takes::nothing: return;
      case Takes::routing: return add(out_.features, names_in(option, before_.features));
      case Takes::share: return take_share(option);
      case Takes::candidate: add(out_.features, names_in(option, before_.features)); [[fallthrough]];
      case Takes::shadow: return add(out_.shadows.changed, names_in(option, before_.features));
      case Takes::rollout: return add(out_.rollouts.changed, names_in(option, after_.rollouts));
      case Takes::leads: return take_lead(option);
      case Takes::endpoint: return take_endpoint(option);
      case Takes::provider: return take_provider(option);
      case Takes::sign_off: out_.sign_offs = true; return;
      case Takes::restart: return take_restart(option);
    }
  }

  // A feature may be named "a" beside one named "a.b": the longest name that fits is meant.
  template <class Named>
  static std::string names_in(const ChangedOption& option, const std::map<std::string, Named>& names) {
    auto start = option.path.find('.');
    if (start == std::string::npos) return {};
    std::string_view rest = std::string_view(option.path).substr(start + 1);
    std::string found;
    for (const auto& [name, unused] : names)
      if (is_below(rest, name) && name.size() > found.size()) found = name;
    return found;
  }
  static void add(std::set<std::string>& names, const std::string& name) {
    if (!name.empty()) names.insert(name);
  }

  void take_share(const ChangedOption& option) {
    add(out_.features, names_in(option, before_.features));
    // Without a limit for all together shares bound nothing.
    out_.shares = out_.shares || after_.node.tokens_per_minute > 0;
    if (!out_.shares) return;
    for (const auto& [name, unused] : after_.features) out_.features.insert(name);
  }

  void take_lead(const ChangedOption& option) {
    out_.leads = true;
    bool rollout = option.key.starts_with("rollouts");
    for (const auto* config : {&before_, &after_}) {
      if (rollout) {
        auto name = names_in(option, config->rollouts);
        if (name.empty()) continue;
        out_.features.insert(config->rollouts.at(name).feature);
        out_.rollouts.changed.insert(name);
        out_.redealt.insert(name);
        continue;
      }
      auto name = names_in(option, config->experiments);
      if (!name.empty()) take_experiment(config->experiments.at(name));
    }
  }

  void take_experiment(const ExperimentConfig& experiment) {
    for (const auto& [name, unused] : after_.features) {
      const auto& about = experiment.features;
      if (about.empty() || std::ranges::find(about, name) != about.end()) out_.features.insert(name);
    }
  }

  void take_endpoint(const ChangedOption& option) {
    auto from = option.path.find('['), to = option.path.find(']');
    if (from != std::string::npos && to != std::string::npos)
      out_.endpoints.changed.insert(option.path.substr(from + 1, to - from - 1));
  }

  void take_provider(const ChangedOption& option) {
    auto name = names_in(option, after_.providers);
    for (const auto& endpoint : after_.endpoints.list)
      if (endpoint.provider == name) out_.endpoints.changed.insert(endpoint.id);
  }

  // A provider that comes or goes brings or takes its credentials along; those of one that stays are held by
  // endpoints that stay.
  void take_restart(const ChangedOption& option) {
    if (is_below(option.key, "providers.*.auth")) {
      auto name = names_in(option, after_.providers);
      if (!before_.providers.contains(name) || !after_.providers.contains(name)) return;
      return out_.fixed.push_back(option.path + " (a provider of another name may be added instead)");
    }
    out_.fixed.push_back(option.path);
  }

  void check_features() {
    auto names = names_of(before_.features, after_.features);
    for (const auto* group : {&names.added, &names.removed})
      for (const auto& name : *group) {
        std::erase_if(out_.fixed,
                      [&](const auto& path) { return is_below(path, "features." + name + ".budget"); });
        out_.fixed.push_back("features." + name);
      }
  }

  // Budgets know the cheaper model by its place in the hierarchy.
  void check_budgets() {
    auto before = budget_rules(before_), after = budget_rules(after_);
    if (!before.any()) return;
    for (const auto& [name, rule] : before.features) {
      auto same = after.features.find(name);
      if (same != after.features.end() && same->second.cheaper != rule.cheaper)
        out_.fixed.push_back("features." + name +
                             ".hierarchy (it moves the model that leads when its budget is nearly spent)");
    }
  }

  // What was added or removed has not changed.
  template <class Named>
  static void keep_changed(NameChanges& names, const std::map<std::string, Named>& before,
                           const std::map<std::string, Named>& after) {
    std::erase_if(names.changed,
                  [&](const auto& name) { return !before.contains(name) || !after.contains(name); });
  }

  const Config& before_;
  const Config& after_;
  ConfigChanges out_;
};

}  // namespace

std::vector<ChangedOption> changed_options(const Config& before, const Config& after) {
  auto a = options_of(before), b = options_of(after);
  std::map<std::string, std::string> changed;
  auto compare = [&changed](const Options& from, const Options& to) {
    for (const auto& [path, value] : from) {
      auto other = to.find(path);
      if (other == to.end() || other->second.text != value.text) changed[path] = value.key;
    }
  };
  compare(a, b);
  compare(b, a);
  std::vector<ChangedOption> out;
  for (auto& [path, key] : changed) out.push_back({path, key});
  return out;
}

ConfigChanges changes_between(const Config& before, const Config& after) {
  return ChangeReader(before, after).read();
}

}  // namespace troupe::config
