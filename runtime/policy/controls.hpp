// What operators have ordered: emergency stops, flags, sign-offs, as one immutable snapshot that routing
// reads at each decision (MECHANISMS B4, B8, B9, C15, D10). Pure.
#pragma once

#include "runtime/policy/assignment.hpp"
#include "runtime/policy/sign_offs.hpp"

#include <troupe/error.hpp>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace troupe::policy {

/// What an order is about. Stops win over flags, experiments, rollouts and forced breakers alike.
enum class Subject : std::uint8_t {
  feature,
  tenant,
  model,
  endpoint,
  provider,
  flag,
  experiment,
  rollout,
  sign_off,  ///< revoked; named by SignOff::key
  schedule,  ///< paused: no slot of it begins, whatever its catch-up says of them later
};
const char* to_string(Subject subject);
std::optional<Subject> subject_from(std::string_view name);

/// The order of writes without a common clock (Lamport 1978): a writer takes one more than the highest epoch
/// it has seen; its node's name breaks ties.
struct Stamp {
  std::uint64_t epoch = 0;
  std::string node;
  friend bool operator==(const Stamp&, const Stamp&) = default;
};
bool newer(const Stamp& a, const Stamp& b);

/// Who ordered it, why and when: for the audit trail and for whoever is refused.
struct Order {
  std::string who, why;
  WallTime at;
};

/// Nothing new goes to or through the subject. Each node has a stop of its own for a subject, and one that
/// holds is enough. A start names the stops it undoes, so it undoes those its writer had seen and no other:
/// of a stop and a start at the same time the stop wins, however late it arrives (C15; an observed-remove
/// set, Shapiro et al. 2011).
struct Stop {
  Subject subject = Subject::feature;
  std::string name;
  /// It holds until then; 0: until it is started again.
  WallTime until;
  Order order;
  Stamp stamp;
  /// The newest stop of this node that has been undone, and by whom.
  Stamp undone;
  Order undone_by;
  bool active() const { return newer(stamp, undone); }
  bool holds(WallTime wall) const;
};

/// A share of units for whom something is on. Stopped by a Stop of its own, which a change never undoes.
struct Flag {
  std::string name;
  UnitKind unit = UnitKind::tenant;
  double percent = 0;
  /// Tenants that have it, or not, whatever the percentage; denying wins. At most kFlagTenantsMax each.
  std::vector<std::string> allow, deny;
  Order order;
  Stamp stamp;
};
/// How far a rollout has come (B7). `done`: the new side is the side. `halted`: the share stays, nobody goes
/// on by himself.
enum class RolloutState : std::uint8_t { running, halted, rolled_back, done };
const char* to_string(RolloutState state);
std::optional<RolloutState> rollout_state_from(std::string_view name);

/// The part of a rollout's units that is on the new side. Written by the rollout's home; an operator's Stop
/// of the rollout is above it.
struct Share {
  std::string name;
  double share = 0;
  std::uint32_t stage = 0;
  RolloutState state = RolloutState::running;
  Order order;
  Stamp stamp;
};
inline constexpr std::size_t kFlagTenantsMax = 10'000;
inline constexpr std::size_t kControlsMax = 4096;     ///< records of one kind
inline constexpr std::size_t kControlTextMax = 1024;  ///< bytes of a name or a reason

/// What is asked about; what is empty is not asked.
struct Target {
  std::string_view feature, tenant, model, endpoint, provider;
};

/// A snapshot: never changed once shared, so it may be read on any thread. Queries allocate nothing and take
/// time logarithmic in the number of orders, none when there is none. Losing touch with other nodes leaves
/// the last one in force (B9).
struct Controls {
  /// The highest epoch in it.
  std::uint64_t epoch = 0;
  /// By subject, name and node; those undone stay, so that what they have beaten stays beaten.
  std::vector<Stop> stops;
  /// By name.
  std::vector<Flag> flags;
  std::vector<Share> shares;
  SignOffs sign_offs;
  /// Beyond it what others ordered may be unknown here: shares fall back to the safe side (B8).
  Instant fresh_until = Instant::max();

  /// The first stop that holds, from wide to narrow; null: go on. A stop that the subject's own name gave is
  /// found for any member of `target`.
  const Stop* stopped_by(const Target& target, WallTime wall) const;
  const Stop* stopped(Subject subject, std::string_view name, WallTime wall) const;
  /// Is there any stop of one of these, whether it holds or not? No: nothing stops them, now or later.
  bool names(const Target& target) const;
  /// Is the flag on for this unit? False for one nobody has set, and for one that is stopped.
  bool flag_on(std::string_view name, const Unit& unit, WallTime wall) const;
  /// Null when the rollout has not begun.
  const Share* share_of(std::string_view rollout) const;
  /// What the endpoint lacks before it may see `data_class`; nothing when it lacks nothing. An empty class
  /// asks for nothing.
  std::optional<MissingSignOff> missing_sign_off(const Target& target, std::string_view data_class,
                                                 WallTime wall) const;
  /// What the model itself lacks, wherever it runs.
  std::optional<MissingSignOff> model_sign_off(std::string_view model, std::string_view data_class,
                                               WallTime wall) const;
};
using ControlsPtr = std::shared_ptr<const Controls>;

/// A start is the Stop it undoes with `undone` set to its stamp; see starts_for.
using Change = std::variant<Stop, Flag, Share>;
/// Nothing when sound, else what is wrong and what would be right.
std::optional<std::string> validate(const Change& change);
/// True when it changed something. Absorbing changes in any order, any number of times, ends in the same
/// snapshot. A change beyond kControlsMax is left out.
bool absorb(Controls& controls, const Change& change);
/// What a node makes of its own snapshot and another's. Sign-offs and freshness are `ours`'.
Controls merge(const Controls& ours, const Controls& theirs);
/// The changes that undo every stop of the subject known here; none when nothing is stopped.
std::vector<Stop> starts_for(const Controls& controls, Subject subject, std::string_view name,
                             const Order& order);
/// The stamp of the next order from `node`.
Stamp next_stamp(const Controls& controls, std::string node);

/// The stamp of the change, and what it is about: ("flag", "new-prompt"), ("stop", "model large").
const Stamp& stamp_of(const Change& change);
struct ChangeName {
  const char* kind;
  std::string subject;
};
ChangeName name_of(const Change& change);
const Order& order_of(const Change& change);
/// Equal for snapshots that hold the same orders, whatever the way they came in.
std::uint64_t digest_of(const Controls& controls);

/// "endpoint bedrock-east is stopped by anna until 2026-11-22T10:00:00Z: bill": for people.
std::string to_text(const Stop& stop);

}  // namespace troupe::policy
