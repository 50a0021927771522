#include "actors/breaker.hpp"

#include "actors/shell.hpp"
#include "runtime/base/log.hpp"

#include <fmt/format.h>
#include <caf/system_messages.hpp>

#include <algorithm>

namespace troupe::actors {
namespace {

constexpr auto kSaveEvery = std::chrono::minutes(10);

struct BreakerShell {
  static constexpr const char* name = "breaker";
  explicit BreakerShell(BreakerActor::pointer self) : self_(self) {}

  BreakerActor::behavior_type start(BreakerConfig config, Clock* clock, LedgerActor ledger) {
    config_ = std::move(config);
    clock_ = clock;
    ledger_ = std::move(ledger);
    breaker_.emplace(config_.policy);
    self_->set_down_handler([this](caf::scheduled_actor*, caf::down_msg& down) { on_down(down); });
    // Readers keep the newest version: one that restarted must not look older than what it said in its last
    // life.
    version_ = static_cast<std::uint64_t>(clock_->wall().ms) * 1000;
    if (!config_.cell) config_.cell = std::make_shared<BreakerCell>();
    if (config_.peers) breaker_->set_peers(config_.peers, config_.seat);
    resume();
    post_strain();
    return {
        [this](const OutcomeObserved& fact) { on_outcome(fact); },
        [this](const SilenceObserved& fact) { on_silence(fact); },
        [this](const LoadObserved& fact) { on_load(fact); },
        [this](const FeedbackObserved& fact) { on_feedback(fact); },
        [this](const ForceBreaker& order) { on_order(order); },
        [this](const SubscribeHealth& wish) { on_subscribe(wish); },
        [this](const AcceptProbes& offer) { prober_ = offer.runner; },
        [this](Tick) { on_tick(); },
    };
  }

 private:
  // A restart is no free pass: neither a cool-down nor a trial nor an order ends with the process (F13). What
  // another provider or model did is no evidence against this one, nor for it.
  void resume() {
    auto known = config_.cell->load();
    saved_at_ = clock_->now();
    if (known->at.ms == 0) return;
    auto away = std::chrono::milliseconds(std::max<std::int64_t>(clock_->wall().ms - known->at.ms, 0));
    bool same = known->memory.target == config_.target || known->memory.target == 0 || config_.target == 0;
    auto memory = same ? known->memory : policy::orders_alone(known->memory, away);
    breaker_->restore(memory, clock_->now(), away);
    auto state = breaker_->state(), before = same ? state : known->memory.state;
    bool closed = state == policy::BreakerState::closed && before == state;
    if (closed && memory.held_left <= away) return;
    auto since = to_human(away) + " ago";
    moved({{},
           {},
           before,
           state,
           memory.reason,
           breaker_->share(),
           same ? "as it was " + since + ", before the restart"
                : "anew: " + since + " something else stood behind it"});
  }

  void on_feedback(const FeedbackObserved& fact) {
    if (fact.answered < since_) return;
    if (auto event = breaker_->on_feedback(fact.good, clock_->now())) moved(*event);
  }

  void on_order(const ForceBreaker& order) {
    policy::OrderNote note{order.who, order.why};
    auto now = clock_->now();
    moved(order.state ? breaker_->force(*order.state, now, order.ttl, note)
                      : breaker_->freeze(now, order.ttl, note));
  }

  void on_outcome(const OutcomeObserved& fact) {
    load_ = fact.load;
    dirty_ = true;
    if (auto event = breaker_->on_outcome(fact.outcome)) moved(*event);
    post_strain();
  }

  void on_silence(const SilenceObserved& fact) {
    if (auto event = breaker_->on_silence(fact.silence)) moved(*event);
    post_strain();
  }

  void on_load(const LoadObserved& fact) {
    load_ = fact.load;
    dirty_ = true;
  }

  void on_subscribe(const SubscribeHealth& wish) {
    if (std::find(subscribers_.begin(), subscribers_.end(), wish.subscriber) == subscribers_.end()) {
      subscribers_.push_back(wish.subscriber);
      self_->monitor(wish.subscriber);
    }
    self_->send(wish.subscriber, HealthChanged{snapshot()});
  }

  // Every reload and every restart leaves one behind.
  void on_down(const caf::down_msg& down) {
    std::erase_if(subscribers_, [&](const auto& each) { return each == down.source; });
  }

  void on_tick() {
    auto now = clock_->now();
    if (auto event = breaker_->on_tick(now)) moved(*event);
    post_strain();
    if (config_.patience) config_.patience->store(breaker_->patience());
    if (prober_ && breaker_->take_probe(now)) self_->send(prober_, ProbeDue{config_.endpoint});
    // What is healthy changes without the state changing.
    if (now - saved_at_ >= kSaveEvery) save();
    if (dirty_) publish();
  }

  void post_strain() {
    if (!config_.peers) return;
    bool closed = breaker_->state() == policy::BreakerState::closed;
    config_.peers->post(config_.seat, closed, breaker_->strain(clock_->now()));
  }

  void save() {
    saved_at_ = clock_->now();
    BreakerKnown known{breaker_->save(saved_at_), clock_->wall()};
    known.memory.target = config_.target;
    self_->send(ledger_, BreakerSaved{config_.endpoint, known.at, known.memory});
    config_.cell->store(std::make_shared<const BreakerKnown>(std::move(known)));
  }

  void moved(policy::BreakerEvent event) {
    event.endpoint = config_.endpoint;
    event.at = clock_->wall();
    since_ = event.at;
    log::info("breaker", fmt::format("{}: {} -> {} ({}) {}", event.endpoint, to_string(event.from),
                                     to_string(event.to), to_string(event.reason), event.detail));
    self_->send(ledger_, BreakerMoved{event, cool_until()});
    save();
    publish();
  }

  WallTime measured() const {
    auto newest = breaker_->measured();
    if (!newest) return {};
    auto age = std::chrono::duration_cast<std::chrono::milliseconds>(clock_->now() - *newest).count();
    return {clock_->wall().ms - age};
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
    view->measured = measured();
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
  ProbeRunner prober_;
  Instant saved_at_;
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
