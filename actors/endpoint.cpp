#include "actors/endpoint.hpp"

#include "actors/following.hpp"
#include "actors/shell.hpp"
#include "runtime/base/log.hpp"
#include "runtime/base/rng.hpp"
#include "runtime/base/tokens.hpp"
#include "runtime/policy/silence_watch.hpp"

#include <fmt/format.h>

#include <unordered_map>
#include <utility>

namespace troupe::actors {
namespace {

/// Who looked it up just before it was replaced may still send it an attempt.
constexpr Duration kLeaveGrace = std::chrono::seconds(1);

struct EndpointState {
  static constexpr const char* name = "endpoint";
  explicit EndpointState(EndpointActor::pointer self) : self_(self) {}

  EndpointActor::behavior_type start(EndpointConfig config, AttemptStarter starter, Clock* clock,
                                     BreakerActor breaker) {
    config_ = std::move(config);
    if (!config_.tariff)
      config_.tariff = policy::Tariff{config_.facts.kind, config_.facts.price, {}, {}, 0, {}};
    starter_ = std::move(starter);
    clock_ = clock;
    breaker_ = std::move(breaker);
    guard_.emplace(config_.guard, clock_->now());
    self_->send(breaker_, LoadObserved{load()});
    return {
        [this](const RunAttempt& order) { on_run(order); },
        [this](const CancelAttempt& order) { on_cancel(order); },
        [this](const LimitsHeard& fact) { guard_->on_hints(fact.hints, clock_->now()); },
        [this](const AttemptEnded& fact) { on_ended(fact); },
        [this](Retire) { retired_at_ = clock_->now(); },
        [this](Tick) { on_tick(); },
    };
  }

 private:
  struct Running {
    RunAttempt order;
    policy::QuotaNeed reserved;
    std::uint64_t workload = 0;
    std::shared_ptr<HttpAttempt> attempt;
    Instant began;
    bool silent = false;
  };

  void on_tick() {
    watch_silence();
    // Its successor's breaker hears of the successor's load.
    if (!retired_at_) return self_->send(breaker_, LoadObserved{load()});
    if (running_.empty() && clock_->now() - *retired_at_ > kLeaveGrace) self_->quit();
  }

  // Whoever hangs would say so only when a timer ends it (the grey failure).
  void watch_silence() {
    auto now = clock_->now();
    auto patience = config_.patience ? config_.patience->load() : Duration::zero();
    while (auto due = silence_.due(now, patience)) {
      auto it = running_.find(*due);
      if (it == running_.end() || it->second.attempt->answering()) continue;
      auto& running = it->second;
      running.silent = true;
      auto cause = running.order.cause;
      policy::Silence silence{now, running.began, cause == Cause::trickle, cause == Cause::shadow};
      self_->send(breaker_, SilenceObserved{silence});
    }
  }

  void on_run(const RunAttempt& order) {
    if (!inside(order.boundary, config_.facts)) return refuse_outside(order);
    auto workload = stable_hash(order.request->feature);
    auto need = guard_->need_of(workload, static_cast<double>(estimate_input_tokens(*order.request)),
                                static_cast<double>(order.request->output_tokens_max));
    auto admission = guard_->admit(need, clock_->now());
    if (!admission.admitted) return refuse(order, admission.wait);
    auto id = ++last_id_;
    auto& running = running_[id];
    running.order = order;
    running.began = clock_->now();
    silence_.began(id, running.began);
    auto asked = order;
    asked.on_hints = [me = EndpointActor(self_)](const policy::QuotaHints& hints) {
      caf::anon_send(me, LimitsHeard{hints});
    };
    running.reserved = need;
    running.workload = workload;
    running.attempt = starter_(asked, [id, me = EndpointActor(self_)](AttemptResultPtr result) {
      caf::anon_send(me, AttemptEnded{id, std::move(result)});
    });
  }

  void on_cancel(const CancelAttempt& order) {
    for (const auto& [id, running] : running_)
      if (running.order.id == order.id && running.order.reply_to == order.reply_to)
        return running.attempt->cancel();
  }

  // Whoever ordered it goes by an older configuration, or is wrong: data stays inside all the same (D11).
  void refuse_outside(const RunAttempt& order) {
    auto what = fmt::format("{} processes data in {}, this must stay in {}", config_.facts.id,
                            config_.facts.boundary, order.boundary);
    log::error("endpoint", what);
    refuse(order, make_error(Errc::permission, std::move(what)));
  }

  // No room under the endpoint's own limits: nothing is sent, and the caller may go elsewhere at once (C2).
  void refuse(const RunAttempt& order, std::optional<Duration> wait) {
    // Nobody knows when a place in flight comes free: no hint then, so that callers look again soon.
    auto until = wait ? " for " + to_human(*wait) : std::string(" until a call ends");
    auto error = make_error(Errc::rate_limited, fmt::format("{} has no capacity{}", config_.facts.id, until));
    error.retry_after = wait;
    refuse(order, std::move(error));
  }

  void refuse(const RunAttempt& order, Error error) {
    auto result = std::make_shared<AttemptResult>();
    result->not_sent = true;
    result->record.endpoint = config_.facts.id;
    result->record.cause = order.cause;
    result->record.started = clock_->wall();
    result->record.error = to_string(error.code);
    result->error = std::move(error);
    self_->send(order.reply_to, AttemptEnded{order.id, std::move(result)});
  }

  void on_ended(const AttemptEnded& fact) {
    auto it = running_.find(fact.id);
    if (it == running_.end()) return;
    auto running = std::move(it->second);
    running_.erase(it);
    auto result = std::make_shared<AttemptResult>(*fact.result);
    result->record.model = config_.facts.model;
    if (!result->error && result->completion.model.empty()) result->completion.model = config_.facts.model;
    book(result->record, result->completion.tier);
    guard_->ended(running.reserved, end_of(*result, running.workload), clock_->now(), clock_->wall());
    auto outcome = outcome_of(*result);
    outcome.silent = running.silent, outcome.began = running.began;
    self_->send(breaker_, OutcomeObserved{outcome, load()});
    self_->send(running.order.reply_to, AttemptEnded{running.order.id, std::move(result)});
  }

  // A model without a price is said once, and counted in the ledger; its attempts are not silently free.
  void book(AttemptRecord& record, const std::string& tier) {
    auto cost = policy::cost_of(*config_.tariff, record.usage, record.started, tier);
    record.usd = cost.usd;
    record.price = cost.version;
    record.unit_hours = cost.unit_hours;
    if (cost.unpriced() && !std::exchange(unpriced_said_, true))
      log::warn("endpoint", fmt::format("{}: no price is known for its model; its attempts are booked at 0 "
                                        "and counted as unpriced",
                                        config_.facts.id));
  }

  // Quotas count what is read from a cache as nothing (WIRE 1.9).
  static policy::AttemptEnd end_of(const AttemptResult& result, std::uint64_t workload) {
    const auto& usage = result.record.usage;
    policy::AttemptEnd end;
    end.actual = {static_cast<double>(usage.input + usage.cache_write), static_cast<double>(usage.output)};
    if (result.error) {
      end.error = result.error->code;
      end.retry_after = result.error->retry_after;
    }
    end.ttft = result.record.ttft;
    end.total = result.record.total;
    end.workload = workload;
    return end;
  }

  policy::Outcome outcome_of(const AttemptResult& result) const {
    policy::Outcome outcome;
    outcome.at = clock_->now();
    if (result.error) outcome.error = result.error->code, outcome.counts = result.error->counts_for_breaker;
    outcome.ttft = result.record.ttft;
    outcome.total = result.record.total;
    auto cause = result.record.cause;
    outcome.trickle = cause == Cause::trickle;
    outcome.probe = cause == Cause::probe, outcome.copy = cause == Cause::shadow;
    auto tokens = result.record.usage.output;
    if (!result.error && outcome.ttft > Duration::zero() && tokens > 1)
      outcome.itl = (outcome.total - outcome.ttft) / (tokens - 1);
    return outcome;
  }

  Load load() { return guard_->load(clock_->now()); }

  EndpointActor::pointer self_;
  EndpointConfig config_;
  AttemptStarter starter_;
  Clock* clock_ = nullptr;
  BreakerActor breaker_;
  std::optional<policy::EndpointGuard> guard_;
  std::unordered_map<std::uint64_t, Running> running_;
  policy::SilenceWatch silence_;
  std::uint64_t last_id_ = 0;
  bool unpriced_said_ = false;
  std::optional<Instant> retired_at_;
};

}  // namespace

EndpointActor spawn_endpoint(caf::actor_system& system, Unit* unit, EndpointConfig config,
                             AttemptStarter starter, Clock& clock, BreakerActor breaker) {
  return spawn_shell<EndpointActor, EndpointState>(system, unit, std::move(config), std::move(starter),
                                                   &clock, std::move(breaker));
}

}  // namespace troupe::actors
