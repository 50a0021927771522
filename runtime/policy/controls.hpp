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

/// Nothing new goes to or through the subject. A start undoes the stops its writer had seen and no other: of
/// a stop and a start at the same time the stop wins, however late it arrives (C15).
struct Stop {
  Subject subject = Subject::feature;
  std::string name;
  /// It holds until then; 0: until it is started again.
  WallTime until;
  Order order;
  Stamp stamp;
  Stamp undone;  ///< the newest stop that has been undone
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
  /// By subject, then name; those undone stay, so that what they have beaten stays beaten.
  std::vector<Stop> stops;
  /// By name.
  std::vector<Flag> flags;
  SignOffs sign_offs;
  /// Beyond it what others ordered may be unknown here: shares fall back to the safe side (B8).
  Instant fresh_until = Instant::max();

  /// The first stop that holds, from wide to narrow; null: go on. A stop that the subject's own name gave is
  /// found for any member of `target`.
  const Stop* stopped_by(const Target& target, WallTime wall) const;
  const Stop* stopped(Subject subject, std::string_view name, WallTime wall) const;
  /// Is the flag on for this unit? False for one nobody has set, and for one that is stopped.
  bool flag_on(std::string_view name, const Unit& unit, WallTime wall) const;
  /// What the endpoint lacks before it may see `data_class`; nothing when it lacks nothing. An empty class
  /// asks for nothing.
  std::optional<MissingSignOff> missing_sign_off(const Target& target, std::string_view data_class,
                                                 WallTime wall) const;
  /// What the model itself lacks, wherever it runs.
  std::optional<MissingSignOff> model_sign_off(std::string_view model, std::string_view data_class,
                                               WallTime wall) const;
};
using ControlsPtr = std::shared_ptr<const Controls>;

/// A start is a Stop whose `undone` is the newest stop the writer knew.
using Change = std::variant<Stop, Flag>;
/// Nothing when sound, else what is wrong and what would be right.
std::optional<std::string> validate(const Change& change);
/// True when it changed something. Absorbing changes in any order, any number of times, ends in the same
/// snapshot. A change beyond kControlsMax is left out.
bool absorb(Controls& controls, const Change& change);
/// What a node makes of its own snapshot and another's. Sign-offs and freshness are `ours`'.
Controls merge(const Controls& ours, const Controls& theirs);
/// The stamp of the next order from `node`.
Stamp next_stamp(const Controls& controls, std::string node);

/// "endpoint bedrock-east is stopped by anna until 2026-11-22T10:00:00Z: bill": for people.
std::string to_text(const Stop& stop);

}  // namespace troupe::policy
