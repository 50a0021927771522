// Class order, fair shares inside a class, ageing across classes.
#include "runtime/policy/fair_queue.hpp"

#include "runtime/base/clock.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace troupe::policy {
namespace {

double sane_cost(double cost) { return std::isfinite(cost) && cost > 0 ? cost : 1; }

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
  return std::nullopt;
}

bool FairQueue::push(Ticket ticket, Instant now) {
  ++counts_.in;
  collect_late(now);
  // Late tickets nobody has fetched yet still hold memory, so they count.
  bool full = tickets_.size() + late_.size() >= policy_.queued_max;
  if (full || ticket.deadline <= now || tickets_.contains(ticket.id)) {
    ++counts_.refused;
    return false;
  }
  auto& queue = classes_[ticket.work_class];
  auto& flow = queue.flows[ticket.tenant];
  queue.unlist(ticket.tenant, flow);
  if (flow.waiting.empty()) flow.next_start = std::max(flow.next_start, queue.vtime);
  auto place = flow.waiting.insert(flow.waiting.end(), ticket.id);
  queue.list(ticket.tenant, flow);
  auto aged_at = ageing_moment(ticket, policy_.ageing_share);
  queue.young.emplace(aged_at, ticket.id);
  deadlines_.emplace(ticket.deadline, ticket.id);
  auto id = ticket.id;
  tickets_.emplace(id, Entry{std::move(ticket), aged_at, place});
  return true;
}

std::optional<Ticket> FairQueue::pop(Instant now) {
  collect_late(now);
  if (policy_.running_max > 0 && running_ >= policy_.running_max) return std::nullopt;
  age(now);
  auto chosen = choose();
  if (!chosen) return std::nullopt;
  const auto& ticket = tickets_.at(chosen->id).ticket;
  auto& queue = classes_[ticket.work_class];
  // Virtual time is the start tag of what is served in turn; a ticket served for its age tells nothing of the
  // others.
  if (chosen->in_turn) queue.vtime = std::max(queue.vtime, queue.heads.begin()->first);
  ++counts_.served;
  ++running_;
  return remove(chosen->id, sane_cost(ticket.cost));
}

std::optional<FairQueue::Choice> FairQueue::choose() {
  auto top = std::ranges::find_if(classes_, [](const auto& item) { return !item.second.heads.empty(); });
  if (top == classes_.end()) return std::nullopt;
  std::optional<Moment> most_pressing;
  for (auto below = std::next(top); below != classes_.end() && !aged_had_turn_; ++below) {
    const auto& aged = below->second.aged;
    if (!aged.empty() && (!most_pressing || *aged.begin() < *most_pressing)) most_pressing = *aged.begin();
  }
  aged_had_turn_ = most_pressing.has_value();
  if (most_pressing) return Choice{most_pressing->second, false};
  return Choice{top->second.heads.begin()->second, true};
}

void FairQueue::age(Instant now) {
  for (auto& [work_class, queue] : classes_) {
    while (!queue.young.empty() && queue.young.begin()->first <= now) {
      auto id = queue.young.begin()->second;
      queue.aged.emplace(tickets_.at(id).ticket.deadline, id);
      queue.young.erase(queue.young.begin());
    }
  }
}

void FairQueue::collect_late(Instant now) {
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    ++counts_.expired;
    late_.push_back(remove(deadlines_.begin()->second, 0));
  }
}

std::vector<Ticket> FairQueue::expire(Instant now) {
  collect_late(now);
  return std::exchange(late_, {});
}

void FairQueue::done() {
  if (running_ > 0) --running_;
}

bool FairQueue::cancel(std::uint64_t id) {
  if (!tickets_.contains(id)) return false;
  remove(id, 0);
  ++counts_.expired;
  return true;
}

Ticket FairQueue::remove(std::uint64_t id, double charge) {
  auto found = tickets_.find(id);
  auto entry = std::move(found->second);
  tickets_.erase(found);
  const auto& tenant = entry.ticket.tenant;
  auto& queue = classes_[entry.ticket.work_class];
  auto& flow = queue.flows.at(tenant);
  queue.unlist(tenant, flow);
  flow.waiting.erase(entry.place);
  flow.next_start += charge;
  queue.list(tenant, flow);
  queue.young.erase({entry.aged_at, id});
  queue.aged.erase({entry.ticket.deadline, id});
  deadlines_.erase({entry.ticket.deadline, id});
  queue.forget_idle();
  return std::move(entry.ticket);
}

void FairQueue::ClassQueue::list(const std::string& tenant, const Flow& flow) {
  if (flow.waiting.empty()) {
    idle.emplace(flow.next_start, tenant);
  } else {
    heads.emplace(flow.next_start, flow.waiting.front());
  }
}

void FairQueue::ClassQueue::unlist(const std::string& tenant, const Flow& flow) {
  if (flow.waiting.empty()) {
    idle.erase({flow.next_start, tenant});
  } else {
    heads.erase({flow.next_start, flow.waiting.front()});
  }
}

void FairQueue::ClassQueue::forget_idle() {
  // A tenant whose service lies behind the virtual time would start afresh anyway; beyond the bound the
  // longest past goes first.
  while (!idle.empty() && (idle.begin()->first <= vtime || idle.size() > idle_flows_max)) {
    flows.erase(idle.begin()->second);
    idle.erase(idle.begin());
  }
}

std::size_t FairQueue::flows() const {
  std::size_t sum = 0;
  for (const auto& [work_class, queue] : classes_) sum += queue.flows.size();
  return sum;
}

}  // namespace troupe::policy
