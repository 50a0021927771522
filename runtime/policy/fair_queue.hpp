// Who is served next: class before class, then fair shares between tenants, and nothing late (A10, C3, C6).
// Pure.
#pragma once

#include "runtime/policy/lazy_heap.hpp"
#include "runtime/policy/service_rate.hpp"
#include "runtime/policy/slot_index.hpp"

#include <troupe/time.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
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
/// cancel are O(log waiting) and, once as many waited as ever will, allocate nothing. Not thread-safe.
class FairQueue {
 public:
  explicit FairQueue(AdmissionPolicy policy) : policy_(policy) {}
  /// False: refused, the queue is full or the deadline has passed.
  bool push(Ticket ticket, Instant now);
  /// The next ticket to serve, if one waits and fewer than running_max run. Start-time fair queueing by
  /// tenant (Goyal, Vin, Cheng 1996) inside a class: over any stretch in which two tenants both wait, what
  /// they were served differs by at most the largest cost of one plus the largest of the other. Never a late
  /// ticket.
  std::optional<Ticket> pop(Instant now) {
    return pop_if(now, [](const Ticket&) { return true; });
  }
  /// The same, passing over tenants whose next ticket may not go now (their quota is used up, C6); they keep
  /// their place. At most passed_over_max are asked about.
  template <class May>
  std::optional<Ticket> pop_if(Instant now, May may) {
    return pop_asking(now, {&may, [](void* self, const Ticket& ticket) -> bool {
                              return (*static_cast<May*>(self))(ticket);
                            }});
  }
  static constexpr std::size_t passed_over_max = 64;
  /// Tickets whose deadline has passed and that were not reported yet; they are removed and counted as
  /// expired.
  std::vector<Ticket> expire(Instant now);
  /// A served ticket ended.
  void done();
  /// Removes a waiting ticket (its caller gave up); counted as expired. False when it is not waiting.
  bool cancel(std::uint64_t id);
  std::size_t waiting() const { return waiting_; }
  /// Expired, counted as such, and not told by `expire` yet.
  std::size_t untold() const { return late_.size(); }
  std::size_t running() const { return running_; }
  /// When one who is refused now should ask again: when what waits will have been served at the pace of late,
  /// within [1 s, 60 s]: official SDKs give up on longer ones (WIRE 5.6). Nothing when none was served
  /// lately.
  std::optional<Duration> retry_after() const;

  struct Counts {
    std::uint64_t in = 0, served = 0, refused = 0, expired = 0;
  };
  const Counts& counts() const { return counts_; }
  /// Tenants remembered, waiting or not; at most queued_max + idle_flows_max.
  std::size_t flows() const;
  /// Tenants without waiting work whose last service is still remembered, per class.
  static constexpr std::size_t idle_flows_max = 1024;

 private:
  static constexpr std::uint32_t none = SlotIndex::none;
  struct Asked {
    void* self;
    bool (*may)(void*, const Ticket&);
    bool operator()(const Ticket& ticket) const { return may(self, ticket); }
  };
  /// A waiting ticket; its slot is used again under another stamp.
  struct Entry {
    Ticket ticket;
    std::uint32_t before = none, after = none;  ///< in its flow
    std::uint32_t flow = none;
    bool young = false, aged = false;  ///< which heap of its class holds it
  };
  /// A tenant of one class. Its tags are given when served, not on arrival, so that a tenant does not pay for
  /// tickets that expired unserved.
  struct Flow {
    std::string tenant;
    std::uint64_t hash = 0;
    double next_start = 0;  ///< virtual time at which its next ticket starts
    std::uint32_t first = none, last = none;
    std::uint32_t place = none;  ///< in `heads`, while something waits
    std::uint32_t stamp = 0;
  };
  using MomentHeap = LazyHeap<Instant>;
  struct ClassQueue {
    std::vector<Flow> flows;
    std::vector<std::uint32_t> free_flows;
    SlotIndex by_tenant;
    std::vector<std::uint32_t> heads;  ///< flows with waiting work: a heap in the order of service
    LazyHeap<double> idle;
    // One per class: within it deadlines mostly come in order, which a heap takes at once.
    MomentHeap deadlines;
    MomentHeap young;  ///< by the moment of ageing
    MomentHeap aged;   ///< by deadline
    double vtime = 0;
    std::size_t flows_used = 0;
  };
  struct Choice {
    std::uint32_t slot = none;
    bool in_turn = true;
  };
  bool alive(const MomentHeap::Entry& entry) const { return stamps_[entry.slot] == entry.stamp; }
  ClassQueue& class_of(const Ticket& ticket) { return classes_[static_cast<std::size_t>(ticket.work_class)]; }
  std::uint32_t find(std::uint64_t id) const;
  std::uint32_t flow_of(ClassQueue& queue, const std::string& tenant);
  std::uint32_t new_entry(Ticket ticket);
  std::optional<Ticket> pop_asking(Instant now, Asked may);
  Choice choose(Asked may);
  Choice choose_in_turn(ClassQueue& queue, Asked may);
  Ticket remove(std::uint32_t slot, double charge);
  void unlink(ClassQueue& queue, const Entry& entry);
  void collect_late(Instant now);
  void age(Instant now);

  bool sooner(const ClassQueue& queue, std::uint32_t a, std::uint32_t b) const;
  void set_head(ClassQueue& queue, std::size_t place, std::uint32_t flow);
  void rise(ClassQueue& queue, std::size_t place);
  void sink(ClassQueue& queue, std::size_t place);
  void list(ClassQueue& queue, std::uint32_t flow);
  void unlist(ClassQueue& queue, std::uint32_t flow);
  void rest(ClassQueue& queue, std::uint32_t flow);
  void forget_idle(ClassQueue& queue);

  AdmissionPolicy policy_;
  std::array<ClassQueue, 3> classes_;
  std::vector<Entry> entries_;
  std::vector<std::uint32_t> stamps_;  ///< of the entries; apart, since heaps ask for them alone
  std::vector<std::uint32_t> free_entries_;
  SlotIndex by_id_;
  std::vector<Ticket> late_;
  std::size_t waiting_ = 0, running_ = 0;
  bool aged_had_turn_ = false;
  Counts counts_;
  ServiceRate rate_;
};

}  // namespace troupe::policy
