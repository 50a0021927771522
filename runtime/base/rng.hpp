// Seeded randomness: the same seed gives the same history.
#pragma once

#include <cstdint>
#include <string_view>

namespace troupe {

/// SplitMix64 (Steele, Lea, Flood 2014). Small, fast, good enough for jitter, sampling and simulation; not
/// for keys.
class Rng {
 public:
  explicit Rng(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  /// In [0, 1).
  double uniform();
  /// In [0, bound). `bound` must be positive.
  std::uint64_t below(std::uint64_t bound);
  /// Standard normal (Box-Muller).
  double normal();

 private:
  std::uint64_t state_;
};

/// 64-bit FNV-1a: stable over builds and machines, so it may be stored and used for assignment.
std::uint64_t stable_hash(std::string_view text, std::uint64_t salt = 0);

}  // namespace troupe
