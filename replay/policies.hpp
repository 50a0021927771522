// Policies by name: what each comparison switches, and nothing else.
#pragma once

#include "replay/clouds.hpp"
#include "replay/steering.hpp"

#include <memory>
#include <string>
#include <vector>

namespace troupe::replay {

struct PolicyName {
  std::string name;
  /// For people: what it does, or what the ablation leaves out.
  std::string sentence;
};
/// Every policy there is: `troupe`, the baselines, and `troupe-no-…` for each mechanism.
const std::vector<PolicyName>& policy_names();
/// "a,b" or "all" as names; invalid_input names the unknown one and lists the known.
Result<std::vector<std::string>> parse_policies(const std::string& text);

/// A policy over these clouds, from its beginning.
Result<std::unique_ptr<Steering>> make_policy(const std::string& name, const Clouds& clouds,
                                              const std::vector<std::string>& features, std::uint64_t seed,
                                              Instant start, WallTime wall);

}  // namespace troupe::replay
