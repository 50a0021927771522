// Who is served next: class before class, then fair shares between tenants, and nothing late (A10, C3, C6).
// Pure.
#pragma once

#include "runtime/policy/lazy_heap.hpp"
#include "runtime/policy/service_rate.hpp"
#include "runtime/policy/slot_index.hpp"
#include "runtime/policy/ticket.hpp"

#include <troupe/time.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace troupe::policy {

/// Counts every ticket once: in = served + refused + expired + waiting (C3), at every moment. Push, pop,
/// cancel are O(log waiting + kinds of the tenant) and, once as many waited as ever will, allocate nothing.
/// Not thread-safe.
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
  /// The same, passing over tenants whose next ticket may not go now (their quota is used up, C6) and, within
  /// a tenant, kinds whose next may not; they keep their place, and within a kind the order of arrival holds.
  /// `may` answers with a Turn, or with false for tenant_waits. At most passed_over_max tenants are asked
  /// about, of each at most kinds_asked_max kinds.
  template <class May>
  std::optional<Ticket> pop_if(Instant now, May may) {
    return pop_asking(now, {&may, [](void* self, const Ticket& ticket) -> Turn {
                              auto answer = (*static_cast<May*>(self))(ticket);
                              if constexpr (std::is_same_v<decltype(answer), bool>)
                                return answer ? Turn::go : Turn::tenant_waits;
                              else
                                return answer;
                            }});
  }
  static constexpr std::size_t passed_over_max = 64;
  static constexpr std::size_t kinds_asked_max = 16;
  /// Kinds of one tenant told apart while they wait; further ones stand with the last of these.
  static constexpr std::size_t lanes_max = 64;
  /// Tickets whose deadline has passed and that were not reported yet; they are removed and counted as
  /// expired.
  std::vector<Ticket> expire(Instant now);
  /// A ticket of this turn is being served: who arrives now does not come before it.
  void on_turn(WorkClass work_class, double turn);
  /// A served ticket ended.
  void done();
  /// Nothing was done for a ticket that was served, so its tenant gets back what it cost: when none of its
  /// tickets waits any more.
  void give_back(const Ticket& ticket);
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
    Turn (*may)(void*, const Ticket&);
    Turn operator()(const Ticket& ticket) const { return may(self, ticket); }
  };
  /// A waiting ticket; its slot is used again under another stamp.
  struct Entry {
    Ticket ticket;
    std::uint64_t arrival = 0;                  ///< counts all that ever waited
    std::uint32_t before = none, after = none;  ///< in its lane
    std::uint32_t flow = none, lane = none;
    bool young = false, aged = false;  ///< which heap of its class holds it
    double turn_least = 0;             ///< the turn is no earlier: what was being served when it came
    double forgiven = 0;               ///< of its flow when it came
    double owed = 0;                   ///< cost of those before it in its lane that left unserved
  };
  /// A tenant's waiting tickets of one kind, in order of arrival.
  struct Lane {
    std::uint64_t kind = 0;
    std::uint32_t first = none, last = none;
    std::uint32_t after = none;  ///< the next lane of the flow, by the arrival of its first
  };
  /// A tenant of one class. `next_start` moves when a ticket is served; turns are given on arrival, so that
  /// its kinds stand in the order in which they came, and moved up when one before leaves unserved: a tenant
  /// does not pay for tickets that expired.
  struct Flow {
    std::string tenant;
    std::uint64_t hash = 0;
    double next_start = 0;       ///< virtual time at which its next ticket starts
    double next_turn = 0;        ///< the same for the next that arrives, were all that wait before it served
    double forgiven = 0;         ///< cost of those that left unserved while they had waited longest
    double owed = 0;             ///< to be given back when nothing of it waits any more
    std::uint32_t lane = none;   ///< the one whose first has waited longest; none: nothing waits
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
    double turn = 0;  ///< the latest that is being served
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
  std::uint32_t ask_flow(const Flow& flow, Asked may) const;
  Ticket remove(std::uint32_t slot, bool served);
  void leave_flow(ClassQueue& queue, std::uint32_t slot, bool served);
  void give_turn(Flow& flow, Entry& entry, double served);
  double turn_of(const Flow& flow, const Entry& entry) const;
  void move_up(Flow& flow, std::uint32_t slot, bool served);
  void pay_back(Flow& flow);
  std::uint32_t first_of(const Flow& flow) const { return lanes_[flow.lane].first; }
  void link(Flow& flow, std::uint32_t slot);
  std::uint32_t lane_for(Flow& flow, std::uint64_t kind);
  void unlink(Flow& flow, const Entry& entry);
  void take_out(Flow& flow, std::uint32_t lane);
  void put_in(Flow& flow, std::uint32_t lane);
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
  std::vector<Lane> lanes_;
  std::vector<std::uint32_t> free_lanes_;
  std::uint64_t arrivals_ = 0;
  SlotIndex by_id_;
  std::vector<Ticket> late_;
  std::size_t waiting_ = 0, running_ = 0;
  bool aged_had_turn_ = false;
  Counts counts_;
  ServiceRate rate_;
};

}  // namespace troupe::policy
