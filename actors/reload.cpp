#include "actors/reload.hpp"

namespace troupe::actors {

ReloadScope reload_scope(std::span<const std::string> changed, const config::Config& config) {
  ReloadScope scope;
  for (const auto& option : changed)
    for (const auto& [name, feature] : config.features) {
      auto path = "features." + name + ".";
      if (!option.starts_with(path)) continue;
      scope.features.insert(name);
      // Without a limit for all together shares bound nothing.
      bool share = option.compare(path.size(), 6, "share.") == 0;
      scope.shares = scope.shares || (share && config.node.tokens_per_minute > 0);
    }
  if (scope.shares)
    for (const auto& [name, feature] : config.features) scope.features.insert(name);
  return scope;
}

}  // namespace troupe::actors
