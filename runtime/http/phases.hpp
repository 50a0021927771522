// Which timer of an exchange fires next. Pure: each phase has a deadline of its own, and the earliest past
// one wins.
#pragma once

#include <troupe/time.hpp>

#include <array>
#include <cstddef>
#include <optional>

namespace troupe::http {

enum class Phase { connect, header, first_byte, idle, total };
/// "header timeout: no response head"; how the error names itself.
const char* describe(Phase phase);

/// Setting a deadline costs a store, so the idle one can move with every read.
class PhaseDeadlines {
 public:
  /// A zero limit means none.
  void set(Phase phase, Instant now, Duration limit);
  void clear(Phase phase);
  /// Stops the clock of header, first_byte and idle until `release`: nobody waits for the peer meanwhile.
  void hold(Instant now);
  void release(Instant now);
  /// The earliest deadline set.
  std::optional<Instant> next() const;
  /// The phase whose deadline is the earliest of those not after `now`; ties go to the earlier phase.
  std::optional<Phase> expired(Instant now) const;

 private:
  bool held(std::size_t phase) const;
  std::size_t earliest() const;
  std::optional<Instant> held_since_;
  std::array<std::optional<Instant>, 5> at_;
};

}  // namespace troupe::http
