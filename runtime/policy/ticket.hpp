// What waits for admission, how urgent it is, and within which bounds it may wait (A10, C3, C6). Values only.
#pragma once

#include <troupe/time.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace troupe::policy {

/// Latency classes (A10): someone waits; minutes; by morning.
enum class WorkClass { interactive, soon, batch };
const char* to_string(WorkClass work_class);

struct AdmissionPolicy {
  /// Requests waiting; the next is refused.
  std::size_t queued_max = 10'000;
  /// Requests being served at once by this feature on this node; zero: unlimited.
  std::size_t running_max = 256;
  /// A request that has waited this share of its deadline is served before classes above it (ageing), at
  /// every other turn, so that a flood of aged batch work cannot stop the class someone waits for. 1 or more:
  /// no ageing.
  double ageing_share = 0.5;
  /// While others wait too, a call that has waited is not sent any more when fewer than this share of calls
  /// like it would be done by its deadline: it would only be cut off, and what it took is missing elsewhere
  /// (O8). Not before half its time has passed, since some callers always allow little. 0: off.
  double finish_share = 0.9;
};
/// Empty when sound, else what is wrong and what would be right.
std::optional<std::string> validate(const AdmissionPolicy& policy);

struct Ticket {
  /// Unique among the waiting; a repeat is refused.
  std::uint64_t id = 0;
  WorkClass work_class = WorkClass::interactive;
  std::string tenant;
  /// Fair shares count tokens, not requests. Not positive or not finite: counts as 1.
  double cost = 1;
  Instant queued_at;
  Instant deadline;
  /// Tickets of one kind wait for the same: when one may not go, those of its tenant behind it that differ in
  /// this are asked about.
  std::uint64_t kind = 0;
  /// Given by the queue: the virtual time at which it would start if its tenant had its fair share from its
  /// arrival on. Of tickets that have left the queue and found no room the least is the next.
  double turn = 0;
};

/// Its cost as shares count it.
double paid_cost(const Ticket& ticket);

/// What becomes of a ticket that is next: it goes; others of its kind must wait, or all of its tenant.
enum class Turn { go, kind_waits, tenant_waits };

}  // namespace troupe::policy
