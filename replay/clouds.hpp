// The world a replay runs in: endpoints, features and the model of each endpoint's cloud, from one
// configuration.
#pragma once

#include "replay/trace.hpp"
#include "runtime/config/config.hpp"

#include <string>
#include <vector>

namespace troupe::replay {

/// Something planned to go wrong, as the report follows it: which endpoints, and when.
struct Incident {
  std::string label;
  /// Indices of endpoints, ascending.
  std::vector<std::uint32_t> endpoints;
  /// Since the replay's start; `to` zero: until its end.
  Duration from{}, to{};
};

struct Clouds {
  config::Config config;
  /// One per entry of config.endpoints.list, in its order; shared faults are among its own.
  std::vector<config::SimulatedEndpoint> models;
  std::vector<Incident> incidents;
};

/// Pairs each endpoint with the `simulator.endpoints` entry of its name. One that has none gets the built-in
/// law: the default latency, and as capacity the endpoint's own limits. Shared faults strike the endpoints
/// whose provider (or simulated provider) and region match. bad_config when there is no endpoint or no
/// feature, or too many endpoints.
Result<Clouds> make_clouds(config::Config config);

inline constexpr std::size_t endpoints_max = 256;
inline constexpr std::size_t incidents_max = 32;

/// The demo's endpoints without the demo's faults, sized to the trace: reserved capacity is just the trace's
/// mean of input and of output tokens per minute, and each on-demand endpoint of the large model may use
/// twice that; the small one is unlimited. Breakers have their defaults. These sizes are assumptions, not
/// anybody's quotas.
Result<Clouds> demo_clouds(const TraceFacts& facts);

}  // namespace troupe::replay
