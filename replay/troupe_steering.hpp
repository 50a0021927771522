// The live routing layer, unchanged, under a replay: a Dispatcher per feature, a guard and a breaker per
// endpoint.
#pragma once

#include "replay/clouds.hpp"
#include "replay/steering.hpp"

#include <memory>

namespace troupe::replay {

/// Wired as the actors wire them (actors/feature_queue.cpp, endpoint.cpp, breaker.cpp) in a node of its own:
/// what one tells another arrives at once, breakers publish what they know every `tick` and whenever they
/// move, queues look at the time at every tick. Two things are left out: probes of idle endpoints (F15),
/// which are no trace's requests, and limits told in response headers. Ticks at which nothing is under way
/// and every breaker is closed are skipped until the next event; nothing could tell the difference but the
/// views' age.
///
/// `config` is that of the clouds, or one that differs by what an ablation switches. With
/// node.tokens_per_minute the features share a quota tree, as in a node; `kept_room` off: it keeps no room
/// for better classes.
std::unique_ptr<Steering> make_troupe(const config::Config& config, const std::vector<std::string>& features,
                                      std::uint64_t seed, Instant start, WallTime wall,
                                      bool kept_room = true);

}  // namespace troupe::replay
