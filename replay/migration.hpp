// Customers are moved from one model to another on a virtual clock while things go wrong: the live cores
// (Dispatcher, guards, breakers, rollout, shadow, parity) against modelled clouds (B5-B9).
#pragma once

#include "replay/migration_chaos.hpp"
#include "replay/migration_shift.hpp"

#include <functional>
#include <optional>

namespace troupe::replay {

struct MigrationOptions {
  /// One seed, one history: of customers, of their luck at the clouds and of what goes wrong.
  std::uint64_t seed = 1;
  ShiftPolicy shift;
  /// Chaos begins and incidents end before it; see migration_world. Sound shifts take longer.
  Duration chaos_until = std::chrono::minutes(30);
  /// It goes on for so long, and for `after` once the shift has ended.
  Duration length = std::chrono::minutes(45), after = std::chrono::minutes(10);
  /// Nothing comes after it, whatever the shift has come to.
  Duration ends_at = std::chrono::hours(3);
  double calls_per_second = 5;
  /// Ends the run at the first customer's call that fails.
  bool stop_at_failed = false;
  /// Told how each customer's call ended, with the times of its last attempt; may be empty.
  std::function<void(std::uint64_t call, const policy::ParitySide& last)> on_call_ended;
  /// Makes another world of the seed's, before anything begins; may be empty.
  std::function<void(MigrationWorld&)> alter;
  /// Told what happens, for people.
  std::function<void(Duration at, const std::string& what)> story;
};

struct MigrationResult {
  std::vector<std::string> chaos;
  ShiftState state = ShiftState::waiting;
  std::string why;
  /// From the shift's begin until it had ended; nothing when it had not.
  std::optional<Duration> took;
  /// Customers' calls; failed are all that were not served, for whatever reason.
  std::uint64_t calls = 0, served = 0, failed = 0;
  /// Of those served: first token more than ten seconds after the call came; poor answers; by the new model.
  std::uint64_t slow = 0, poor = 0, on_new = 0;
  std::uint64_t copies = 0, probes = 0;
  /// Customers' calls, copies and probes are paid apart.
  double usd = 0, shadow_usd = 0, probe_usd = 0;
  /// Customers' attempts at the new model by calls that no stage had sent there.
  std::uint64_t uncalled_for = 0;
  /// Of every call's end: equal for equal histories.
  std::uint64_t digest = 0;
};

MigrationResult migrate(const MigrationOptions& options);

}  // namespace troupe::replay
