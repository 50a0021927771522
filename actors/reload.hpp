// How much of a node a changed configuration concerns. Pure.
#pragma once

#include "runtime/config/config.hpp"

#include <set>
#include <span>
#include <string>

namespace troupe::actors {

/// What a reload must make anew.
struct ReloadScope {
  /// The features divide what there is in another way: what was used of the old shares says nothing.
  bool shares = false;
  /// Features whose queues follow other rules; all of them when the shares change, since they use one tree.
  std::set<std::string> features;
};
/// `changed`: options that may be reloaded, by their paths.
ReloadScope reload_scope(std::span<const std::string> changed, const config::Config& config);

}  // namespace troupe::actors
