#include "runtime/config/choice_config.hpp"

#include "runtime/config/config.hpp"
#include "runtime/config/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace troupe::config {
namespace {

bool has_choice(const FeatureConfig& feature) {
  return !feature.choice.weak.empty() || !feature.choice.strong.empty();
}

Result<std::shared_ptr<const policy::DifficultyModel>> load_difficulty(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file || std::filesystem::is_directory(path))
    return fail(Errc::input_missing, path + " cannot be read");
  std::string text(policy::difficulty_file_max + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  auto model = policy::parse_difficulty(text);
  if (!model) return fail(Errc::bad_config, fmt::format("{}: {}", path, model.error().what));
  return std::make_shared<const policy::DifficultyModel>(std::move(*model));
}

std::size_t place_in(const std::vector<std::string>& hierarchy, const std::string& model) {
  return static_cast<std::size_t>(std::ranges::find(hierarchy, model) - hierarchy.begin());
}

}  // namespace

std::vector<Problem> load_choices(Config& config, const std::string& directory) {
  std::vector<Problem> problems;
  for (auto& [name, feature] : config.features) {
    if (feature.choice.model.empty()) continue;
    auto trained = load_difficulty((std::filesystem::path(directory) / feature.choice.model).string());
    if (trained)
      feature.choice.trained = std::move(*trained);
    else
      problems.push_back({fmt::format("features.{}.choice.model", name), trained.error().what});
  }
  return problems;
}

std::vector<Problem> validate_choices(const Config& config) {
  std::vector<Problem> problems;
  for (const auto& [name, feature] : config.features) {
    const auto& choice = feature.choice;
    auto path = fmt::format("features.{}.choice", name);
    if (!(choice.strong_share >= 0 && choice.strong_share <= 1))
      problems.push_back({path + ".strong_share", "is a share, from 0 to 1"});
    if (!has_choice(feature)) {
      if (!choice.model.empty())
        problems.push_back({path, "needs `weak` and `strong`, models of the hierarchy"});
      continue;
    }
    for (auto [key, model] : {std::pair("weak", &choice.weak), std::pair("strong", &choice.strong)})
      if (std::ranges::find(feature.hierarchy, *model) == feature.hierarchy.end())
        problems.push_back(
            {fmt::format("{}.{}", path, key), fmt::format("\"{}\" is no model of the hierarchy{}", *model,
                                                          did_you_mean(*model, feature.hierarchy))});
    if (choice.weak == choice.strong)
      problems.push_back({path, "weak and strong are the same model; there is nothing to choose"});
    if (choice.trained == nullptr)
      problems.push_back({path + ".model", "must name a file that `choice_bench train` has written"});
  }
  return problems;
}

std::optional<policy::ChoiceRule> choice_rule(const Config& config, const std::string& feature) {
  const auto& from = config.features.at(feature);
  if (!has_choice(from) || from.choice.trained == nullptr) return std::nullopt;
  return policy::ChoiceRule{from.choice.trained, place_in(from.hierarchy, from.choice.weak),
                            place_in(from.hierarchy, from.choice.strong),
                            policy::difficulty_threshold(*from.choice.trained, from.choice.strong_share)};
}

}  // namespace troupe::config
