#include "actors/owners.hpp"

#include "actors/owners_json.hpp"
#include "actors/shell.hpp"
#include "runtime/base/log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace troupe::actors {
namespace {

const std::string& id_of(const LocalEndpoint& spec) { return spec.endpoint.facts.id; }

struct OwnersShell {
  static constexpr const char* name = "owners";
  explicit OwnersShell(OwnersActor::pointer self) : self_(self) {}

  OwnersActor::behavior_type start(OwnersConfig config, OwnersStage stage) {
    config_ = std::move(config);
    stage_ = std::move(stage);
    auto wall = stage_.clock->wall();
    ownership_.emplace(config_.node, static_cast<std::uint64_t>(wall.ms) << 20);
    for (const auto& spec : config_.endpoints) {
      specs_[id_of(spec)] = spec;
      ownership_->serve(id_of(spec), config_.named.contains(id_of(spec)), wall);
    }
    return {
        [this](const OwnersChanged& fact) { on_changed(fact); },
        [this](const OwnersHeard& fact) { on_heard(fact); },
        [this](const OwnersLeft& fact) { on_left(fact); },
        [this](const LinkChanged& fact) { on_link(fact); },
        [this](Tick) { on_tick(); },
    };
  }

 private:
  // ---- facts in ----

  void on_changed(const OwnersChanged& fact) {
    auto change = *fact.change;
    // Who is not served here is not there to be let go.
    std::erase_if(change.endpoints_gone, [this](const auto& id) { return !ownership_->serves(id); });
    auto going = follow(*fact.change, fact.named);
    auto steps = ownership_->decide(stage_.clock->now(), stage_.clock->wall());
    std::erase_if(change.endpoints, [&](const auto& spec) {
      return !ownership_->serves(id_of(spec)) ||
             std::ranges::find(steps.take, id_of(spec)) != steps.take.end();
    });
    order(std::move(change), std::move(going), steps);
    say_news();
  }

  // Gives those that are served here and go for good.
  std::vector<std::string> follow(const CastChange& change, const std::set<std::string>& named) {
    for (const auto& id : change.endpoints_gone) specs_.erase(id);
    for (const auto& spec : change.endpoints) specs_[id_of(spec)] = spec;
    std::vector<std::string> going;
    for (const auto& id : change.endpoints_gone) {
      if (specs_.contains(id)) continue;
      if (ownership_->serves(id)) going.push_back(id);
      ownership_->drop(id);
    }
    for (const auto& [id, spec] : specs_) ownership_->claim(id, named.contains(id), stage_.clock->now());
    return going;
  }

  void on_heard(const OwnersHeard& fact) {
    auto body = parse_json(fact.body);
    auto claims = body ? claims_from(*body) : std::nullopt;
    if (!claims) return log::warn("owners", fact.peer + " said something malformed; ignored");
    bool news = ownership_->heard(fact.peer, std::move(*claims));
    step();
    if (news) tell(fact.peer);
  }

  void on_left(const OwnersLeft& fact) {
    for (const auto& id : fact.endpoints) ownership_->left(id);
    step();
  }

  void on_link(const LinkChanged& fact) {
    if (!fact.up) ownership_->peer_down(fact.peer);
    if (fact.up) ownership_->peer_up(fact.peer, stage_.clock->now());
    step();
  }

  void on_tick() {
    step();
    auto now = stage_.clock->now();
    if (now < next_) return;
    next_ = now + config_.interval;
    for (const auto& peer : ownership_->unanswered()) tell(peer);
  }

  // ---- orders out ----

  void step() {
    auto steps = ownership_->decide(stage_.clock->now(), stage_.clock->wall());
    if (!steps.empty()) order({}, {}, steps);
    say_news();
  }

  // Nobody is told that an endpoint is free before it admits nothing here.
  void order(CastChange change, std::vector<std::string> going, const policy::Ownership::Steps& steps) {
    for (const auto& id : steps.take) {
      log::info("owners", id + " is served here from now on");
      change.endpoints.push_back(specs_.at(id));
    }
    for (const auto& id : steps.leave) {
      log::warn("owners", id + " is let go: another node has served it for longer");
      if (std::ranges::find(change.endpoints_gone, id) == change.endpoints_gone.end())
        change.endpoints_gone.push_back(id);
      going.push_back(id);
    }
    change.done = [me = OwnersActor(self_), going = std::move(going), then = std::move(change.done)] {
      if (!going.empty()) caf::anon_send(me, OwnersLeft{going});
      if (then) then();
    };
    self_->send(stage_.supervisor, ChangeCast{std::make_shared<const CastChange>(std::move(change))});
  }

  void say_news() {
    log_clashes();
    if (std::exchange(told_, ownership_->said()) == ownership_->said()) return;
    for (const auto& peer : ownership_->unanswered()) tell(peer);
  }

  void log_clashes() {
    auto now = ownership_->clashes();
    for (const auto& each : now) {
      if (std::ranges::find(clashes_, each) != clashes_.end()) continue;
      const char* here = ownership_->serves(each.endpoint) ? "served here" : "not served here";
      log::warn("owners",
                fmt::format("endpoint {}: the files of this node and of {} both give it to themselves; "
                            "it is {} and {} there. Reload the one that is behind",
                            each.endpoint, each.peer, here, each.theirs ? "served" : "not served"));
    }
    clashes_ = std::move(now);
  }

  void tell(const std::string& peer) { stage_.send(peer, dump_json(to_json(ownership_->words_for(peer)))); }

  OwnersActor::pointer self_;
  OwnersConfig config_;
  OwnersStage stage_;
  std::optional<policy::Ownership> ownership_;
  std::map<std::string, LocalEndpoint> specs_;  // of all that the file gives us, served or not
  std::vector<policy::Ownership::Clash> clashes_;
  std::uint64_t told_ = 0;
  Instant next_;
};

}  // namespace

OwnersActor spawn_owners(caf::actor_system& system, Unit* unit, OwnersConfig config, OwnersStage stage) {
  return spawn_shell<OwnersActor, OwnersShell>(system, unit, std::move(config), std::move(stage));
}

}  // namespace troupe::actors
