// What is wrong with the clouds while customers are moved from one model to another, by seed (B5-B9).
#pragma once

#include "runtime/config/config.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace troupe::replay {

/// Above `knee` calls in flight calls fail, the more the more there are; from `ceiling` on all do. Zero
/// ceiling: never.
struct LoadLaw {
  std::uint32_t knee = 0, ceiling = 0;
  /// Chance that the next call fails.
  double failing(std::uint32_t in_flight) const;
};

struct MigrationCloud {
  config::SimulatedEndpoint model;
  LoadLaw load;
};

/// The model that serves and the one that is to.
inline constexpr const char* migration_old = "old";
inline constexpr const char* migration_new = "new";
inline constexpr const char* migration_feature = "chat";

/// Two endpoints of the old model and three of the new, over three providers, each able to carry all the
/// load while it is well; one feature.
struct MigrationWorld {
  config::Config config;
  /// One per endpoint, in the configuration's order.
  std::vector<MigrationCloud> clouds;
  /// Of requests, by their kind, the new model refuses so many as malformed, on every endpoint and whenever
  /// asked: a tool's schema it does not take, say. No health shows it, for that is the caller's fault (F3),
  /// and nobody else is asked then.
  double refused_share = 0;
  /// Each thing that is wrong, in words.
  std::vector<std::string> chaos;
};

/// Defects are of the new model's endpoints, any number of the three, and last for ever: dead, silent, slow,
/// throttled, failing now and then, breaking off, poor, too small, failing with growing load. They begin at
/// the start or within `chaos_until`. Incidents are of one endpoint at a time, old or new: dead, silent,
/// slow, failing or throttled for one to four minutes. All incidents are over by `chaos_until`; half
/// strike the old model. In half of the worlds with nothing of this, and in a quarter of the others, the new
/// model refuses 5 to 40 % of requests.
MigrationWorld migration_world(std::uint64_t seed, Duration chaos_until);

}  // namespace troupe::replay
