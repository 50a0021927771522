// Class order, fair shares inside a class, ageing across classes.
#include "runtime/policy/fair_queue.hpp"

#include "runtime/base/clock.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace troupe::policy {
namespace {

Instant ageing_moment(const Ticket& ticket, double share) {
  if (!(share < 1)) return Instant::max();
  auto life = static_cast<double>((ticket.deadline - ticket.queued_at).count());
  return ticket.queued_at + Duration(static_cast<Duration::rep>(std::max(0.0, share) * std::max(0.0, life)));
}

}  // namespace

const char* to_string(WorkClass work_class) {
  constexpr std::array names{"interactive", "soon", "batch"};
  return names[static_cast<std::size_t>(work_class)];
}

std::optional<std::string> validate(const AdmissionPolicy& policy) {
  constexpr std::size_t queued_most = 10'000'000;
  if (policy.queued_max == 0 || policy.queued_max > queued_most)
    return fmt::format("queued_max is {}; it must be from 1 to {}", policy.queued_max, queued_most);
  if (!(policy.ageing_share > 0))
    return fmt::format("ageing_share is {}; it must be above 0", policy.ageing_share);
  if (!(policy.finish_share >= 0 && policy.finish_share < 1))
    return fmt::format("finish_share is {}; it must be at least 0 (off) and below 1", policy.finish_share);
  return std::nullopt;
}

std::uint32_t FairQueue::find(std::uint64_t id) const {
  return by_id_.find(id, [&](std::uint32_t slot) { return entries_[slot].ticket.id == id; });
}

// Late tickets nobody has fetched yet still hold memory, so they count.
bool FairQueue::push(Ticket ticket, Instant now) {
  ++counts_.in;
  rate_.at(now);
  collect_late(now);
  bool full = waiting_ + late_.size() >= policy_.queued_max;
  if (full || ticket.deadline <= now || find(ticket.id) != none) {
    ++counts_.refused;
    return false;
  }
  auto slot = new_entry(std::move(ticket));
  auto& entry = entries_[slot];
  auto& queue = class_of(entry.ticket);
  entry.flow = flow_of(queue, entry.ticket.tenant);
  auto& flow = queue.flows[entry.flow];
  give_turn(flow, entry, queue.turn);
  link(flow, slot);
  if (first_of(queue.flows[entry.flow]) == slot) list(queue, entry.flow);
  queue.deadlines.push({entry.ticket.deadline, entry.ticket.id, slot, stamps_[slot]});
  auto aged_at = ageing_moment(entry.ticket, policy_.ageing_share);
  // The highest class has none above it to overtake.
  entry.young = aged_at != Instant::max() && entry.ticket.work_class != WorkClass::interactive;
  if (entry.young) queue.young.push({aged_at, entry.ticket.id, slot, stamps_[slot]});
  return true;
}

std::uint32_t FairQueue::new_entry(Ticket ticket) {
  if (free_entries_.empty()) {
    free_entries_.push_back(static_cast<std::uint32_t>(entries_.size()));
    entries_.emplace_back();
    stamps_.push_back(0);
  }
  auto slot = free_entries_.back();
  free_entries_.pop_back();
  auto& entry = entries_[slot];
  entry.ticket = std::move(ticket);
  entry.arrival = ++arrivals_;
  entry.before = entry.after = entry.flow = entry.lane = none;
  entry.young = entry.aged = false;
  entry.owed = 0;
  by_id_.insert(entry.ticket.id, slot);
  ++waiting_;
  return slot;
}

std::optional<Ticket> FairQueue::pop_asking(Instant now, Asked may) {
  rate_.at(now);
  collect_late(now);
  if (policy_.running_max > 0 && running_ >= policy_.running_max) return std::nullopt;
  age(now);
  auto chosen = choose(may);
  if (chosen.slot == none) return std::nullopt;
  const auto& entry = entries_[chosen.slot];
  auto& queue = class_of(entry.ticket);
  // Virtual time is the start tag of what is served in turn; a ticket served for its age tells nothing of the
  // others.
  if (chosen.in_turn) queue.vtime = std::max(queue.vtime, queue.flows[entry.flow].next_start);
  ++counts_.served;
  ++running_;
  rate_.served(now);
  return remove(chosen.slot, true);
}

FairQueue::Choice FairQueue::choose(Asked may) {
  auto top = std::ranges::find_if(classes_, [](const auto& queue) { return !queue.heads.empty(); });
  const MomentHeap::Entry* pressing = nullptr;
  for (auto below = top; below != classes_.end() && !aged_had_turn_; ++below) {
    if (below == top) continue;
    const auto* aged = below->aged.top([&](const auto& entry) { return alive(entry); });
    if (aged && (!pressing || std::pair(aged->key, aged->tie) < std::pair(pressing->key, pressing->tie)))
      pressing = aged;
  }
  aged_had_turn_ = pressing != nullptr;
  if (pressing && may(entries_[pressing->slot].ticket) == Turn::go) return {pressing->slot, false};
  for (; top != classes_.end(); ++top)
    if (auto choice = choose_in_turn(*top, may); choice.slot != none) return choice;
  return {};
}

FairQueue::Choice FairQueue::choose_in_turn(ClassQueue& queue, Asked may) {
  std::array<std::uint32_t, passed_over_max> passed{};
  std::size_t count = 0;
  Choice choice;
  while (!queue.heads.empty() && choice.slot == none) {
    auto flow = queue.heads.front();
    choice.slot = ask_flow(queue.flows[flow], may);
    if (choice.slot != none) break;
    if (count == passed.size()) break;
    unlist(queue, flow);
    passed[count++] = flow;
  }
  while (count > 0) list(queue, passed[--count]);
  return choice;
}

std::uint32_t FairQueue::ask_flow(const Flow& flow, Asked may) const {
  std::size_t asked = 0;
  for (auto lane = flow.lane; lane != none && asked++ < kinds_asked_max; lane = lanes_[lane].after) {
    auto first = lanes_[lane].first;
    auto turn = may(entries_[first].ticket);
    if (turn == Turn::go) return first;
    if (turn == Turn::tenant_waits) break;
  }
  return none;
}

void FairQueue::age(Instant now) {
  auto lives = [&](const MomentHeap::Entry& entry) { return alive(entry); };
  for (auto& queue : classes_) {
    while (!queue.young.all_after(now)) {
      const auto* next = queue.young.top(lives);
      if (!next || next->key > now) break;
      auto& entry = entries_[next->slot];
      queue.aged.push({entry.ticket.deadline, entry.ticket.id, next->slot, next->stamp});
      entry.young = false;
      entry.aged = true;
      queue.young.pop();
    }
  }
}

void FairQueue::collect_late(Instant now) {
  auto lives = [&](const MomentHeap::Entry& entry) { return alive(entry); };
  for (auto& queue : classes_) {
    while (!queue.deadlines.all_after(now)) {
      const auto* next = queue.deadlines.top(lives);
      if (!next || next->key > now) break;
      ++counts_.expired;
      late_.push_back(remove(next->slot, false));
    }
  }
}

std::vector<Ticket> FairQueue::expire(Instant now) {
  collect_late(now);
  return std::exchange(late_, {});
}

void FairQueue::on_turn(WorkClass work_class, double turn) {
  auto& latest = classes_[static_cast<std::size_t>(work_class)].turn;
  latest = std::max(latest, turn);
}

void FairQueue::done() {
  if (running_ > 0) --running_;
}

bool FairQueue::cancel(std::uint64_t id) {
  auto slot = find(id);
  if (slot == none) return false;
  remove(slot, false);
  ++counts_.expired;
  return true;
}

std::optional<Duration> FairQueue::retry_after() const {
  auto rate = rate_.per_second();
  if (!rate) return std::nullopt;
  return from_seconds(std::clamp((static_cast<double>(waiting_) + 1) / *rate, 1.0, 60.0));
}

Ticket FairQueue::remove(std::uint32_t slot, bool served) {
  auto& entry = entries_[slot];
  auto& queue = class_of(entry.ticket);
  leave_flow(queue, slot, served);
  auto ticket = std::move(entry.ticket);
  by_id_.erase(ticket.id, slot);
  free_entries_.push_back(slot);
  --waiting_;
  ++stamps_[slot];
  auto lives = [&](const MomentHeap::Entry& each) { return alive(each); };
  queue.deadlines.bury_one(lives);
  if (entry.young) queue.young.bury_one(lives);
  if (entry.aged) queue.aged.bury_one(lives);
  forget_idle(queue);
  return ticket;
}

std::size_t FairQueue::flows() const {
  std::size_t sum = 0;
  for (const auto& queue : classes_) sum += queue.flows_used;
  return sum;
}

}  // namespace troupe::policy
