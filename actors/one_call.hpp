// One request to one endpoint, without the cast: what `troupe call` does to show whether an endpoint answers.
#pragma once

#include "actors/interfaces.hpp"
#include "runtime/config/config.hpp"

#include <functional>
#include <string>
#include <vector>

namespace troupe::actors {

/// Encodes, authorizes, sends and decodes as the node would: one attempt, no breaker, no queue, no journal,
/// no retry beyond the refresh of a rejected credential. A `base_url: simulator` is answered by a simulator
/// started for it. Blocks until the answer is whole or has failed; `on_events` is called on the I/O thread as
/// it streams. Fails with not_found when no endpoint has the id, bad_config when it cannot be set up; what
/// the provider said is in the result.
Result<AttemptResultPtr> call_once(const config::Config& config, const std::string& endpoint,
                                   CompletionRequest request,
                                   std::function<void(std::span<const StreamEvent>)> on_events = {});

}  // namespace troupe::actors
