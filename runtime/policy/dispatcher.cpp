// How a feature's calls go on: what each fact about them leads to.
#include "runtime/policy/dispatcher.hpp"

#include "runtime/base/clock.hpp"
#include "runtime/policy/controls.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace troupe::policy {
namespace {

std::string last_words(const std::optional<Error>& last) {
  return last ? fmt::format("; last: {}", to_string(last->code)) : std::string();
}

/// Nodes of ended calls kept for the next ones.
constexpr std::size_t kSpareMax = 4096;

}  // namespace

const char* to_string(Ending ending) {
  constexpr std::array names{"served", "refused", "expired", "failed"};
  return names[static_cast<std::size_t>(ending)];
}

Dispatcher::Dispatcher(DispatchPolicy policy, std::uint64_t seed, Instant now)
    : policy_(std::move(policy)),
      router_(policy_.rules, policy_.route),
      queue_(policy_.admission),
      budget_(policy_.retry),
      hedges_(policy_.hedge),
      estimator_(policy_.estimate),
      rng_(seed),
      ticked_(now) {}

void Dispatcher::set_endpoints(std::vector<FactsPtr> endpoints) {
  kept_room_.resize(endpoints.size());
  router_.set_endpoints(std::move(endpoints));
}
void Dispatcher::set_health(std::uint32_t endpoint, HealthPtr health) {
  kept_room_.on_view(endpoint, health.get());
  router_.set_health(endpoint, std::move(health));
}
void Dispatcher::set_quota_tree(std::shared_ptr<QuotaTree> tree) {
  tree_ = std::move(tree);
  guaranteed_ = tree_ && tree_->guarantees(policy_.rules.feature);
}
void Dispatcher::set_controls(ControlsPtr controls) {
  auto of_tenant = [](const Stop& stop) { return stop.subject == Subject::tenant; };
  tenants_stopped_ = controls && std::ranges::any_of(controls->stops, of_tenant);
  router_.set_controls(std::move(controls));
}

// ---- memory ----

void Dispatcher::Following::reset() {
  auto kept_plan = std::move(plan);
  auto kept_barred = std::move(barred);
  kept_plan.clear();
  kept_barred.clear();
  *this = {};
  plan = std::move(kept_plan);
  barred = std::move(kept_barred);
}

Dispatcher::Following& Dispatcher::follow(CallFacts call) {
  auto id = call.id;
  if (!spare_calls_.empty()) {
    auto node = std::move(spare_calls_.back());
    spare_calls_.pop_back();
    node.key() = id;
    node.mapped().reset();
    calls_.insert(std::move(node));
  }
  auto& following = calls_[id];
  following.facts = std::move(call);
  following.draw = rng_.uniform();
  return following;
}

void Dispatcher::forget(std::uint64_t call) {
  auto node = calls_.extract(call);
  if (!node.empty() && spare_calls_.size() < kSpareMax) spare_calls_.push_back(std::move(node));
}

void Dispatcher::remember_attempt(std::uint64_t attempt, std::uint64_t call) {
  if (spare_attempts_.empty()) {
    attempts_.emplace(attempt, call);
    return;
  }
  auto node = std::move(spare_attempts_.back());
  spare_attempts_.pop_back();
  node.key() = attempt;
  node.mapped() = call;
  attempts_.insert(std::move(node));
}

// ---- routing ----

RouteRequest Dispatcher::request_of(const CallFacts& call, double draw, Instant now) const {
  RouteRequest request;
  request.boundary = call.boundary;
  request.tenant = call.tenant;
  request.input_tokens = call.input_tokens;
  request.output_tokens = call.output_tokens;
  request.output_tokens_max = call.output_tokens_max;
  request.deadline = call.deadline - now;
  request.draw = draw;
  request.needs = call.needs;
  request.prefix = call.prefix;
  request.lead = call.lead;
  request.candidates = call.candidates;
  return request;
}

void Dispatcher::plan_and_go(Following& call, Moment at, Actions& out) {
  if (doomed(call, at.now))
    return expire(call, "no call was made: it could not be done in time" + last_words(call.last_error),
                  at.now, out);
  auto request = request_of(call.facts, call.draw, at.now);
  // A call that failed once is no fit trial: with the others full, it would prove the ill endpoint to death.
  request.trickle_allowed = call.sent == 0;
  router_.plan(request, call.barred, at.wall, call.plan);
  call.decision = ++last_decision_;
  call.next = 0;
  call.again_at.reset();
  call.behind = call.needs_budget = false;
  if (decisions_ != nullptr)
    decisions_->on_decision(
        {call.decision, call.facts.id, request, call.barred, at.wall, router_, call.plan});
  go(call, at, out);
}

// A node that was lost is no overload: going elsewhere adds nothing to what was there, so it is not charged
// (E11).
bool Dispatcher::may_try_again(const Following& call) {
  return call.last_error->code == Errc::unreachable || budget_.take();
}

void Dispatcher::look_again(Following& call, Instant when) {
  call.again_at = when;
  timers_.push({when, call.facts.id});
}

// The budget earns again with other calls and with time; until the deadline that is worth waiting for.
void Dispatcher::wait_for_budget(Following& call, Moment at, Actions& out) {
  if (at.now + policy_.recheck >= call.facts.deadline) return end(call, *call.last_error, 0, at.now, out);
  unstall(call);  // it does not look for room meanwhile, so others may
  look_again(call, call.facts.deadline - policy_.recheck);
  if (!std::exchange(call.needs_budget, true)) for_budget_.push_back(call.facts.id);
}

// Sent first come, first served, beyond capacity all would be sent just before their deadline, and nearly all
// cut off: to give up those keeps the rest in time.
bool Dispatcher::doomed(const Following& call, Instant now) {
  bool others = queue_.waiting() > 0 || behind_ > 0;
  if (!others || call.sent > 0 || !(policy_.admission.finish_share > 0)) return false;
  auto left = call.facts.deadline - now;
  if (left > (call.facts.deadline - call.arrived) / 2) return false;
  auto usual = service_.quantile(call.facts.output_tokens, policy_.admission.finish_share);
  return usual && left < *usual;
}

void Dispatcher::learn_service(const Following& call, const AttemptReport& report, Duration took) {
  if (!report.error) service_.finished(call.facts.output_tokens, took);
  if (report.error && report.error->code == Errc::deadline_exceeded)
    service_.cut(call.facts.output_tokens, took);
}

// Sends the next planned attempt, or waits, or gives up.
void Dispatcher::go(Following& call, Moment at, Actions& out) {
  if (at.now >= call.facts.deadline && call.sent == 0)
    return expire(call, "no call was made: no endpoint had room in time" + last_words(call.last_error),
                  at.now, out);
  if (at.now >= call.facts.deadline) return end(call, too_late(call), 0, at.now, out);
  bool extra = call.sent > 0;
  if (extra && call.sent >= policy_.route.attempts_max) return end(call, *call.last_error, 0, at.now, out);
  if (const auto* planned = next_planned(call, at)) {
    if (extra && !call.paid && !may_try_again(call)) return wait_for_budget(call, at, out);
    call.paid = extra;
    return send(call, *planned, at, out);
  }
  bool resting = extra && !call.rested;
  if (auto wait = wait_for_capacity(call, at)) {
    if (resting) return look_again(call, at.now + *wait);
    return stall(call, at.now + *wait, at.now);
  }
  end(call, call.last_error ? *call.last_error : no_endpoint(call), 0, at.now, out);
}

// The plan may be older than what has become known since: who fell ill meanwhile is passed over (F6).
const Planned* Dispatcher::next_planned(Following& call, Moment at) const {
  for (; call.next < call.plan.order.size(); ++call.next) {
    const auto& planned = call.plan.order[call.next];
    bool barred = std::ranges::find(call.barred, planned.endpoint) != call.barred.end();
    bool banned = router_.ban(planned.endpoint, call.facts.tenant, at.wall) != Note::none;
    if (barred || banned || !can_serve(planned.endpoint, at.wall)) continue;
    if (waits_for_reserved(call, planned.endpoint)) continue;
    if (leaves_room(call, planned.endpoint, at.now)) return &planned;
    call.spilled = true;
  }
  return nullptr;
}

// With spillover off, what reserved capacity has no room for waits for it; others serve after it failed (C1).
bool Dispatcher::waits_for_reserved(const Following& call, std::uint32_t endpoint) const {
  if (policy_.route.spillover || call.sent > 0 || call.plan.order.empty()) return false;
  auto reserved = [&](std::uint32_t each) { return router_.facts(each).kind == CapacityKind::reserved; };
  return reserved(call.plan.order.front().endpoint) && !reserved(endpoint);
}

// What is borrowed leaves room to those it is borrowed from, worse classes more; who has waited long may take
// ever more of it, up to all at its deadline, or batch work would starve beneath a steady load (A10). Batch
// work leaves some with its own guarantee too: that is a matter of hours, and who waits for an answer counts
// seconds.
bool Dispatcher::leaves_room(const Following& call, std::uint32_t endpoint, Instant now) const {
  constexpr double own_batch_room = 0.9;
  bool borrowed = has_borrowed(call), batch = tree_ && policy_.rules.work_class == WorkClass::batch;
  double share =
      borrowed || batch ? tree_->room_share(policy_.rules.feature, policy_.rules.work_class, now) : 1;
  if (!borrowed) share = std::max(share, own_batch_room);
  if (share >= 1) return true;
  double life = std::max(seconds(call.facts.deadline - call.arrived), 1e-9);
  double waited = seconds(now - call.arrived) / life, ageing = policy_.admission.ageing_share;
  if (waited > ageing) share += (1 - share) * std::min(1.0, (waited - ageing) / (1 - ageing));
  return kept_room_.free_for(
      endpoint, *router_.health(endpoint),
      {static_cast<double>(call.facts.input_tokens), static_cast<double>(call.facts.output_tokens), share});
}

bool Dispatcher::can_serve(std::uint32_t endpoint, WallTime wall) const {
  const auto* health = endpoint < router_.size() ? router_.health(endpoint) : nullptr;
  return health != nullptr && health->reachable && health->state != BreakerState::open &&
         health->throttled_until <= wall;
}

// Nothing can be tried now. Worth waiting for? Looked at again and again, since estimates of when there will
// be room are no promises; the deadline bounds it (C3).
std::optional<Duration> Dispatcher::wait_for_capacity(Following& call, Moment at) {
  auto request = request_of(call.facts, call.draw, at.now);
  if (!router_.hope(request, call.barred, at.wall)) return std::nullopt;
  if (call.sent > 0 && !std::exchange(call.rested, true))
    return backoff(policy_.retry, call.sent, *call.last_error, request.deadline, rng_);
  return std::min<Duration>(policy_.recheck, request.deadline);
}

Cause Dispatcher::cause_of(const Following& call, const Planned& planned) const {
  if (call.sent > 0) return planned.endpoint == call.last_endpoint ? Cause::retry : Cause::fallback;
  if (planned.cause == Cause::trickle) return Cause::trickle;
  bool reserved = router_.facts(planned.endpoint).kind == CapacityKind::reserved;
  return call.spilled && !reserved ? Cause::spillover : planned.cause;
}

void Dispatcher::send(Following& call, const Planned& planned, Moment at, Actions& out) {
  ++call.next;
  kept_room_.on_sent(planned.endpoint, static_cast<double>(call.facts.input_tokens),
                     static_cast<double>(call.facts.output_tokens));
  call.main = order(call, planned.endpoint, cause_of(call, planned), at.now, out);
  if (call.stalled) confirming_.push_back({at.now + confirm_after, call.facts.id});
  if (call.sent == 0) plan_hedge(call, at.now);
}

Dispatcher::Out Dispatcher::order(const Following& call, std::uint32_t endpoint, Cause cause, Instant now,
                                  Actions& out) {
  auto id = ++last_attempt_;
  remember_attempt(id, call.facts.id);
  out.send.push_back({call.facts.id, id, endpoint, cause, call.facts.deadline, call.decision});
  return {id, endpoint, now};
}

// ---- time ----

void Dispatcher::expire_waiting(Moment at, Actions& out) {
  for (const auto& ticket : queue_.expire(at.now)) {
    auto error = make_error(Errc::deadline_exceeded, "expired in the queue: no call was made");
    error.maybe_billed = false;
    ++counts_.expired;
    out.ended.push_back({ticket.id, Ending::expired, std::move(error), 0});
    left_queue(ticket.id);
    forget(ticket.id);
  }
}

void Dispatcher::on_tick(Moment at, Actions& out) {
  budget_.on_time(at.now - std::exchange(ticked_, at.now));
  expire_waiting(at, out);
  while (!timers_.empty() && timers_.top().at <= at.now) {
    auto it = calls_.find(timers_.top().call);
    timers_.pop();
    if (it == calls_.end()) continue;
    auto& call = it->second;
    if (call.hedge_at && *call.hedge_at <= at.now) {
      try_hedge(call, at, out);
    } else if (call.again_at && *call.again_at <= at.now) {
      time_came(call, at, out);
    }
  }
  serve_budget_line(at, out);
  pump(at, out);
}

std::optional<Instant> Dispatcher::wake_at() const {
  if (timers_.empty()) return std::nullopt;
  return timers_.top().at;
}

// ---- questions ----

RoutePlan Dispatcher::explain(const CallFacts& call, Moment at, double draw) {
  RoutePlan plan;
  router_.plan(request_of(call, draw, at.now), {}, at.wall, plan);
  return plan;
}

const RoutePlan* Dispatcher::plan_of(std::uint64_t call) const {
  auto it = calls_.find(call);
  return it == calls_.end() ? nullptr : &it->second.plan;
}

Error Dispatcher::too_late(const Following& call) const {
  auto error = make_error(Errc::deadline_exceeded,
                          "the deadline passed before an endpoint answered" + last_words(call.last_error));
  error.maybe_billed = true;
  return error;
}

Error Dispatcher::no_endpoint(const Following& call) const {
  std::string why;
  for (const auto& passed : call.plan.passed_over)
    why += (why.empty() ? "" : "; ") +
           words_of(passed.remark, router_.facts(passed.endpoint), router_.health(passed.endpoint));
  return make_error(Errc::no_endpoint, why.empty() ? "no endpoint serves this feature" : why);
}

}  // namespace troupe::policy
