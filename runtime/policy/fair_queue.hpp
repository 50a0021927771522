// Who is served next: class before class, then fair shares between tenants, and nothing late (A10, C3, C6).
// Pure.
#pragma once

#include <troupe/time.hpp>

#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

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
};

/// Counts every ticket once: in = served + refused + expired + waiting (C3), at every moment. Push, pop,
/// cancel are O(log waiting). Not thread-safe.
class FairQueue {
 public:
  explicit FairQueue(AdmissionPolicy policy) : policy_(policy) {}
  /// False: refused, the queue is full or the deadline has passed.
  bool push(Ticket ticket, Instant now);
  /// The next ticket to serve, if one waits and fewer than running_max run. Start-time fair queueing by
  /// tenant (Goyal, Vin, Cheng 1996) inside a class: over any stretch in which two tenants both wait, what
  /// they were served differs by at most the largest cost of one plus the largest of the other. Never a late
  /// ticket.
  std::optional<Ticket> pop(Instant now);
  /// Tickets whose deadline has passed and that were not reported yet; they are removed and counted as
  /// expired.
  std::vector<Ticket> expire(Instant now);
  /// A served ticket ended.
  void done();
  /// Removes a waiting ticket (its caller gave up); counted as expired. False when it is not waiting.
  bool cancel(std::uint64_t id);
  std::size_t waiting() const { return tickets_.size(); }
  std::size_t running() const { return running_; }

  struct Counts {
    std::uint64_t in = 0, served = 0, refused = 0, expired = 0;
  };
  const Counts& counts() const { return counts_; }
  /// Tenants remembered, waiting or not; at most queued_max + idle_flows_max.
  std::size_t flows() const;
  /// Tenants without waiting work whose last service is still remembered, per class.
  static constexpr std::size_t idle_flows_max = 1024;

 private:
  using Moment = std::pair<Instant, std::uint64_t>;
  struct Flow {
    std::list<std::uint64_t> waiting;
    /// Virtual time at which this tenant's next ticket starts. Tags are given when served, not on arrival, so
    /// that a tenant does not pay for tickets that expired unserved.
    double next_start = 0;
  };
  struct Entry {
    Ticket ticket;
    Instant aged_at;
    std::list<std::uint64_t>::iterator place;
  };
  struct ClassQueue {
    std::map<std::string, Flow> flows;
    std::set<std::pair<double, std::string>> idle;
    std::set<std::pair<double, std::uint64_t>>
        heads;               ///< next start, first waiting ticket: the order of service
    std::set<Moment> young;  ///< by the moment of ageing
    std::set<Moment> aged;   ///< by deadline
    double vtime = 0;

    void list(const std::string& tenant, const Flow& flow);
    void unlist(const std::string& tenant, const Flow& flow);
    void forget_idle();
  };
  struct Choice {
    std::uint64_t id = 0;
    bool in_turn = true;
  };
  Ticket remove(std::uint64_t id, double charge);
  void collect_late(Instant now);
  void age(Instant now);
  std::optional<Choice> choose();

  AdmissionPolicy policy_;
  std::map<WorkClass, ClassQueue> classes_;
  std::unordered_map<std::uint64_t, Entry> tickets_;
  std::set<Moment> deadlines_;
  std::vector<Ticket> late_;
  std::size_t running_ = 0;
  bool aged_had_turn_ = false;
  Counts counts_;
};

}  // namespace troupe::policy
