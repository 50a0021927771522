// What makes a judge of a feature's shadow sound (EVALUATION 4.3, 13; D10, D11).
#include "runtime/config/config.hpp"
#include "runtime/config/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace troupe::config {
namespace {

constexpr std::size_t kRubricBytesMax = 8192;

class JudgeCheck {
 public:
  explicit JudgeCheck(const Config& config) : config_(config) {}

  std::vector<Problem> run() {
    for (const auto& [name, feature] : config_.features)
      if (feature.shadow.judge.feature.empty())
        check_none("features." + name + ".shadow.judge", feature.shadow.judge);
      else
        check("features." + name + ".shadow.judge", name, feature);
    return std::move(problems_);
  }

 private:
  void add(std::string path, std::string what) { problems_.push_back({std::move(path), std::move(what)}); }

  void check_none(const std::string& path, const JudgeConfig& judge) {
    if (judge.policy.share > 0 || !judge.rubric.empty())
      add(path + ".feature", "is missing: a judge needs a feature of its own to ask through");
  }

  void check(const std::string& path, const std::string& name, const FeatureConfig& judged) {
    const auto& judge = judged.shadow.judge;
    if (auto bad = policy::validate(judge.policy)) add(path, *bad);
    if (judge.rubric.size() > kRubricBytesMax)
      add(path + ".rubric", fmt::format("has {} bytes; at most {}", judge.rubric.size(), kRubricBytesMax));
    if (judged.shadow.model.empty())
      return add(path + ".feature", "there is nothing to judge: the shadow has no model");
    auto found = config_.features.find(judge.feature);
    if (found == config_.features.end()) return add(path + ".feature", unknown_feature(judge.feature));
    if (judge.feature == name)
      return add(path + ".feature", "a feature does not judge itself; give the judge one of its own");
    check_feature(path + ".feature", name, judged, found->second);
    check_models(path + ".feature", judged, found->second);
  }

  std::string unknown_feature(const std::string& name) const {
    std::vector<std::string> names;
    for (const auto& [each, unused] : config_.features) names.push_back(each);
    return fmt::format("there is no feature \"{}\"{}", name, did_you_mean(name, names));
  }

  // What is judged goes along with the call, so its rules do as well.
  void check_feature(const std::string& path, const std::string& name, const FeatureConfig& judged,
                     const FeatureConfig& judging) {
    const auto& feature = judged.shadow.judge.feature;
    if (judging.work_class != policy::WorkClass::batch)
      add(path, fmt::format("feature {} must be of class batch: judging waits for customers", feature));
    if (!judged.data_class.empty() && judging.data_class != judged.data_class)
      add(path,
          fmt::format("feature {} must have data_class {}, as what it judges", feature, judged.data_class));
    if (!judged.boundary.empty() && judging.boundary != judged.boundary)
      add(path, fmt::format("feature {} must have boundary {}, as what it judges", feature, judged.boundary));
    if (!judging.shadow.model.empty())
      add(path, fmt::format("feature {} has a shadow; who judges {} is not tried out at the same time",
                            feature, name));
  }

  // A model prefers what it wrote itself.
  void check_models(const std::string& path, const FeatureConfig& judged, const FeatureConfig& judging) {
    auto of_judged = judged.hierarchy;
    of_judged.push_back(judged.shadow.model);
    auto behind = remote_models(of_judged);
    for (const auto& model : judging.hierarchy) {
      if (std::ranges::find(of_judged, model) != of_judged.end()) {
        add(path, fmt::format("model {} would judge its own answers; a judge must be another model", model));
        continue;
      }
      for (const auto& endpoint : config_.endpoints.list)
        if (endpoint.model == model) check_endpoint(path, endpoint, behind);
    }
  }

  void check_endpoint(const std::string& path, const EndpointConfig& endpoint,
                      const std::set<std::string>& behind) {
    if (behind.contains(endpoint.remote_model))
      add(path, fmt::format("{} is {} as well, a model whose answers it would judge; a judge must be another",
                            endpoint.id, endpoint.remote_model));
    bool priced = endpoint.tariff.fixed || !endpoint.tariff.rows.empty();
    if (!priced && endpoint.kind == policy::CapacityKind::on_demand)
      add(path,
          fmt::format("endpoint {} has no price, so that the judge's budget could not be kept", endpoint.id));
  }

  std::set<std::string> remote_models(const std::vector<std::string>& models) const {
    std::set<std::string> out;
    for (const auto& endpoint : config_.endpoints.list)
      if (std::ranges::find(models, endpoint.model) != models.end()) out.insert(endpoint.remote_model);
    return out;
  }

  const Config& config_;
  std::vector<Problem> problems_;
};

}  // namespace

std::vector<Problem> validate_judges(const Config& config) { return JudgeCheck(config).run(); }

}  // namespace troupe::config
