// A whole replay: a trace, clouds and policies in, figures out.
#pragma once

#include "replay/arrivals.hpp"
#include "replay/driver.hpp"
#include "replay/policies.hpp"
#include "runtime/base/clock.hpp"

namespace troupe::replay {

struct ReplayOptions {
  std::string trace;
  /// A configuration; empty: the demo clouds, sized to the trace's mean.
  std::string clouds;
  std::vector<std::string> policies{"troupe"};
  /// `seed` of all; an empty mix: everything is the most patient interactive feature's.
  LoadOptions load;
  SyntheticOptions synthetic;
  DriverOptions driver;
};

struct ReplayReport {
  std::string trace;
  std::uint64_t seed = 0;
  double scale = 1;
  TraceFacts facts;
  Clouds clouds;
  std::vector<std::string> features;
  std::vector<PolicyResult> policies;
  double wall_seconds = 0;
};

/// Reads the trace once for its figures and once for each policy; `clock` only for wall_seconds. The same
/// options give the same report, wall_seconds aside. Fails as the trace, the configuration and the policies
/// do; bad_config for a feature nobody configured.
Result<ReplayReport> run_replay(const ReplayOptions& options, const Clock& clock);

}  // namespace troupe::replay
