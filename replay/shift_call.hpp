// What the replay of a migration holds of a call and of an attempt while they are under way.
#pragma once

#include "replay/migration_fleet.hpp"

namespace troupe::replay {

struct ShiftCall {
  std::uint64_t id = 0, luck = 0;
  Instant arrived, deadline;
  std::uint32_t input = 0, output = 0;
  bool counts = false, new_side = false, copied = false;
  /// No stage sends it to the new model.
  bool held_back = false;
  /// Endpoints of its attempts, in order.
  std::vector<std::uint32_t> tried;
  policy::CallFigures figures;
  /// How the last attempt went.
  policy::ParitySide last;
  Duration first_token{};
  std::uint32_t endpoint = 0;
  bool poor = false;
};

struct ShiftAttempt {
  /// A copy has no order.
  std::uint64_t call = 0, order = 0, event = 0, luck = 0;
  std::uint32_t endpoint = 0, serial = 0;
  FleetEnd end;
  policy::ShadowFacts expected;
  bool cancelled = false;
};

}  // namespace troupe::replay
