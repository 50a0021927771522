// What checks and customers make of an answer in the replay of a migration: by the call's luck, and not
// always right.
#pragma once

#include "replay/luck.hpp"

#include <optional>

namespace troupe::replay {

/// What a programmatic check of the answer says, 1 or 0: it passes 98 % of the good, 15 % of the poor.
inline double shift_check(std::uint64_t luck, bool poor) {
  constexpr std::uint64_t salt = 33;
  return luck_uniform(luck_of(luck, salt)) < (poor ? 0.15 : 0.98) ? 1 : 0;
}

/// A tenth of the answers are rated; the good are liked by 90 %, the poor by 30 %.
inline std::optional<bool> shift_rating(std::uint64_t luck, bool poor) {
  constexpr std::uint64_t rated_salt = 32, liked_salt = 35;
  constexpr double rated = 0.1;
  if (luck_uniform(luck_of(luck, rated_salt)) >= rated) return std::nullopt;
  return luck_uniform(luck_of(luck, liked_salt)) < (poor ? 0.3 : 0.9);
}

}  // namespace troupe::replay
