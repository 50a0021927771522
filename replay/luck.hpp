// Randomness that belongs to what it decides, not to when it is asked for: a hash of its names. So different
// policies meet the same luck (common random numbers), and their differences are differences of policy.
#pragma once

#include <cstdint>

namespace troupe::replay {

/// SplitMix64's output function over the names mixed in one by one.
inline std::uint64_t luck_mix(std::uint64_t z) {
  z += 0x9e3779b97f4a7c15ULL;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}
template <class... More>
std::uint64_t luck_of(std::uint64_t first, More... more) {
  std::uint64_t hash = luck_mix(first);
  ((hash = luck_mix(hash ^ static_cast<std::uint64_t>(more))), ...);
  return hash;
}
/// In [0, 1).
inline double luck_uniform(std::uint64_t hash) { return static_cast<double>(hash >> 11) * 0x1.0p-53; }

}  // namespace troupe::replay
