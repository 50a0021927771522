// A place in the cast: who plays it now, and how often it had to be filled again.
#pragma once

#include <troupe/time.hpp>

#include <caf/actor_control_block.hpp>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace troupe::actors {

struct CastPlace {
  caf::strong_actor_ptr actor;
  std::string endpoint;  // empty: plays another part
  std::vector<Instant> failures;
  std::optional<Instant> again_at;
  std::function<void()> spawn;
  bool given_up = false;

  /// Who played it has failed. The pause before it is filled again, twice as long for each failure within
  /// `window`; nothing when these are more than `most`: then it stays empty.
  std::optional<Duration> failed(Instant now, Duration window, std::size_t most, Duration pause) {
    std::erase_if(failures, [&](Instant at) { return now - at > window; });
    failures.push_back(now);
    actor = nullptr;
    given_up = failures.size() > most;
    if (given_up) return std::nullopt;
    pause *= 1LL << (failures.size() - 1);
    again_at = now + pause;
    return pause;
  }
};

}  // namespace troupe::actors
