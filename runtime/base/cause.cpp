// Names of the reasons why a call was made; the ledger is read by them.
#include <troupe/workflow.hpp>

#include <array>

namespace troupe {

const char* to_string(Cause cause) {
  constexpr std::array names{"primary", "retry", "fallback", "spillover", "hedge",
                             "trickle", "probe", "shadow",   "judge"};
  return names[static_cast<std::size_t>(cause)];
}

}  // namespace troupe
