#include "replay/troupe_steering.hpp"

#include "replay/held_table.hpp"
#include "runtime/base/rng.hpp"
#include "runtime/config/lead_config.hpp"
#include "runtime/policy/breaker.hpp"
#include "runtime/policy/dispatcher.hpp"
#include "runtime/policy/endpoint_guard.hpp"
#include "runtime/policy/peer_groups.hpp"
#include "runtime/policy/silence_watch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

namespace troupe::replay {
namespace {

/// The node's own (actors/node_impl.cpp).
constexpr Duration kTick = std::chrono::milliseconds(50);

struct GuardedEndpoint {
  GuardedEndpoint(const config::EndpointConfig& config, bool shares, Instant start)
      : guard(config::guard_policy(config, shares), start), breaker(config.breaker) {
    for (auto& view : views) {
      view = std::make_shared<policy::HealthView>();
      view->endpoint = config.id;
    }
  }
  policy::EndpointGuard guard;
  policy::Breaker breaker;
  policy::SilenceWatch silence;
  /// In turns: readers hold the newest, so the other one is free to be written.
  std::array<std::shared_ptr<policy::HealthView>, 2> views;
  std::uint64_t version = 0;
  WallTime since;
  /// When its newest outcome ended.
  WallTime measured;
};

struct FeatureDesk {
  std::unique_ptr<policy::Dispatcher> dispatcher;
  std::uint64_t workload = 0;
  bool interactive = true, hedging = false;
};

/// What the guard holds for an attempt that is out.
struct HeldAttempt {
  policy::QuotaNeed reserved;
  Cause cause = Cause::primary;
  std::uint64_t call = 0;
  Instant began;
  /// Its first token has come; or it took so long that the breaker was told.
  bool begun = false, silent = false;
};

struct OpenNeed {
  double input = 0, output_max = 0;
};

class TroupeSteering final : public Steering {
 public:
  TroupeSteering(const config::Config& config, const std::vector<std::string>& features, std::uint64_t seed,
                 Instant start, WallTime wall, bool kept_room)
      : start_(start), wall_(wall), ticked_(start) {
    auto tree = shared_tree(config, start, kept_room);
    for (const auto& [tenant, each] : config.tenants)
      if (!each.boundary.empty()) boundaries_[tenant] = each.boundary;
    std::vector<policy::FactsPtr> facts;
    for (const auto& endpoint : config.endpoints.list) {
      endpoints_.emplace_back(endpoint, tree != nullptr, start);
      facts.push_back(std::make_shared<policy::EndpointFacts>(config::endpoint_facts(endpoint)));
    }
    for (const auto& name : features) {
      FeatureDesk desk;
      desk.dispatcher =
          std::make_unique<policy::Dispatcher>(config::dispatch_policy(config, name), seed, start);
      desk.dispatcher->set_endpoints(facts);
      desk.dispatcher->set_quota_tree(tree);
      desk.workload = stable_hash(name);
      desk.hedging = config.features.at(name).hedge.enabled;
      desk.interactive = config.features.at(name).work_class == policy::WorkClass::interactive;
      desks_.push_back(std::move(desk));
    }
    seat_peers(config, features);
    for (std::uint32_t i = 0; i < endpoints_.size(); ++i) publish(i, start);
  }

  void on_call(const CallView& call, Instant now, Orders& out) override {
    catch_up(now, out);
    policy::CallFacts facts;
    facts.id = call.id;
    facts.tenant = tenant_name(call.tenant);
    facts.input_tokens = call.input_tokens;
    // What it will write the dispatcher estimates.
    facts.output_tokens_max = call.output_tokens_max;
    if (!boundaries_.empty())
      if (auto bound = boundaries_.find(facts.tenant); bound != boundaries_.end())
        facts.boundary = bound->second;
    facts.deadline = call.deadline;
    facts.prefix = call.prefix;
    // Who is being shown the answer cannot be shown another beginning; who waits for the whole of it can.
    facts.may_follow_content = !desks_[call.feature].interactive;
    needs_.put(call.id, {double(call.input_tokens), double(call.output_tokens_max)});
    desks_[call.feature].dispatcher->on_call(std::move(facts), moment(now), actions_);
    act(call.feature, now, out);
  }

  void on_first_token(std::uint64_t, std::uint64_t attempt, Instant now, Orders& out) override {
    auto feature = static_cast<std::uint32_t>(attempt % desks_.size());
    if (auto* held = held_.find(attempt)) held->begun = true;
    if (!desks_[feature].hedging) return;
    catch_up(now, out);
    desks_[feature].dispatcher->on_first_token(attempt / desks_.size(), moment(now), actions_);
    act(feature, now, out);
  }

  void on_ended(const AttemptFact& fact, Instant now, Orders& out) override {
    catch_up(now, out);
    auto feature = static_cast<std::uint32_t>(fact.attempt % desks_.size());
    settle(fact, desks_[feature].workload, now);
    policy::AttemptReport report;
    report.id = fact.attempt / desks_.size();
    if (fact.error) {
      report.error = make_error(*fact.error, {});
      report.error->retry_after = fact.retry_after;
    }
    report.ttft = fact.ttft;
    report.input_tokens = static_cast<std::uint64_t>(fact.input + fact.cached);
    report.output_tokens = static_cast<std::uint64_t>(fact.output);
    report.content_seen = fact.content_seen;
    desks_[feature].dispatcher->on_ended(report, moment(now), actions_);
    act(feature, now, out);
  }

  void on_feedback(std::uint32_t endpoint, bool good, Instant now, Orders&) override {
    if (auto event = endpoints_[endpoint].breaker.on_feedback(good, now)) moved(endpoint, *event, now);
  }

  std::optional<Instant> wake_at() const override {
    if (restless()) return ticked_ + kTick;
    std::optional<Instant> wake;
    for (const auto& desk : desks_)
      if (auto at = desk.dispatcher->wake_at()) wake = wake ? std::min(*wake, *at) : *at;
    if (!wake) return std::nullopt;
    // Queues hear of time at ticks only.
    auto ticks = (*wake - start_ + kTick - Duration(1)) / kTick;
    return std::max(start_ + ticks * kTick, ticked_ + kTick);
  }

  void on_time(Instant now, Orders& out) override { catch_up(now, out); }

  std::size_t open() const override {
    std::size_t sum = 0;
    for (const auto& desk : desks_) sum += desk.dispatcher->waiting() + desk.dispatcher->running();
    return sum;
  }
  std::size_t waiting() const override {
    std::size_t sum = 0;
    for (const auto& desk : desks_) sum += desk.dispatcher->waiting();
    return sum;
  }
  double share(std::uint32_t endpoint) const override { return endpoints_[endpoint].breaker.share(); }
  std::vector<BreakerMove> take_moves() override { return std::exchange(moves_, {}); }

 private:
  policy::Moment moment(Instant now) const {
    auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now - start_).count();
    return {now, {wall_.ms + ms}};
  }
  WallTime wall_of(Instant at) const { return moment(at).wall; }

  // As in actors/peer_seats.cpp.
  void seat_peers(const config::Config& config, const std::vector<std::string>& features) {
    std::vector<std::string> models;
    for (const auto& endpoint : config.endpoints.list) models.push_back(endpoint.model);
    peers_ = std::make_shared<policy::PeerBoard>(std::move(models));
    auto leads = config::lead_rules_of(config);
    std::vector<std::vector<std::string>> groups;
    for (const auto& name : features)
      groups.push_back(policy::peer_group(name, config.features.at(name).hierarchy, &leads));
    peers_->regroup(std::move(groups));
    for (std::uint32_t i = 0; i < endpoints_.size(); ++i) endpoints_[i].breaker.set_peers(peers_, i);
  }

  void post_strain(std::uint32_t index, Instant now) {
    const auto& breaker = endpoints_[index].breaker;
    peers_->post(index, breaker.state() == policy::BreakerState::closed, breaker.strain(now));
  }

  // As in actors/wiring.cpp.
  static std::shared_ptr<policy::QuotaTree> shared_tree(const config::Config& config, Instant start,
                                                        bool kept_room) {
    if (config.node.tokens_per_minute <= 0) return nullptr;
    auto policy = config::quota_tree_policy(config);
    if (!kept_room) policy.class_room = {1, 1, 1};
    return std::make_shared<policy::QuotaTree>(std::move(policy), start);
  }

  std::string tenant_name(std::uint32_t tenant) {
    if (tenant >= tenant_names_max) return fmt::format("t{}", tenant);
    while (tenant_names_.size() <= tenant) tenant_names_.push_back(fmt::format("t{}", tenant_names_.size()));
    return tenant_names_[tenant];
  }

  // Something changes by time alone.
  bool restless() const {
    bool ailing = std::ranges::any_of(endpoints_, [](const GuardedEndpoint& each) {
      return each.breaker.state() != policy::BreakerState::closed;
    });
    return ailing || waiting() > 0;
  }

  // The newest tick that is over, if it has not been acted on.
  void catch_up(Instant now, Orders& out) {
    auto latest = start_ + (now - start_) / kTick * kTick;
    if (latest <= ticked_) return;
    ticked_ = latest;
    for (std::uint32_t i = 0; i < endpoints_.size(); ++i) {
      hear_silence(i, latest);
      if (auto event = endpoints_[i].breaker.on_tick(latest)) moved(i, *event, latest);
      post_strain(i, latest);
      if (!idle(endpoints_[i], latest)) publish(i, latest);
    }
    for (std::uint32_t feature = 0; feature < desks_.size(); ++feature) {
      desks_[feature].dispatcher->on_tick(moment(latest), actions_);
      act(feature, now, out);
    }
  }

  // As actors/endpoint.cpp does at its ticks.
  void hear_silence(std::uint32_t index, Instant now) {
    auto& endpoint = endpoints_[index];
    auto patience = endpoint.breaker.patience();
    while (auto attempt = endpoint.silence.due(now, patience)) {
      auto* held = held_.find(*attempt);
      if (held == nullptr || held->begun) continue;
      held->silent = true;
      auto event = endpoint.breaker.on_silence({now, held->began, held->cause == Cause::trickle});
      if (event) moved(index, *event, now);
    }
  }

  void settle(const AttemptFact& fact, std::uint64_t workload, Instant now) {
    auto& endpoint = endpoints_[fact.endpoint];
    auto held = held_.take(fact.attempt);
    policy::AttemptEnd end;
    end.actual = {fact.input, fact.output};
    end.error = fact.error;
    end.retry_after = fact.retry_after;
    end.ttft = fact.ttft;
    end.total = fact.total;
    end.workload = workload;
    endpoint.guard.ended(held.reserved, end, now, wall_of(now));
    policy::Outcome outcome;
    outcome.at = now;
    outcome.error = fact.error;
    outcome.counts = fact.error && counts(*fact.error);
    outcome.ttft = fact.ttft;
    outcome.total = fact.total;
    outcome.itl = fact.itl;
    outcome.trickle = held.cause == Cause::trickle;
    outcome.silent = held.silent, outcome.began = held.began;
    if (auto event = endpoint.breaker.on_outcome(outcome)) moved(fact.endpoint, *event, now);
    post_strain(fact.endpoint, now);
    if (auto measured = endpoint.breaker.measured()) endpoint.measured = wall_of(*measured);
  }

  static bool counts(Errc code) { return make_error(code, {}).counts_for_breaker; }

  void moved(std::uint32_t index, policy::BreakerEvent& event, Instant now) {
    endpoints_[index].since = wall_of(now);
    moves_.push_back({now, index, event.from, event.to, event.reason, event.share, std::move(event.detail)});
    publish(index, now);
  }

  // What was published last is still true to the letter: nothing ran, nothing is remembered, nothing refills.
  static bool idle(const GuardedEndpoint& endpoint, Instant now) {
    const auto& view = *endpoint.views[endpoint.version % 2];
    bool quiet = view.state == policy::BreakerState::closed && view.samples == 0 && view.total_p50 == 0 &&
                 view.measured == endpoint.measured && endpoint.breaker.state() == view.state;
    if (!quiet) return false;
    auto load = endpoint.guard.load(now);
    return load.in_flight == view.in_flight && load.in_flight_max == view.in_flight_max &&
           load.input_headroom == view.input_headroom && load.output_headroom == view.output_headroom &&
           load.throttled_until == view.throttled_until;
  }

  void publish(std::uint32_t index, Instant now) {
    auto& endpoint = endpoints_[index];
    auto& view = endpoint.views[++endpoint.version % 2];
    endpoint.breaker.fill(*view, now);
    view->version = endpoint.version;
    view->since = endpoint.since;
    auto cool = endpoint.breaker.cool_until();
    view->cool_until = cool ? wall_of(*cool) : WallTime{};
    auto measured = endpoint.breaker.measured();
    view->measured = measured ? wall_of(*measured) : WallTime{};
    auto load = endpoint.guard.load(now);
    view->in_flight = load.in_flight;
    view->in_flight_max = load.in_flight_max;
    view->input_headroom = load.input_headroom;
    view->output_headroom = load.output_headroom;
    view->throttled_until = load.throttled_until;
    for (auto& desk : desks_) desk.dispatcher->set_health(index, view);
  }

  // What the guard refuses is told at once, which may lead to more orders.
  void act(std::uint32_t feature, Instant now, Orders& out) {
    while (!actions_.cancel.empty() || !actions_.send.empty() || !actions_.ended.empty()) {
      std::swap(orders_, actions_);
      for (auto attempt : orders_.cancel) cancel(feature, attempt, out);
      for (const auto& order : orders_.send) send(feature, order, now, out);
      for (const auto& ended : orders_.ended) end(feature, ended, out);
      orders_.clear();
    }
  }

  std::uint64_t outer_id(std::uint32_t feature, std::uint64_t attempt) const {
    return attempt == 0 ? 0 : attempt * desks_.size() + feature;
  }

  void cancel(std::uint32_t feature, std::uint64_t attempt, Orders& out) {
    auto id = outer_id(feature, attempt);
    if (const auto* held = held_.find(id)) out.cancel.push_back({held->call, id});
  }

  void send(std::uint32_t feature, const policy::AttemptOrder& order, Instant now, Orders& out) {
    auto& guard = endpoints_[order.endpoint].guard;
    const auto& call = *needs_.find(order.call);
    auto need = guard.need_of(desks_[feature].workload, call.input, call.output_max);
    auto admission = guard.admit(need, now);
    if (!admission.admitted) return refuse(feature, order, admission.wait, now);
    auto id = outer_id(feature, order.id);
    held_.put(id, {need, order.cause, order.call, now});
    endpoints_[order.endpoint].silence.began(id, now);
    out.send.push_back({order.call, id, order.endpoint, order.cause});
  }

  void refuse(std::uint32_t feature, const policy::AttemptOrder& order, std::optional<Duration> wait,
              Instant now) {
    policy::AttemptReport report;
    report.id = order.id;
    report.error = make_error(Errc::rate_limited, "no capacity");
    report.error->retry_after = wait;
    report.not_sent = true;
    desks_[feature].dispatcher->on_ended(report, moment(now), actions_);
  }

  void end(std::uint32_t feature, const policy::CallEnd& ended, Orders& out) {
    needs_.take(ended.call);
    out.ended.push_back({ended.call, ending_of(ended.ending), outer_id(feature, ended.attempt)});
  }

  static CallEnding ending_of(policy::Ending ending) {
    switch (ending) {
      case policy::Ending::served: return CallEnding::served;
      case policy::Ending::refused: return CallEnding::refused;
      case policy::Ending::expired: return CallEnding::expired;
      case policy::Ending::failed: break;
    }
    return CallEnding::failed;
  }

  Instant start_;
  WallTime wall_;
  Instant ticked_;
  std::vector<GuardedEndpoint> endpoints_;
  std::shared_ptr<policy::PeerBoard> peers_;
  std::vector<FeatureDesk> desks_;
  policy::Actions actions_, orders_;
  HeldTable<HeldAttempt> held_;  // attempts out now
  HeldTable<OpenNeed> needs_;    // calls that have not ended
  static constexpr std::uint32_t tenant_names_max = 4096;
  std::vector<std::string> tenant_names_;  // the first so many
  std::vector<BreakerMove> moves_;
  std::map<std::string, std::string> boundaries_;  // of tenants
};

}  // namespace

std::unique_ptr<Steering> make_troupe(const config::Config& config, const std::vector<std::string>& features,
                                      std::uint64_t seed, Instant start, WallTime wall, bool kept_room) {
  return std::make_unique<TroupeSteering>(config, features, seed, start, wall, kept_room);
}

}  // namespace troupe::replay
