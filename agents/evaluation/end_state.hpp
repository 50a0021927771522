// Did an agent leave the world as it should, and which milestones did it pass on its way (MECHANISMS M19)?
#pragma once

#include "runtime/json/json.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace troupe::evaluation {

enum class Departure {
  missing,  ///< the right state has something there, the found one has nothing
  extra,    ///< the other way round
  changed,  ///< both have something, of another type or value
};
const char* to_string(Departure kind);

/// One place in which a state is not what it should be.
struct StateDifference {
  /// A JSON pointer (RFC 6901) into the state that has something there; "" is the whole.
  std::string pointer;
  Departure kind = Departure::changed;
  friend bool operator==(const StateDifference&, const StateDifference&) = default;
};

struct StateLimits {
  std::size_t differences_max = 32;
  /// Levels below the first. What lies deeper is not looked at and counts as changed.
  std::size_t depth_max = 512;
};

struct StateVerdict {
  bool equal = true;
  /// Ordered by key and index at each level; the highest place that differs, nothing beneath it.
  std::vector<StateDifference> differences;
  /// There are more than are listed.
  bool cut = false;
};

/// Compares as canonical JSON: the order of an object's members does not matter, that of an array does, a
/// number is its value (1 and 1.0 are equal; integers are exact in 64 bits), and null is not absence. NaN,
/// which JSON has not, equals nothing. Pure; linear in the states but for sorting members that come in
/// different orders. No failures: states are compared whatever they hold.
StateVerdict compare_states(const Json& right, const Json& found, const StateLimits& limits = {});

/// A tool call as it was made.
struct ToolUse {
  std::string name;
  Json arguments = Json::object();
};

/// Something that must have been done on the way.
struct Checkpoint {
  std::string name;
  /// Is this call it? Pure; asked several times.
  std::function<bool(const ToolUse&)> reached_by;
};

/// Reached by a call of that tool with these arguments, equal as states are. With `compared` only arguments
/// named there are looked at (none: the name alone decides); without, all are and no others may be given.
Checkpoint call_checkpoint(std::string name, ToolUse wanted,
                           std::optional<std::vector<std::string>> compared = {});

enum class CheckpointOrder { any, as_listed };

struct CheckpointLimits {
  std::size_t checkpoints_max = 256, uses_max = 10'000;
};

struct CheckpointVerdict {
  /// By checkpoint: the index of the call that reached it; empty when none did.
  std::vector<std::optional<std::size_t>> reached;
  /// How many were reached.
  std::size_t count = 0;
  bool all() const { return count == reached.size(); }
};

/// Which checkpoints did this sequence of calls reach? One call reaches at most one checkpoint, so a thing to
/// be done twice must be done twice. Of all ways to pair them one that reaches most is told: with `any` a
/// largest matching (Kuhn 1955), with `as_listed` a longest common subsequence, so that what was skipped does
/// not hide what came after it. invalid_input beyond a bound. Pure.
Result<CheckpointVerdict> judge_checkpoints(std::span<const Checkpoint> checkpoints,
                                            std::span<const ToolUse> uses, CheckpointOrder order,
                                            const CheckpointLimits& limits = {});

}  // namespace troupe::evaluation
