// Who is served next: class before class, then fair shares between tenants, and nothing late (A10, C3, C6). Pure.
#pragma once

#include <troupe/time.hpp>

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
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
  /// A request that has waited this share of its deadline is served before classes above it (ageing).
  double ageing_share = 0.5;
};

struct Ticket {
  std::uint64_t id = 0;
  WorkClass work_class = WorkClass::interactive;
  std::string tenant;
  /// Fair shares count tokens, not requests.
  double cost = 1;
  Instant queued_at;
  Instant deadline;
};

/// Counts every ticket once: in = served + refused + expired + waiting (C3). Not thread-safe.
class FairQueue {
 public:
  explicit FairQueue(AdmissionPolicy policy) : policy_(policy) {}
  /// False: refused, the queue is full or the deadline has passed.
  bool push(Ticket ticket, Instant now);
  /// The next ticket to serve, if one waits and fewer than running_max run. Start-time fair queueing by tenant
  /// (Goyal, Vin, Cheng 1996) inside a class.
  std::optional<Ticket> pop(Instant now);
  /// Tickets whose deadline has passed; they are removed and counted as expired.
  std::vector<Ticket> expire(Instant now);
  /// A served ticket ended.
  void done();
  /// Removes a waiting ticket (its caller gave up); counted as expired. False when it is not waiting.
  bool cancel(std::uint64_t id);
  std::size_t waiting() const { return waiting_; }
  std::size_t running() const { return running_; }

  struct Counts {
    std::uint64_t in = 0, served = 0, refused = 0, expired = 0;
  };
  const Counts& counts() const { return counts_; }

 private:
  struct Tagged {
    Ticket ticket;
    double start = 0;
  };
  struct Flow {
    std::deque<Tagged> waiting;
    double finish = 0;
  };
  struct ClassQueue {
    std::map<std::string, Flow> flows;
    double vtime = 0;
  };
  AdmissionPolicy policy_;
  std::map<WorkClass, ClassQueue> classes_;
  std::size_t waiting_ = 0, running_ = 0;
  Counts counts_;
};

}  // namespace troupe::policy
