// How a feature's calls are admitted, and how those without room wait.
#include "runtime/policy/dispatcher.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <utility>

namespace troupe::policy {
namespace {

/// Taken from the queue at once while room is tight: whether they found any is known only later.
constexpr std::uint32_t kTightTaken = 4;
/// Calls that look for room among which the first in turn is sought.
constexpr std::size_t kComparedMax = 64;
/// Those that stand behind among which one that was refused again is put back into its place.
constexpr std::size_t kReturnedMax = 2 * kTightTaken;
constexpr Duration kTightFor = std::chrono::seconds(1);

std::uint64_t folded(std::uint64_t hash, std::uint64_t value) { return Rng(hash ^ value).next(); }

}  // namespace

void Dispatcher::on_call(CallFacts call, Moment at, Actions& out) {
  ++counts_.in;
  if (call.output_tokens == 0)
    call.output_tokens = static_cast<std::uint64_t>(
        estimator_.estimate(OutputEstimator::whole_feature, static_cast<double>(call.input_tokens),
                            static_cast<double>(call.output_tokens_max)));
  auto ticket = ticket_of(call, at.now);
  auto& kin = kin_of(call, {});
  ticket.kind = kin.hash;
  if (!queue_.push(std::move(ticket), at.now)) return turn_away(call, at, out);
  auto& following = follow(std::move(call));
  following.arrived = at.now;
  following.kin = &kin;
  ++following.kin->queued;
  pump(at, out);
}

Ticket Dispatcher::ticket_of(const CallFacts& call, Instant arrived) const {
  auto tokens = static_cast<double>(call.input_tokens + call.output_tokens);
  return {call.id, policy_.rules.work_class, call.tenant, tokens, arrived, call.deadline};
}

void Dispatcher::turn_away(const CallFacts& call, Moment at, Actions& out) {
  bool late = call.deadline <= at.now;
  ++(late ? counts_.expired : counts_.refused);
  auto error = late ? make_error(Errc::deadline_exceeded, "no time left on arrival") : refusal();
  error.maybe_billed = false;
  out.ended.push_back({call.id, late ? Ending::expired : Ending::refused, std::move(error), 0});
}

Error Dispatcher::refusal() const {
  auto error = make_error(Errc::refused, fmt::format("feature {}: {} calls are waiting already",
                                                     policy_.rules.feature, queue_.waiting()));
  error.retry_after = queue_.retry_after();
  return error;
}

void Dispatcher::left_queue(std::uint64_t call) { --calls_.at(call).kin->queued; }

// ---- who waits for the same ----

Dispatcher::Kin& Dispatcher::kin_of(const CallFacts& call, std::span<const std::uint32_t> barred) {
  auto size = static_cast<std::uint64_t>(std::bit_width(call.input_tokens + call.output_tokens_max)) / 2;
  std::uint64_t needs = call.needs.tools + 2 * call.needs.images + 4 * call.needs.schema;
  std::uint64_t lead = call.lead ? *call.lead + 1 : 0;
  auto hash = folded(folded(size, needs), lead);
  if (call.candidates != 0) hash = folded(hash, call.candidates);
  if (!call.boundary.empty()) hash = stable_hash(call.boundary, hash);
  // A tenant who may not go where others may must not keep these waiting.
  if (tenants_stopped_) hash = stable_hash(call.tenant, hash);
  for (auto endpoint : barred) hash = folded(hash, endpoint + 1);
  return kin_by(hash);
}

Dispatcher::Kin& Dispatcher::kin_by(std::uint64_t hash) {
  auto known = kins_.find(hash);
  if (known != kins_.end()) return known->second;
  if (kins_.size() >= kins_max) hash = 0;
  auto& kin = kins_[hash];
  kin.hash = hash;
  return kin;
}

bool Dispatcher::may_ask(const Kin& kin, Instant now) const {
  bool few = kin.pass != pass_ || kin.taken < kTightTaken;
  return kin.stalled < stalled_max && (few || now >= kin.tight_until);
}

bool Dispatcher::nobody_may_ask(Instant now) const {
  return std::ranges::none_of(
      kins_, [&](const auto& each) { return each.second.queued > 0 && may_leave(each.second, now); });
}

void Dispatcher::stall(Following& call, Instant until, Instant now) {
  // Who may not go to some endpoint again must not keep those waiting who may; nor who may not go where room
  // is kept.
  bool apart = has_borrowed(call);
  if (!call.stalled && (apart || !call.barred.empty())) call.kin = &kin_of(call.facts, call.barred);
  if (!call.stalled && apart) call.kin = &borrowers_of(*call.kin);
  if (apart && guaranteed_ && !std::exchange(call.claims, true)) claimants_.push_back(call.facts.id);
  if (std::exchange(call.by_turn, false)) ++again_;
  auto& kin = *call.kin;
  kin.tight_until = now + kTightFor;
  if (!call.stalled && kin.stalled >= stalled_max) return stand_behind(call);
  if (!std::exchange(call.stalled, true)) ++kin.stalled;
  look_again(call, until);
  if (!std::exchange(call.in_line, true)) for_room_.push_back(call.facts.id);
}

void Dispatcher::stand_behind(Following& call) {
  call.again_at = call.facts.deadline;
  if (!std::exchange(call.deadline_timed, true)) timers_.push({call.facts.deadline, call.facts.id});
  if (std::exchange(call.behind, true)) return;
  // Who was taken from there and refused stands before those that came after it, among which it still is.
  auto later = [&](std::uint64_t id) {
    auto it = calls_.find(id);
    return it != calls_.end() && it->second.turn > call.turn;
  };
  auto& behind = call.kin->behind;
  auto near = behind.begin() + static_cast<std::ptrdiff_t>(std::min(behind.size(), kReturnedMax));
  auto place = std::find_if(behind.begin(), near, later);
  behind.insert(place == near ? behind.end() : place, call.facts.id);
  ++behind_;
}

void Dispatcher::unstall(Following& call) {
  if (std::exchange(call.stalled, false)) --call.kin->stalled;
}

// Whoever was not refused by now has found room.
void Dispatcher::confirm(Instant now) {
  for (; !confirming_.empty() && confirming_.front().at <= now; confirming_.pop_front()) {
    auto it = calls_.find(confirming_.front().call);
    if (it != calls_.end() && it->second.main.attempt != 0) unstall(it->second);
  }
}

void Dispatcher::time_came(Following& call, Moment at, Actions& out) {
  bool late = at.now >= call.facts.deadline;
  if (!late && !call.stalled && !may_ask(*call.kin, at.now)) return stand_behind(call);
  plan_and_go(call, at, out);
}

// Tried while there is budget; those who find no room leave it to the next, a few times.
void Dispatcher::serve_budget_line(Moment at, Actions& out) {
  for (int idle = 0; idle < 4 && !for_budget_.empty() && budget_.left() >= 1;) {
    auto it = calls_.find(for_budget_.front());
    for_budget_.pop_front();
    if (it == calls_.end() || !it->second.needs_budget) continue;
    auto before = out.send.size();
    plan_and_go(it->second, at, out);
    idle += out.send.size() == before ? 1 : 0;
  }
}

// ---- admission ----

// A loop, not recursion: a call that ends at once makes room for the next, ten thousand times over.
void Dispatcher::pump(Moment at, Actions& out) {
  if (std::exchange(pumping_, true)) return;
  ++pass_;
  confirm(at.now);
  while (true) {
    auto* waiting = take_waiting();
    if (waiting == nullptr) waiting = take_claimant(at.now);
    if (waiting == nullptr) waiting = take_behind(at.now);
    if (waiting != nullptr) {
      plan_and_go(*waiting, at, out);
      continue;
    }
    if (queue_.waiting() == 0 || nobody_may_ask(at.now)) break;
    auto ticket = queue_.pop_if(at.now, [&](const Ticket& t) { return may_go(t, at.now); });
    if (!ticket) break;
    auto& call = calls_.at(ticket->id);
    call.turn = ticket->turn;
    --call.kin->queued;
    count_taken(has_borrowed(call) ? borrowers_of(*call.kin) : *call.kin);
    if (!doomed(call, at.now)) {
      budget_.on_first_attempt();
      hedges_.on_request();
    }
    plan_and_go(call, at, out);
  }
  pumping_ = false;
}

// For each call that ended one that waits for room looks again now, not at the next tick: whose turn it is.
// Were it who has looked longest, kins would be served by turns, however many wait in each. When that one
// finds none (it may want more than came free), the longest in line looks.
Dispatcher::Following* Dispatcher::take_waiting() {
  Following* call = nullptr;
  if (again_ > 0) {
    --again_;
    call = take_longest_in_line();
  }
  if (call == nullptr && room_ > 0) {
    --room_;
    call = take_first_in_turn();
  }
  if (call == nullptr) room_ = again_ = 0;
  return call;
}

Dispatcher::Following* Dispatcher::take_longest_in_line() {
  while (!for_room_.empty()) {
    auto* call = still_looks(for_room_.front());
    for_room_.pop_front();
    if (call == nullptr) continue;
    call->in_line = false;
    return call;
  }
  return nullptr;
}

// Null: it has ended, or found room. Then it stands in line no more, and stands at its end when it stalls
// again.
Dispatcher::Following* Dispatcher::still_looks(std::uint64_t call) {
  auto it = calls_.find(call);
  if (it == calls_.end()) return nullptr;
  it->second.in_line = it->second.again_at && it->second.stalled;
  return it->second.in_line ? &it->second : nullptr;
}

// Those that have ended or gone leave the line on the way, or they would hide who stands behind them.
Dispatcher::Following* Dispatcher::take_first_in_turn() {
  std::size_t first = 0, kept = 0, seen = 0;
  Following* call = nullptr;
  for (; seen < for_room_.size() && kept < kComparedMax; ++seen) {
    auto* each = still_looks(for_room_[seen]);
    if (each == nullptr) continue;
    for_room_[kept] = for_room_[seen];
    if (call == nullptr || each->turn < call->turn) first = kept, call = each;
    ++kept;
  }
  auto begin = for_room_.begin();
  for_room_.erase(begin + static_cast<std::ptrdiff_t>(kept), begin + static_cast<std::ptrdiff_t>(seen));
  if (call == nullptr) return nullptr;
  for_room_.erase(for_room_.begin() + static_cast<std::ptrdiff_t>(first));
  call->in_line = false;
  call->by_turn = true;
  return call;
}

Dispatcher::Following* Dispatcher::take_behind(Instant now) {
  if (behind_ == 0) return nullptr;
  for (auto& [hash, kin] : kins_)
    while (!kin.behind.empty() && may_ask(kin, now)) {
      auto it = calls_.find(kin.behind.front());
      kin.behind.pop_front();
      --behind_;
      if (it == calls_.end() || !it->second.behind) continue;
      count_taken(kin);
      return &it->second;
    }
  return nullptr;
}

void Dispatcher::count_taken(Kin& kin) {
  kin.taken = std::exchange(kin.pass, pass_) == pass_ ? kin.taken + 1 : 1;
}

}  // namespace troupe::policy
