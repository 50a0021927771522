#include "actors/controls.hpp"

#include "actors/controls_json.hpp"
#include "actors/shell.hpp"
#include "runtime/base/log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace troupe::actors {
namespace {

/// Changes of one message: small enough for the control lane.
constexpr std::size_t kChangesAtOnce = 64;

struct ControlsShell {
  static constexpr const char* name = "controls";
  explicit ControlsShell(ControlsActor::pointer self) : self_(self) {}

  ControlsActor::behavior_type start(ControlsConfig config, ControlsStage stage) {
    config_ = std::move(config);
    stage_ = std::move(stage);
    controls_ = std::move(config_.restored);
    controls_.sign_offs = config_.sign_offs;
    for (const auto& peer : config_.peers) peers_[peer];
    // A node that begins knows only what it remembers: shares wait until a majority has been heard.
    if (!config_.peers.empty()) controls_.fresh_until = stage_.clock->now();
    publish();
    return {
        [this](const GiveOrder& order) { on_order(order); },
        [this](const OrderWritten& fact) { on_written(fact); },
        [this](const ControlsHeard& fact) { on_heard(fact); },
        [this](const SignOffsChanged& fact) {
          controls_.sign_offs = fact.sign_offs;
          publish();
        },
        [this](Tick) { on_tick(); },
    };
  }

 private:
  struct PeerKnown {
    std::int64_t their_last_sent = 0;  // the newest of their times, to be echoed
    std::optional<Instant> heard;      // when we sent what they last echoed
    std::uint64_t their_digest = 0;
  };
  struct Waiting {
    std::vector<policy::Change> changes;
    bool in_force = false;
    std::function<void(Result<policy::ControlsPtr>)> reply;
  };

  // ---- orders ----

  void on_order(const GiveOrder& order) {
    if (auto bad = policy::validate(order.change))
      return answer(order.reply, fail(Errc::invalid_input, *bad));
    auto changes = stamped(order);
    if (changes.empty()) return answer(order.reply, fail(Errc::not_found, "there is no such stop to undo"));
    bool stops = std::holds_alternative<policy::Stop>(order.change) && !order.start;
    if (stops) take(changes);
    auto ticket = ++last_ticket_;
    waiting_[ticket] = {changes, stops, order.reply};
    write(changes, ticket);
  }

  std::vector<policy::Change> stamped(const GiveOrder& order) {
    auto change = order.change;
    last_epoch_ = std::max(last_epoch_, controls_.epoch) + 1;
    std::visit(
        [&](auto& each) {
          each.order.at = stage_.clock->wall();
          each.stamp = {last_epoch_, config_.node};
        },
        change);
    const auto* stop = std::get_if<policy::Stop>(&change);
    if (stop == nullptr || !order.start) return {change};
    std::vector<policy::Change> out;
    for (auto& start : policy::starts_for(controls_, stop->subject, stop->name, stop->order))
      out.emplace_back(std::move(start));
    return out;
  }

  void write(const std::vector<policy::Change>& changes, std::uint64_t ticket) {
    if (stage_.journal == nullptr) return on_written({ticket, {}});
    journal::Batch batch;
    for (const auto& change : changes) batch.controls.push_back(control_row(change));
    // The journal outlives the actors: what it still has to say then is nobody's to hear.
    stage_.journal->append(
        std::move(batch), [weak = caf::actor_cast<caf::weak_actor_ptr>(self_), ticket](Result<void> kept) {
          if (auto self = weak.lock())
            caf::anon_send(caf::actor_cast<ControlsActor>(self), OrderWritten{ticket, std::move(kept)});
        });
  }

  void on_written(const OrderWritten& fact) {
    auto order = waiting_.extract(fact.ticket);
    if (order.empty()) return;
    auto& [changes, in_force, reply] = order.mapped();
    if (fact.kept) {
      if (!in_force) take(changes);
      return answer(reply, stage_.board->load());
    }
    auto error = fact.kept.error();
    if (in_force) error.what = "in force, but not written down, so a restart forgets it: " + error.what;
    answer(reply, std::unexpected(std::move(error)));
  }

  static void answer(const std::function<void(Result<policy::ControlsPtr>)>& reply,
                     Result<policy::ControlsPtr> result) {
    if (reply) reply(std::move(result));
  }

  // Ours: into force and to everyone.
  void take(const std::vector<policy::Change>& changes) {
    Json told = Json::array();
    for (const auto& change : changes) {
      if (!policy::absorb(controls_, change)) continue;
      auto of = policy::name_of(change);
      const auto& order = policy::order_of(change);
      log::info("controls", fmt::format("{} {} by {}: {}", of.kind, of.subject, order.who, order.why));
      told.push_back(to_json(change));
    }
    if (told.empty()) return;
    publish();
    auto body = dump_json(Json{{"changes", std::move(told)}});
    for (const auto& peer : config_.peers) stage_.send(peer, body);
  }

  // ---- other nodes ----

  void on_heard(const ControlsHeard& fact) {
    auto it = peers_.find(fact.peer);
    auto body = parse_json(fact.body);
    if (it == peers_.end() || !body)
      return log::warn("controls", fact.peer + " sent orders it may not send, or malformed ones; ignored");
    if (const auto* changes = find(*body, "changes"); changes != nullptr && changes->is_array())
      take_theirs(*changes);
    if (find(*body, "sent") != nullptr) on_digest(it->first, it->second, *body);
  }

  void take_theirs(const Json& changes) {
    journal::Batch batch;
    for (const auto& each : changes) {
      auto change = change_from(each);
      if (!change || !policy::absorb(controls_, *change)) continue;
      batch.controls.push_back(control_row(*change));
    }
    if (batch.controls.empty()) return;
    publish();
    if (stage_.journal == nullptr) return;
    stage_.journal->append(std::move(batch), [](Result<void> kept) {
      if (!kept)
        log::error("controls", "an order of another node was not written down: " + kept.error().what);
    });
  }

  void on_digest(const std::string& peer, PeerKnown& known, const Json& body) {
    known.their_last_sent = std::max(known.their_last_sent, get_int(body, "sent"));
    if (auto echo = get_int(body, "echo"); echo != 0) {
      // A peer cannot have heard what we have not said yet.
      Instant said{Duration(echo)};
      if (said <= stage_.clock->now()) known.heard = known.heard ? std::max(*known.heard, said) : said;
      renew();
    }
    if (static_cast<std::uint64_t>(get_int(body, "digest")) != policy::digest_of(controls_)) send_all(peer);
  }

  void send_all(const std::string& peer) {
    Json changes = Json::array();
    auto flush = [&] {
      if (!changes.empty())
        stage_.send(peer, dump_json(Json{{"changes", std::exchange(changes, Json::array())}}));
    };
    auto add = [&](const auto& each) {
      changes.push_back(to_json(policy::Change(each)));
      if (changes.size() >= kChangesAtOnce) flush();
    };
    for (const auto& stop : controls_.stops) add(stop);
    for (const auto& flag : controls_.flags) add(flag);
    for (const auto& share : controls_.shares) add(share);
    flush();
  }

  // ---- time ----

  // Fresh as long as a majority, ourselves among it, has been heard within the lease: two halves of a cluster
  // that cannot hear each other are never both fresh (B8).
  void renew() {
    std::vector<Instant> heard;
    for (const auto& [peer, known] : peers_)
      if (known.heard) heard.push_back(*known.heard);
    auto needed = (peers_.size() + 1) / 2;
    if (heard.size() < needed) return;
    std::nth_element(heard.begin(), heard.begin() + static_cast<std::ptrdiff_t>(needed - 1), heard.end(),
                     std::greater<>());
    auto until = heard[needed - 1] + config_.lease;
    if (until <= controls_.fresh_until) return;
    controls_.fresh_until = until;
    publish();
  }

  void on_tick() {
    auto now = stage_.clock->now();
    if (peers_.empty() || now < next_gossip_) return;
    next_gossip_ = now + config_.gossip_interval;
    for (const auto& [peer, known] : peers_) {
      Json body{{"sent", now.time_since_epoch().count()},
                {"echo", known.their_last_sent},
                {"digest", static_cast<std::int64_t>(policy::digest_of(controls_))}};
      stage_.send(peer, dump_json(body));
    }
  }

  void publish() { stage_.board->store(std::make_shared<const policy::Controls>(controls_)); }

  ControlsActor::pointer self_;
  ControlsConfig config_;
  ControlsStage stage_;
  policy::Controls controls_;
  std::map<std::uint64_t, Waiting> waiting_;  // for the journal, by ticket
  std::map<std::string, PeerKnown> peers_;
  std::uint64_t last_epoch_ = 0, last_ticket_ = 0;
  Instant next_gossip_;
};

}  // namespace

ControlsActor spawn_controls(caf::actor_system& system, Unit* unit, ControlsConfig config,
                             ControlsStage stage) {
  auto first = config.restored;
  first.sign_offs = config.sign_offs;
  stage.board->store(std::make_shared<const policy::Controls>(std::move(first)));
  return spawn_shell<ControlsActor, ControlsShell>(system, unit, std::move(config), std::move(stage));
}

}  // namespace troupe::actors
