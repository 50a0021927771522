// Whose turn it is among tickets that have left the queue and found no room: what a tenant's tickets before
// it cost, as far as they were served or wait.
#include "runtime/base/rng.hpp"
#include "runtime/policy/fair_queue.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace troupe::policy {

double paid_cost(const Ticket& ticket) {
  return std::isfinite(ticket.cost) && ticket.cost > 0 ? ticket.cost : 1;
}

void FairQueue::give_turn(Flow& flow, Entry& entry, double served) {
  entry.turn_least = served;
  entry.forgiven = flow.forgiven;
  entry.ticket.turn = std::max(flow.next_turn, served);
  flow.next_turn = entry.ticket.turn + paid_cost(entry.ticket);
}

double FairQueue::turn_of(const Flow& flow, const Entry& entry) const {
  return std::max(entry.turn_least, entry.ticket.turn - (flow.forgiven - entry.forgiven) - entry.owed);
}

// What it was to cost is taken off those that came after it: all that wait and are to come when it has waited
// longest, else those behind it in its lane, one handing it on to the next. So it is a few sums however many
// wait; what came after it in other lanes keeps its turn meanwhile.
void FairQueue::move_up(Flow& flow, std::uint32_t slot, bool served) {
  const auto& entry = entries_[slot];
  double less = (served ? 0 : paid_cost(entry.ticket)) + entry.owed;
  bool longest = first_of(flow) == slot;
  if (!longest && entry.after != none) {
    entries_[entry.after].owed += less;
    return;
  }
  flow.next_turn -= less;
  if (longest) flow.forgiven += less;
}

// Were it given back while some of its tenant wait, who comes next would stand before those that have left
// the queue and still look for room, and in a crowd tenants would overtake each other all the time.
void FairQueue::give_back(const Ticket& ticket) {
  auto& queue = class_of(ticket);
  auto known = queue.by_tenant.find(stable_hash(ticket.tenant), [&](std::uint32_t flow) {
    return queue.flows[flow].tenant == ticket.tenant;
  });
  if (known == none) return;
  auto& flow = queue.flows[known];
  flow.owed += paid_cost(ticket);
  if (flow.lane == none) pay_back(flow);
}

void FairQueue::pay_back(Flow& flow) {
  flow.next_turn -= flow.owed;
  flow.forgiven += flow.owed;
  flow.next_start -= std::exchange(flow.owed, 0);
}

}  // namespace troupe::policy
