// What makes sign-offs, experiments, rollouts and shadows of a configuration sound (B4, D10, E5).
#include "runtime/config/config.hpp"
#include "runtime/config/words.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::config {
namespace {

class LeadCheck {
 public:
  explicit LeadCheck(const Config& config) : config_(config), sign_offs_(sign_offs_of(config)) {}

  std::vector<Problem> run() {
    for (const auto& [name, provider] : config_.providers)
      check_signatures("providers." + name, provider.sign_offs);
    for (const auto& [name, model] : config_.models) check_signatures("models." + name, model.sign_offs);
    for (std::size_t i = 0; i < config_.endpoints.list.size(); ++i)
      check_signatures(fmt::format("endpoints.list[{}]", i), config_.endpoints.list[i].sign_offs);
    for (const auto& [name, feature] : config_.features) check_feature("features." + name, feature);
    for (const auto& [name, each] : config_.experiments) check_experiment("experiments." + name, each);
    for (const auto& [name, each] : config_.rollouts) check_rollout("rollouts." + name, each);
    if (problems_.empty())
      if (auto bad = policy::validate(lead_rules_of(config_))) add("experiments", *bad);
    return std::move(problems_);
  }

 private:
  void add(std::string path, std::string what) { problems_.push_back({std::move(path), std::move(what)}); }

  template <class Named>
  bool known(const std::string& path, const char* what, const std::string& name, const Named& all) {
    if (all.contains(name)) return true;
    std::vector<std::string> names;
    for (const auto& [each, unused] : all) names.push_back(each);
    add(path, fmt::format("there is no {} \"{}\"{}", what, name, did_you_mean(name, names)));
    return false;
  }
  void day(const std::string& path, const std::string& text) {
    if (!text.empty() && !read_day(text)) add(path, "must be a day such as 2027-01-31");
  }

  void check_signatures(const std::string& path, const std::vector<SignOffConfig>& all) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      auto entry = fmt::format("{}.sign_offs[{}]", path, i);
      if (all[i].kind.empty()) add(entry + ".kind", "must say what was signed: legal, security, ...");
      for (const auto& name : all[i].data_classes)
        known(entry + ".data_classes", "data class", name, config_.endpoints.data_classes);
      day(entry + ".expires", all[i].expires);
    }
  }

  // A request that every endpoint must refuse is a mistake of the configuration, not of the caller.
  void check_feature(const std::string& path, const FeatureConfig& feature) {
    if (!feature.data_class.empty()) {
      if (!known(path + ".data_class", "data class", feature.data_class, config_.endpoints.data_classes))
        return;
      bool any = std::any_of(feature.hierarchy.begin(), feature.hierarchy.end(),
                             [&](const auto& model) { return !lacking(model, feature.data_class); });
      if (!any)
        add(path + ".data_class",
            lacking(feature.hierarchy.front(), feature.data_class).value_or("no model"));
    }
    if (feature.shadow.model.empty()) return;
    check_model(path + ".shadow.model", feature.shadow.model, feature);
    if (auto bad = policy::validate(feature.shadow.policy)) add(path + ".shadow", *bad);
  }

  // Why no endpoint of the model may see the data; nothing when one may.
  std::optional<std::string> lacking(const std::string& model, const std::string& data_class) const {
    std::optional<std::string> why = fmt::format("no endpoint serves model {}", model);
    for (const auto& endpoint : config_.endpoints.list) {
      if (endpoint.model != model) continue;
      auto missing = sign_offs_.missing({endpoint.id, endpoint.provider, model, data_class}, {},
                                        [](std::string_view) { return false; });
      if (!missing) return std::nullopt;
      why = to_text(*missing, data_class);
    }
    return why;
  }

  void check_model(const std::string& path, const std::string& model, const FeatureConfig& feature) {
    if (!known(path, "model", model, config_.models)) return;
    if (auto why = lacking(model, feature.data_class)) add(path, *why);
  }

  // The model leads, so it must be one of the feature's: the others stay its backups (C10).
  void check_leader(const std::string& path, const std::string& model, const std::string& name,
                    const FeatureConfig& feature) {
    check_model(path, model, feature);
    if (std::ranges::find(feature.hierarchy, model) == feature.hierarchy.end())
      add(path,
          fmt::format("model {} is not in the hierarchy of feature {}; add it there, last if it is only "
                      "tried out",
                      model, name));
  }

  void check_experiment(const std::string& path, const ExperimentConfig& each) {
    for (const auto& feature : each.features) known(path + ".features", "feature", feature, config_.features);
    day(path + ".begins", each.begins);
    day(path + ".ends", each.ends);
    for (std::size_t i = 0; i < each.arms.size(); ++i) {
      if (each.arms[i].model.empty()) continue;
      auto entry = fmt::format("{}.arms[{}].model", path, i);
      for (const auto& [name, feature] : config_.features)
        if (each.features.empty() || std::ranges::find(each.features, name) != each.features.end())
          check_leader(entry, each.arms[i].model, name, feature);
    }
  }

  void check_rollout(const std::string& path, const RolloutConfig& each) {
    if (known(path + ".feature", "feature", each.feature, config_.features))
      check_leader(path + ".model", each.model, each.feature, config_.features.at(each.feature));
    auto home = rollout_home(config_, each);
    bool here = home == config_.node.id ||
                std::ranges::find(config_.cluster.peers, home, &PeerEntry::id) != config_.cluster.peers.end();
    if (!here) add(path + ".home", fmt::format("there is no node \"{}\"", home));
    if (auto bad = policy::validate(each.policy)) add(path, *bad);
    check_copies(path, each);
  }

  // Without a shadow of its model it would wait for ever.
  void check_copies(const std::string& path, const RolloutConfig& each) {
    auto feature = config_.features.find(each.feature);
    if (each.policy.after_copies == 0 || feature == config_.features.end()) return;
    const auto& shadow = feature->second.shadow;
    if (shadow.model != each.model || shadow.policy.share <= 0)
      add(path + ".after_copies", fmt::format("needs copies to {}: give feature {} a shadow of that model",
                                              each.model, each.feature));
  }

  const Config& config_;
  policy::SignOffs sign_offs_;
  std::vector<Problem> problems_;
};

}  // namespace

std::vector<Problem> validate_lead(const Config& config) { return LeadCheck(config).run(); }

}  // namespace troupe::config
