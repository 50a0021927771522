// What differs between two configurations, and what a running node must make anew to follow the second. Pure.
#pragma once

#include "runtime/config/config.hpp"

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::config {

/// An option whose values differ.
struct ChangedOption {
  /// Where it is; an endpoint's by its id: "features.recap.route.pools", "endpoints.list[main].model".
  std::string path;
  /// As known_keys() names it ("features.*.route.pools"); "prices of endpoint" for what price lists say of
  /// one.
  std::string key;
};
/// Sorted by path. Secrets are compared by reference, prices of a table by what was read of it; the order of
/// endpoints says nothing.
std::vector<ChangedOption> changed_options(const Config& before, const Config& after);

/// What a running node makes anew when an option changes; everything else stays as it is.
enum class Takes : std::uint8_t {
  nothing,    ///< nobody acts by it, or only by what it does to other options
  routing,    ///< the feature's queue
  share,      ///< with a limit for all (node.tokens_per_minute) every feature's queue: they use one tree
  shadow,     ///< the feature's shadow
  candidate,  ///< the same and the feature's queue, which holds the shadow's model back (B5)
  rollout,    ///< how the rollout is judged
  leads,      ///< the queues of the features the experiment or rollout is about
  endpoint,   ///< that endpoint
  provider,   ///< the provider's endpoints
  sign_off,   ///< what has been signed
  restart,    ///< cannot be taken over
};
/// `key` as known_keys() names it. Nothing for a key nobody has thought about.
std::optional<Takes> takes(std::string_view key);

/// Does `key` name `section` or something in it?
bool is_below(std::string_view key, std::string_view section);

struct NameChanges {
  std::set<std::string> added, removed, changed;
  bool empty() const { return added.empty() && removed.empty() && changed.empty(); }
};

/// What a node has to do to get from one configuration to another.
struct ConfigChanges {
  std::vector<ChangedOption> options;
  /// Why it cannot, an entry for each option that needs a restart; then the rest says nothing.
  std::vector<std::string> fixed;
  NameChanges endpoints;
  /// By feature.
  NameChanges shadows;
  /// Changed: judged or dealt in another way. `redealt`: the latter, so what one was given before its change
  /// says nothing of it.
  NameChanges rollouts;
  std::set<std::string> redealt;
  /// Features that need a queue with the new rules.
  std::set<std::string> features;
  bool shares = false, leads = false, sign_offs = false;
  bool empty() const { return options.empty(); }
};
ConfigChanges changes_between(const Config& before, const Config& after);

/// "endpoints +new -old ~main; shadows +recap; queues recap", for people; empty when nothing is made anew.
std::string to_text(const ConfigChanges& changes);

}  // namespace troupe::config
