#include "actors/peer.hpp"

#include "actors/shell.hpp"
#include "actors/wire.hpp"
#include "runtime/base/log.hpp"

#include <fmt/format.h>

#include <atomic>
#include <unordered_map>

namespace troupe::actors {
namespace {

template <class Body>
transport::Outbound outbound(WireKind kind, const Body& body, protocol::Lane lane = protocol::Lane::data) {
  return {lane, static_cast<std::uint32_t>(kind), 0, {}, body_bytes(body)};
}

// Sends an attempt's events to the node that asked for it, one message per batch. What the link has no room
// for waits here, and the provider with it.
class RemoteSink final : public StreamSink {
 public:
  RemoteSink(transport::Gateway& gateway, std::string peer, std::uint64_t id)
      : gateway_(gateway), peer_(std::move(peer)), id_(id) {}
  /// Who asked is gone; whoever comes in its place asked for something else. Any thread.
  void hush() { hushed_ = true; }
  void on_taken_back() override {}
  void on_events(std::span<const StreamEvent> events) override {
    if (hushed_) return;
    waiting_.events.insert(waiting_.events.end(), events.begin(), events.end());
    pass_on();
  }
  bool full() override {
    if (hushed_) waiting_.events.clear();
    if (!waiting_.events.empty()) pass_on();
    return !waiting_.events.empty();
  }

 private:
  // A batch that is lost with its link is no lost answer: the whole completion comes with attempt_ended.
  void pass_on() {
    waiting_.id = id_;
    auto sent = gateway_.send(peer_, outbound(WireKind::attempt_events, waiting_));
    if (sent || sent.error().code != Errc::refused) waiting_.events.clear();
  }

  transport::Gateway& gateway_;
  std::string peer_;
  std::uint64_t id_;
  AttemptEventsBody waiting_;
  std::atomic<bool> hushed_ = false;
};

/// An attempt that has not ended by so long after its deadline never will.
constexpr Duration kLateGrace = std::chrono::seconds(5);

struct PeerState {
  static constexpr const char* name = "peer";
  explicit PeerState(PeerActor::pointer self) : self_(self) {}

  PeerActor::behavior_type start(PeerActorConfig config, Clock* clock, transport::Gateway* gateway) {
    config_ = std::move(config);
    clock_ = clock;
    gateway_ = gateway;
    // Attempts of an earlier life of ours may still run there: their ids must not be used again.
    last_id_ = static_cast<std::uint64_t>(clock_->wall().ms) << 20;
    return {
        [this](const LinkChanged& fact) { fact.up ? on_up(fact) : on_down(fact); },
        [this](const FromPeer& fact) { on_message(*fact.message); },
        [this](const RunRemote& order) { on_run_remote(order); },
        [this](const CancelRemote& order) { on_cancel_remote(order.cancel); },
        [this](const AttemptEnded& fact) { on_local_end(fact); },
        [this](const HealthChanged& fact) { on_local_health(fact.view); },
    };
  }

 private:
  struct Abroad {
    RunAttempt order;
    std::string endpoint;
  };
  // Their ids start again when they restart, so ours name the attempt here and the incarnation says whose it
  // was.
  struct Serving {
    std::uint64_t their_id = 0, incarnation = 0;
    /// Who began it: by the time it is cancelled another may have its name.
    EndpointActor endpoint;
    std::shared_ptr<RemoteSink> sink;
  };

  // ---- the link ----

  void on_up(const LinkChanged& fact) {
    up_ = true;
    incarnation_ = fact.incarnation;
    log::info("peer", fmt::format("{} is up (incarnation {})", config_.id, incarnation_));
    for (const auto& [id, view] : local_health_)
      send(outbound(WireKind::health, *view, protocol::Lane::control));
  }

  void on_down(const LinkChanged& fact) {
    if (std::exchange(up_, false)) log::warn("peer", fmt::format("{} is down: {}", config_.id, fact.reason));
    auto lost = std::exchange(abroad_, {});
    for (auto& [id, attempt] : lost)
      end_abroad(attempt, make_error(Errc::unreachable, config_.id + " cannot be reached"));
    for (const auto& [id, serving] : serving_) {
      if (serving.sink) serving.sink->hush();
      cancel_here(id, serving.endpoint);
    }
    for (auto& [id, view] : remote_health_) {
      auto gone = std::make_shared<policy::HealthView>(*view);
      gone->reachable = false;
      publish(std::move(gone));
    }
  }

  void on_message(const transport::Inbound& message) {
    // Restarted behind a link that stands: nobody will tell us again that it is up.
    if (!up_) on_up({config_.id, true, incarnation_, {}});
    switch (static_cast<WireKind>(message.kind)) {
      case WireKind::run_attempt: return on_run_attempt(message.body);
      case WireKind::cancel_attempt: return on_cancel_attempt(message.body);
      case WireKind::attempt_events: return on_attempt_events(message.body);
      case WireKind::attempt_ended: return on_attempt_ended(message.body);
      case WireKind::health: return on_remote_health(message.body);
      case WireKind::told: return;  // to a question that was only passed on
      default:
        log::debug("peer", fmt::format("{}: message of unknown kind {} ignored", config_.id, message.kind));
    }
  }

  // ---- our attempts there ----

  // A message that expired on its way is dropped unanswered; who asked has given up by then.
  void forget_late() {
    auto now = clock_->now();
    if (now < next_look_) return;
    next_look_ = now + std::chrono::seconds(1);
    std::erase_if(abroad_, [&](const auto& each) { return each.second.order.deadline + kLateGrace < now; });
  }

  void on_run_remote(const RunRemote& order) {
    forget_late();
    RunAttemptBody body;
    body.id = ++last_id_;
    body.endpoint = order.endpoint;
    body.cause = order.attempt.cause;
    body.time_left = order.attempt.deadline - clock_->now();
    body.wants_events = order.attempt.sink != nullptr;
    body.request = *order.attempt.request;
    body.boundary = order.attempt.boundary;
    Abroad attempt{order.attempt, order.endpoint};
    if (!up_)
      return end_abroad(attempt, make_error(Errc::unreachable, config_.id + " cannot be reached"), true);
    auto message = outbound(WireKind::run_attempt, body);
    message.deadline_ms =
        clock_->wall().ms + std::chrono::duration_cast<std::chrono::milliseconds>(body.time_left).count();
    if (auto sent = gateway_->send(config_.id, std::move(message)); !sent)
      return end_abroad(attempt, sent.error(), true);
    abroad_.emplace(body.id, std::move(attempt));
  }

  void on_cancel_remote(const CancelAttempt& order) {
    for (const auto& [id, attempt] : abroad_)
      if (attempt.order.id == order.id && attempt.order.reply_to == order.reply_to)
        return send(outbound(WireKind::cancel_attempt, CancelAttemptBody{id}));
  }

  void on_attempt_events(std::string_view bytes) {
    auto body = body_from<AttemptEventsBody>(bytes);
    if (!body) return malformed();
    auto it = abroad_.find(body->id);
    if (it != abroad_.end() && it->second.order.sink) it->second.order.sink->on_events(body->events);
  }

  void on_attempt_ended(std::string_view bytes) {
    auto body = body_from<AttemptEndedBody>(bytes);
    if (!body) return malformed();
    auto node = abroad_.extract(body->id);
    if (node.empty()) return;  // given up on long ago
    const auto& order = node.mapped().order;
    self_->send(order.reply_to,
                AttemptEnded{order.id, std::make_shared<const AttemptResult>(std::move(body->result))});
  }

  // `not_sent`: nothing crossed, so it counts as no attempt.
  void end_abroad(const Abroad& attempt, Error error, bool not_sent = false) {
    auto result = std::make_shared<AttemptResult>();
    result->record.endpoint = attempt.endpoint;
    result->record.cause = attempt.order.cause;
    result->record.started = clock_->wall();
    result->record.error = to_string(error.code);
    result->not_sent = not_sent;
    if (not_sent) error.maybe_billed = false;
    result->error = std::move(error);
    self_->send(attempt.order.reply_to, AttemptEnded{attempt.order.id, std::move(result)});
  }

  // ---- their attempts here ----

  void on_run_attempt(std::string_view bytes) {
    auto body = body_from<RunAttemptBody>(bytes);
    if (!body) return malformed();
    auto serves = config_.serves->load();
    auto endpoint = serves->find(body->endpoint);
    if (endpoint == serves->end())
      return refuse(*body, Errc::not_found, "endpoint " + body->endpoint + " does not live on that node");
    if (serving_.size() >= config_.serving_max)
      return refuse(*body, Errc::rate_limited, "that node serves as many attempts for us as it may");
    RunAttempt order;
    order.id = ++last_id_;
    order.request = std::make_shared<const CompletionRequest>(std::move(body->request));
    order.deadline = clock_->now() + body->time_left;
    order.cause = body->cause;
    order.boundary = std::move(body->boundary);
    auto sink = body->wants_events ? std::make_shared<RemoteSink>(*gateway_, config_.id, body->id) : nullptr;
    order.sink = sink;
    order.reply_to = self_;
    serving_[order.id] = {body->id, incarnation_, endpoint->second, std::move(sink)};
    self_->send(endpoint->second, std::move(order));
  }

  void refuse(const RunAttemptBody& body, Errc code, std::string why) {
    AttemptEndedBody ended;
    ended.id = body.id;
    ended.result.not_sent = true;
    ended.result.record.endpoint = body.endpoint;
    ended.result.error = make_error(code, std::move(why));
    ended.result.record.error = to_string(code);
    send(outbound(WireKind::attempt_ended, ended));
  }

  void on_cancel_attempt(std::string_view bytes) {
    auto body = body_from<CancelAttemptBody>(bytes);
    if (!body) return malformed();
    for (const auto& [id, serving] : serving_)
      if (serving.their_id == body->id && serving.incarnation == incarnation_)
        return cancel_here(id, serving.endpoint);
  }

  void cancel_here(std::uint64_t id, const EndpointActor& endpoint) {
    self_->send(endpoint, CancelAttempt{id, AttemptClient(self_)});
  }

  void on_local_end(const AttemptEnded& fact) {
    auto node = serving_.extract(fact.id);
    if (node.empty() || node.mapped().incarnation != incarnation_) return;
    send(outbound(WireKind::attempt_ended, AttemptEndedBody{node.mapped().their_id, *fact.result}));
  }

  // ---- health ----

  void on_local_health(const HealthPtr& view) {
    // The last words of a breaker whose endpoint is gone, behind what was said of that (F14).
    if (view->reachable && !config_.serves->load()->contains(view->endpoint)) return;
    local_health_[view->endpoint] = view;
    if (up_) send(outbound(WireKind::health, *view, protocol::Lane::control));
  }

  void on_remote_health(std::string_view bytes) {
    auto body = body_from<policy::HealthView>(bytes);
    if (!body) return malformed();
    // An endpoint has one owner (F14).
    if (!config_.owns->load()->contains(body->endpoint)) return;
    publish(std::make_shared<policy::HealthView>(std::move(*body)));
  }

  void publish(HealthPtr view) {
    for (const auto& subscriber : config_.subscribers) self_->send(subscriber, HealthChanged{view});
    remote_health_[view->endpoint] = std::move(view);
  }

  void send(transport::Outbound message) {
    if (auto sent = gateway_->send(config_.id, std::move(message)); !sent)
      log::debug("peer", fmt::format("{}: not sent: {}", config_.id, sent.error().what));
  }

  void malformed() { log::warn("peer", config_.id + " sent a malformed message; ignored"); }

  PeerActor::pointer self_;
  PeerActorConfig config_;
  Clock* clock_ = nullptr;
  transport::Gateway* gateway_ = nullptr;
  bool up_ = false;
  Instant next_look_;
  std::uint64_t last_id_ = 0;
  std::unordered_map<std::uint64_t, Abroad> abroad_;
  std::unordered_map<std::uint64_t, Serving> serving_;
  std::uint64_t incarnation_ = 0;
  std::map<std::string, HealthPtr> local_health_, remote_health_;
};

struct RemoteEndpointState {
  static constexpr const char* name = "remote_endpoint";
  explicit RemoteEndpointState(EndpointActor::pointer self) : self_(self) {}

  EndpointActor::behavior_type start(std::string endpoint, PeerActor peer, Clock* clock) {
    endpoint_ = std::move(endpoint);
    peer_ = std::move(peer);
    clock_ = clock;
    return {
        [this](const RunAttempt& order) {
          last_deadline_ = std::max(last_deadline_, order.deadline);
          self_->send(peer_, RunRemote{endpoint_, order});
        },
        [this](const CancelAttempt& order) { self_->send(peer_, CancelRemote{order}); },
        [](const LimitsHeard&) {},
        [](const AttemptEnded&) {},
        [this](Retire) { last_deadline_ = std::max(last_deadline_, clock_->now()), retired_ = true; },
        [this](Tick) {
          if (retired_ && clock_->now() - kLateGrace > last_deadline_) self_->quit();
        },
    };
  }

  EndpointActor::pointer self_;
  std::string endpoint_;
  PeerActor peer_;
  Clock* clock_ = nullptr;
  Instant last_deadline_;
  bool retired_ = false;
};

}  // namespace

PeerActor spawn_peer(caf::actor_system& system, Unit* unit, PeerActorConfig config, Clock& clock,
                     transport::Gateway& gateway) {
  return spawn_shell<PeerActor, PeerState>(system, unit, std::move(config), &clock, &gateway);
}

EndpointActor spawn_remote_endpoint(caf::actor_system& system, Unit* unit, std::string endpoint,
                                    PeerActor peer, Clock& clock) {
  return spawn_shell<EndpointActor, RemoteEndpointState>(system, unit, std::move(endpoint), std::move(peer),
                                                         &clock);
}

}  // namespace troupe::actors
