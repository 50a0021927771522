#include "actors/breaker.hpp"

#include "actors/shell.hpp"
#include "runtime/base/log.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::actors {
namespace {

struct BreakerShell {
  static constexpr const char* name = "breaker";
  explicit BreakerShell(BreakerActor::pointer self) : self_(self) {}

  BreakerActor::behavior_type start(BreakerConfig config, Clock* clock, LedgerActor ledger) {
    config_ = std::move(config);
    clock_ = clock;
    ledger_ = std::move(ledger);
    breaker_.emplace(config_.policy);
    // Readers keep the newest version: one that restarted must not look older than what it said in its last
    // life.
    version_ = static_cast<std::uint64_t>(clock_->wall().ms) * 1000;
    resume_cool_down();
    return {
        [this](const OutcomeObserved& fact) { on_outcome(fact); },
        [this](const LoadObserved& fact) {
          load_ = fact.load;
          dirty_ = true;
        },
        [this](const ForceBreaker& order) { moved(breaker_->force(order.state, clock_->now(), order.ttl)); },
        [this](const SubscribeHealth& wish) { on_subscribe(wish); },
        [this](Tick) { on_tick(); },
    };
  }

 private:
  // A restart must not cut a cool-down short: what is left of it is forced, then the machine goes on.
  void resume_cool_down() {
    auto left = std::chrono::milliseconds(config_.cool_until.ms - clock_->wall().ms);
    if (config_.policy.enabled && left.count() > 0)
      moved(breaker_->force(policy::BreakerState::open, clock_->now(), left));
  }

  void on_outcome(const OutcomeObserved& fact) {
    load_ = fact.load;
    dirty_ = true;
    if (auto event = breaker_->on_outcome(fact.outcome)) moved(*event);
  }

  void on_subscribe(const SubscribeHealth& wish) {
    if (std::find(subscribers_.begin(), subscribers_.end(), wish.subscriber) == subscribers_.end())
      subscribers_.push_back(wish.subscriber);
    self_->send(wish.subscriber, HealthChanged{snapshot()});
  }

  void on_tick() {
    if (auto event = breaker_->on_tick(clock_->now())) moved(*event);
    if (dirty_) publish();
  }

  void moved(policy::BreakerEvent event) {
    event.endpoint = config_.endpoint;
    event.at = clock_->wall();
    since_ = event.at;
    log::info("breaker", fmt::format("{}: {} -> {} ({}) {}", event.endpoint, to_string(event.from),
                                     to_string(event.to), to_string(event.reason), event.detail));
    self_->send(ledger_, BreakerMoved{event, cool_until()});
    publish();
  }

  WallTime cool_until() const {
    auto until = breaker_->cool_until();
    if (!until) return {};
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(*until - clock_->now()).count();
    return {clock_->wall().ms + left};
  }

  HealthPtr snapshot() {
    auto view = std::make_shared<policy::HealthView>();
    breaker_->fill(*view, clock_->now());
    view->endpoint = config_.endpoint;
    view->version = ++version_;
    view->since = since_;
    view->cool_until = cool_until();
    view->in_flight = load_.in_flight;
    view->in_flight_max = load_.in_flight_max;
    view->input_headroom = load_.input_headroom;
    view->output_headroom = load_.output_headroom;
    view->throttled_until = load_.throttled_until;
    return view;
  }

  void publish() {
    dirty_ = false;
    auto view = snapshot();
    for (const auto& subscriber : subscribers_) self_->send(subscriber, HealthChanged{view});
  }

  BreakerActor::pointer self_;
  BreakerConfig config_;
  Clock* clock_ = nullptr;
  LedgerActor ledger_;
  std::optional<policy::Breaker> breaker_;
  std::vector<HealthSubscriber> subscribers_;
  Load load_;
  WallTime since_;
  std::uint64_t version_ = 0;
  bool dirty_ = false;
};

}  // namespace

BreakerActor spawn_breaker(caf::actor_system& system, Unit* unit, BreakerConfig config, Clock& clock,
                           LedgerActor ledger) {
  return spawn_shell<BreakerActor, BreakerShell>(system, unit, std::move(config), &clock, std::move(ledger));
}

}  // namespace troupe::actors
