// The tenants of a class: their waiting work by kinds, the heap of those that have any, and how long idle
// ones are remembered.
#include "runtime/base/rng.hpp"
#include "runtime/policy/fair_queue.hpp"

#include <algorithm>

namespace troupe::policy {

std::uint32_t FairQueue::flow_of(ClassQueue& queue, const std::string& tenant) {
  auto hash = stable_hash(tenant);
  auto known =
      queue.by_tenant.find(hash, [&](std::uint32_t flow) { return queue.flows[flow].tenant == tenant; });
  if (known != none) {
    auto& flow = queue.flows[known];
    if (flow.lane != none) return known;
    // No longer idle.
    ++flow.stamp;
    queue.idle.bury_one([&](const auto& entry) { return queue.flows[entry.slot].stamp == entry.stamp; });
    flow.next_start = std::max(flow.next_start, queue.vtime);
    return known;
  }
  if (queue.free_flows.empty()) {
    queue.free_flows.push_back(static_cast<std::uint32_t>(queue.flows.size()));
    queue.flows.emplace_back();
  }
  auto fresh = queue.free_flows.back();
  queue.free_flows.pop_back();
  auto& flow = queue.flows[fresh];
  flow.tenant = tenant;
  flow.hash = hash;
  flow.next_start = queue.vtime;
  flow.next_turn = queue.turn;
  flow.owed = 0;
  queue.by_tenant.insert(hash, fresh);
  ++queue.flows_used;
  return fresh;
}

void FairQueue::leave_flow(ClassQueue& queue, std::uint32_t slot, bool served) {
  auto& entry = entries_[slot];
  auto& flow = queue.flows[entry.flow];
  entry.ticket.turn = turn_of(flow, entry);
  move_up(flow, slot, served);
  unlink(flow, entry);
  if (served) flow.next_start += paid_cost(entry.ticket);
  if (flow.lane == none) {
    unlist(queue, entry.flow);
    rest(queue, entry.flow);
  } else {
    rise(queue, flow.place);
    sink(queue, flow.place);
  }
}

// A kind nobody else of the tenant waits with comes last: it has just arrived.
std::uint32_t FairQueue::lane_for(Flow& flow, std::uint64_t kind) {
  std::uint32_t last = none;
  std::size_t count = 0;
  for (auto lane = flow.lane; lane != none; lane = lanes_[lane].after, ++count) {
    if (lanes_[lane].kind == kind) return lane;
    last = lane;
  }
  if (count >= lanes_max) return last;
  if (free_lanes_.empty()) {
    free_lanes_.push_back(static_cast<std::uint32_t>(lanes_.size()));
    lanes_.emplace_back();
  }
  auto fresh = free_lanes_.back();
  free_lanes_.pop_back();
  lanes_[fresh] = {.kind = kind};
  (last == none ? flow.lane : lanes_[last].after) = fresh;
  return fresh;
}

void FairQueue::link(Flow& flow, std::uint32_t slot) {
  auto& entry = entries_[slot];
  entry.lane = lane_for(flow, entry.ticket.kind);
  auto& lane = lanes_[entry.lane];
  entry.before = lane.last;
  (lane.last == none ? lane.first : entries_[lane.last].after) = slot;
  lane.last = slot;
}

void FairQueue::unlink(Flow& flow, const Entry& entry) {
  auto& lane = lanes_[entry.lane];
  (entry.before == none ? lane.first : entries_[entry.before].after) = entry.after;
  (entry.after == none ? lane.last : entries_[entry.after].before) = entry.before;
  if (entry.before != none) return;
  // Its first is another: so is its place among the lanes.
  take_out(flow, entry.lane);
  if (lane.first == none)
    free_lanes_.push_back(entry.lane);
  else
    put_in(flow, entry.lane);
}

void FairQueue::take_out(Flow& flow, std::uint32_t lane) {
  auto* link = &flow.lane;
  while (*link != lane) link = &lanes_[*link].after;
  *link = lanes_[lane].after;
}

void FairQueue::put_in(Flow& flow, std::uint32_t lane) {
  auto arrival = [&](std::uint32_t of) { return entries_[lanes_[of].first].arrival; };
  auto* link = &flow.lane;
  while (*link != none && arrival(*link) < arrival(lane)) link = &lanes_[*link].after;
  lanes_[lane].after = *link;
  *link = lane;
}

// By start tag, then by who waits longest.
bool FairQueue::sooner(const ClassQueue& queue, std::uint32_t a, std::uint32_t b) const {
  const auto &left = queue.flows[a], &right = queue.flows[b];
  if (left.next_start != right.next_start) return left.next_start < right.next_start;
  return entries_[first_of(left)].ticket.id < entries_[first_of(right)].ticket.id;
}

void FairQueue::set_head(ClassQueue& queue, std::size_t place, std::uint32_t flow) {
  queue.heads[place] = flow;
  queue.flows[flow].place = static_cast<std::uint32_t>(place);
}

void FairQueue::rise(ClassQueue& queue, std::size_t place) {
  auto flow = queue.heads[place];
  while (place > 0) {
    auto above = (place - 1) / 2;
    if (!sooner(queue, flow, queue.heads[above])) break;
    set_head(queue, place, queue.heads[above]);
    place = above;
  }
  set_head(queue, place, flow);
}

void FairQueue::sink(ClassQueue& queue, std::size_t place) {
  auto flow = queue.heads[place];
  auto count = queue.heads.size();
  for (auto below = 2 * place + 1; below < count; below = 2 * place + 1) {
    if (below + 1 < count && sooner(queue, queue.heads[below + 1], queue.heads[below])) ++below;
    if (!sooner(queue, queue.heads[below], flow)) break;
    set_head(queue, place, queue.heads[below]);
    place = below;
  }
  set_head(queue, place, flow);
}

void FairQueue::list(ClassQueue& queue, std::uint32_t flow) {
  queue.heads.push_back(flow);
  rise(queue, queue.heads.size() - 1);
}

void FairQueue::unlist(ClassQueue& queue, std::uint32_t flow) {
  auto place = queue.flows[flow].place;
  auto last = queue.heads.back();
  queue.heads.pop_back();
  queue.flows[flow].place = none;
  if (last == flow) return;
  set_head(queue, place, last);
  rise(queue, place);
  sink(queue, queue.flows[last].place);
}

void FairQueue::rest(ClassQueue& queue, std::uint32_t flow) {
  auto& idle = queue.flows[flow];
  pay_back(idle);
  queue.idle.push({idle.next_start, idle.hash, flow, ++idle.stamp});
}

// A tenant whose service lies behind the virtual time would start afresh anyway; beyond the bound the longest
// past goes first.
void FairQueue::forget_idle(ClassQueue& queue) {
  auto lives = [&](const auto& entry) { return queue.flows[entry.slot].stamp == entry.stamp; };
  while (const auto* oldest = queue.idle.top(lives)) {
    if (oldest->key > queue.vtime && queue.idle.alive_count() <= idle_flows_max) return;
    auto& flow = queue.flows[oldest->slot];
    queue.by_tenant.erase(flow.hash, oldest->slot);
    queue.free_flows.push_back(oldest->slot);
    --queue.flows_used;
    ++flow.stamp;
    queue.idle.pop();
  }
}

}  // namespace troupe::policy
