// How a feature's attempts end, how a second one stands beside a slow one, and how calls end.
#include "runtime/policy/dispatcher.hpp"

#include <algorithm>
#include <utility>

namespace troupe::policy {
namespace {

/// Nodes of ended attempts kept for the next ones.
constexpr std::size_t kSpareAttemptsMax = 4096;

/// Of two refusals for want of room the one to wait for: where there is room first. No hint: any moment.
bool sooner(const Error& error, const std::optional<Error>& than) {
  return !than || error.retry_after.value_or(Duration{}) <= than->retry_after.value_or(Duration{});
}

}  // namespace

void Dispatcher::plan_hedge(Following& call, Instant now) {
  auto patience = hedges_.patience(policy_.rules.work_class);
  if (!patience) return;
  call.hedge_at = now + *patience;
  timers_.push({*call.hedge_at, call.facts.id});
}

void Dispatcher::try_hedge(Following& call, Moment at, Actions& out) {
  call.hedge_at.reset();
  if (call.main.attempt == 0 || call.hedge.attempt != 0 || call.content) return;
  const auto* place = hedge_place(call, at.wall);
  if (place == nullptr) return;
  double second_usd = usd_of(call.facts, place->endpoint);
  // What is paid by the hour is worth what it saves.
  bool reserved = router_.facts(call.main.endpoint).kind == CapacityKind::reserved;
  HedgeBudget::Wish wish{policy_.rules.work_class,
                         at.now - call.main.sent,
                         call.facts.deadline - at.now,
                         reserved ? second_usd : usd_of(call.facts, call.main.endpoint),
                         second_usd,
                         load_at(place->endpoint)};
  if (hedges_.take(wish) != HedgeBudget::Verdict::go) return;
  ++counts_.hedges;
  call.hedge = order(call, place->endpoint, Cause::hedge, at.now, out);
}

// The next of the plan that has room; one that is slow for the first attempt's reason would be no help.
const Planned* Dispatcher::hedge_place(const Following& call, WallTime wall) const {
  for (auto i = call.next; i < call.plan.order.size(); ++i) {
    const auto& planned = call.plan.order[i];
    bool roomy = planned.remark.also == Note::none && planned.endpoint != call.main.endpoint;
    bool banned = router_.ban(planned.endpoint, call.facts.tenant, wall) != Note::none;
    if (roomy && !banned && can_serve(planned.endpoint, wall)) return &planned;
  }
  return nullptr;
}

double Dispatcher::usd_of(const CallFacts& call, std::uint32_t endpoint) const {
  const auto& facts = router_.facts(endpoint);
  if (facts.kind == CapacityKind::reserved) return 0;
  return (facts.price.input * static_cast<double>(call.input_tokens) +
          facts.price.output * static_cast<double>(call.output_tokens)) /
         1e6;
}

double Dispatcher::load_at(std::uint32_t endpoint) const {
  auto share = [](double used, double most) { return most > 0 ? used / most : 0; };
  const auto* health = router_.health(endpoint);
  double there = health != nullptr ? share(health->in_flight, health->in_flight_max) : 0;
  double here =
      share(static_cast<double>(queue_.running()), static_cast<double>(policy_.admission.running_max));
  return std::max(here, there);
}

void Dispatcher::learn_first_token(Following& call, Duration ttft) {
  if (!std::exchange(call.content, true)) hedges_.on_ttft(policy_.rules.work_class, ttft);
}

void Dispatcher::drop(Out& attempt, Actions& out) {
  if (attempt.attempt == 0) return;
  attempts_.erase(attempt.attempt);
  out.cancel.push_back(attempt.attempt);
  attempt = {};
}

void Dispatcher::on_first_token(std::uint64_t attempt, Moment at, Actions& out) {
  auto it = attempts_.find(attempt);
  if (it == attempts_.end()) return;
  auto& call = calls_.at(it->second);
  bool hedged = call.hedge.attempt != 0;
  if (hedged && attempt == call.hedge.attempt) std::swap(call.main, call.hedge);
  learn_first_token(call,
                    hedged ? at.now - std::min(call.main.sent, call.hedge.sent) : at.now - call.main.sent);
  drop(call.hedge, out);
}

// It reached a wire.
void Dispatcher::note_attempt(Following& call, const AttemptReport& report, const Out& ended, Instant now) {
  unstall(call);
  call.by_turn = false;
  if (call.sent == 0) queue_.on_turn(policy_.rules.work_class, call.turn);
  ++counts_.attempts;
  ++call.sent;
  call.paid = call.rested = false;
  call.last_endpoint = ended.endpoint;
  call.last_error = report.error;
  call.used_tokens += report.input_tokens + report.output_tokens;
  learn_service(call, report, now - ended.sent);
  auto waited = report.ttft > Duration::zero() ? report.ttft : now - ended.sent;
  if (call.main.attempt == 0) learn_first_token(call, waited);
}

void Dispatcher::on_ended(const AttemptReport& report, Moment at, Actions& out) {
  auto node = attempts_.extract(report.id);
  if (node.empty()) return;
  auto& call = calls_.at(node.mapped());
  if (spare_attempts_.size() < kSpareAttemptsMax) spare_attempts_.push_back(std::move(node));
  if (report.id == call.hedge.attempt) std::swap(call.main, call.hedge);
  auto ended = std::exchange(call.main, std::exchange(call.hedge, {}));
  auto room_before = room_;
  if (!report.not_sent) note_attempt(call, report, ended, at.now);
  if (!report.error) {
    if (report.output_tokens > 0)
      estimator_.learn(OutputEstimator::whole_feature, static_cast<double>(call.facts.input_tokens),
                       static_cast<double>(report.output_tokens));
    end(call, std::nullopt, report.id, at.now, out);
  } else if (report.not_sent) {
    on_not_sent(call, ended.endpoint, *report.error, at, out);
  } else {
    on_failed(call, report, at, out);
  }
  // A refusal frees nothing: asking the next at each would ask them all.
  if (!report.not_sent || room_ != room_before || again_ > 0) pump(at, out);
}

void Dispatcher::on_failed(Following& call, const AttemptReport& report, Moment at, Actions& out) {
  // After the first token a second endpoint would repeat text, unless the call can do with that (C12).
  bool shown = report.content_seen && !call.facts.may_follow_content;
  bool again = !shown && (report.error->retryable || (report.error->failover && policy_.route.fallback));
  if (!again) return end(call, report.error, report.id, at.now, out);
  if (!report.error->retryable) call.barred.push_back(call.last_endpoint);
  if (call.main.attempt == 0) go(call, at, out);  // else its hedge goes on
}

// Full for now, or without a credential: the latter is not asked again for this call.
void Dispatcher::on_not_sent(Following& call, std::uint32_t endpoint, const Error& error, Moment at,
                             Actions& out) {
  if (!error.retryable) call.barred.push_back(endpoint);
  if (call.main.attempt != 0) return;
  call.spilled = error.retryable;
  if (call.sent == 0 && sooner(error, call.last_error)) call.last_error = error;
  go(call, at, out);
}

void Dispatcher::on_cancel(std::uint64_t id, Moment at, Actions& out) {
  expire_waiting(at, out);  // it may be late already, and must not end twice
  auto it = calls_.find(id);
  if (it == calls_.end()) return;
  auto error = make_error(Errc::cancelled, "the caller gave up");
  error.maybe_billed = it->second.main.attempt != 0;
  if (queue_.cancel(id)) {
    left_queue(id);
    ++counts_.expired;
    out.ended.push_back({id, Ending::expired, std::move(error), 0});
    return forget(id);
  }
  end(it->second, std::move(error), 0, at.now, out);
  pump(at, out);
}

void Dispatcher::end(Following& call, std::optional<Error> error, std::uint64_t attempt, Instant now,
                     Actions& out) {
  auto ending = error ? Ending::failed : Ending::served;
  ++(error ? counts_.failed : counts_.served);
  finish(call, {call.facts.id, ending, std::move(error), ending == Ending::served ? attempt : 0}, now, out);
}

// It never reached a wire.
void Dispatcher::expire(Following& call, std::string why, Instant now, Actions& out) {
  auto error = make_error(Errc::deadline_exceeded, std::move(why));
  error.maybe_billed = false;
  ++counts_.expired;
  finish(call, {call.facts.id, Ending::expired, std::move(error), 0}, now, out);
}

void Dispatcher::finish(Following& call, CallEnd end, Instant now, Actions& out) {
  unstall(call);
  if (call.sent == 0 && call.main.attempt == 0) queue_.give_back(ticket_of(call.facts, call.arrived));
  drop(call.main, out);
  drop(call.hedge, out);
  if (call.granted > 0)
    tree_->settle(policy_.rules.feature, call.facts.tenant, call.source, call.granted,
                  static_cast<double>(call.used_tokens), now);
  queue_.done();
  ++room_;
  auto id = call.facts.id;
  out.ended.push_back(std::move(end));
  forget(id);
}

}  // namespace troupe::policy
