// One call on its way through a feature's queue: what is known of it, and what follows from that. Pure.
#pragma once

#include "actors/interfaces.hpp"

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace troupe::actors {

/// Where the attempt that is out went.
struct SentAttempt {
  std::string endpoint;
  EndpointActor actor;
  Cause cause = Cause::primary;
  WallTime started;
};

struct Following {
  CallPtr call;
  Instant deadline;
  double draw = 0;
  policy::RoutePlan plan;
  /// Of plan.order, by id: candidates may be renumbered while the call is out.
  std::vector<std::string> ids;
  /// In plan.order.
  std::size_t next = 0;
  /// Endpoints that said asking them again is no use.
  std::set<std::string> barred;
  /// Attempts that reached a wire, and the endpoint of the last of them.
  std::size_t sent = 0;
  std::string last_endpoint;
  std::optional<Error> last_error;
  std::vector<AttemptRecord> records;
  /// Waiting for capacity or backing off until then.
  std::optional<Instant> again_at;
  /// Reserved capacity was refused for want of room.
  bool spilled = false;
  /// The budget paid for an extra attempt that has found no room yet: looking again is free.
  bool paid = false;
  /// Stands in the line of those that wait for room.
  bool in_line = false;
  /// The attempt that is out; 0: none.
  std::uint64_t attempt = 0;
  SentAttempt out;
};

/// Why the next attempt is made at `endpoint`.
Cause cause_of(const Following& following, const policy::Planned& planned, const std::string& endpoint);
/// Fit to be asked now, as far as its last word goes.
bool can_serve(const policy::HealthView& health, WallTime wall);
/// When an ailing endpoint may be asked again: zero when it is well, the end of time when it did not say.
WallTime back_at(const policy::HealthView& health);
/// Of two refusals for want of room the one to wait for: where there is room first. No hint means any moment.
bool sooner(const Error& error, const std::optional<Error>& than);

/// The line in the books; `number` counts the call's attempts from 1.
journal::UsageRow usage_row(const Call& call, std::size_t number, const AttemptRecord& record);
/// The end of an attempt whose endpoint actor is gone: it may have been billed, and text may have been shown.
std::shared_ptr<AttemptResult> lost_attempt(const SentAttempt& attempt);
Error too_late(const Following& following);
Error no_endpoint(const policy::RoutePlan& plan);

}  // namespace troupe::actors
