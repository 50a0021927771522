#include "runtime/policy/health.hpp"

#include <array>
#include <cstddef>

namespace troupe::policy {

const char* to_string(BreakerState state) {
  constexpr std::array names{"closed", "open", "partial"};
  return names[static_cast<std::size_t>(state)];
}

const char* to_string(TripReason reason) {
  constexpr std::array names{"none",    "ttft",        "errors",  "latency",   "throttled",
                             "relapse", "cooled_down", "ramped",  "recovered", "forced",
                             "itl",     "stalls",      "feedback"};
  return names[static_cast<std::size_t>(reason)];
}

}  // namespace troupe::policy
