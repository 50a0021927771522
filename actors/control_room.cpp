#include "actors/control_room.hpp"

#include "actors/controls_json.hpp"
#include "actors/wire.hpp"
#include "runtime/base/log.hpp"

#include <caf/exit_reason.hpp>
#include <caf/send.hpp>

namespace troupe::actors {
namespace {

using policy::Subject;

template <class Named>
std::set<std::string> keys_of(const Named& all) {
  std::set<std::string> out;
  for (const auto& [name, unused] : all) out.insert(name);
  return out;
}

std::map<Subject, std::set<std::string>> control_names(const config::Config& config,
                                                       const policy::SignOffs& sign_offs) {
  std::map<Subject, std::set<std::string>> out;
  out[Subject::feature] = keys_of(config.features);
  out[Subject::model] = keys_of(config.models);
  out[Subject::provider] = keys_of(config.providers);
  out[Subject::experiment] = keys_of(config.experiments);
  out[Subject::rollout] = keys_of(config.rollouts);
  out[Subject::schedule] = keys_of(config.schedules);
  for (const auto& endpoint : config.endpoints.list) out[Subject::endpoint].insert(endpoint.id);
  for (const auto& each : sign_offs.all()) out[Subject::sign_off].insert(each.key);
  return out;
}

}  // namespace

std::function<void(const std::string&, std::string)> control_sender(transport::Gateway* gateway,
                                                                    WireKind kind) {
  return [gateway, kind](const std::string& peer, std::string body) {
    if (gateway == nullptr) return;
    transport::Outbound out;
    out.lane = protocol::Lane::control;
    out.kind = static_cast<std::uint32_t>(kind);
    out.body = std::move(body);
    if (auto sent = gateway->send(peer, std::move(out)); !sent)
      log::debug("controls", peer + ": not sent: " + sent.error().what);
  };
}

std::vector<RolloutPlace> ControlRoom::publish(const config::Config& config,
                                               const policy::SignOffs& sign_offs, const CopiesShown& copies) {
  names_.store(std::make_shared<const Names>(control_names(config, sign_offs)));
  auto rules = std::make_shared<const policy::LeadRules>(config::lead_rules_of(config));
  std::vector<RolloutPlace> places;
  for (const auto& rule : rules->rollouts) {
    auto& place = places.emplace_back();
    place.rule = rule;
    place.home = config::rollout_home(config, config.rollouts.at(rule.name));
    bool copied = config.features.at(rule.feature).shadow.model == rule.model;
    if (auto shown = copies.find(rule.feature); copied && shown != copies.end()) {
      place.copies = shown->second.copies;
      place.judged = shown->second.judged;
    }
  }
  rules_.store(std::move(rules));
  return places;
}

void ControlRoom::change(const config::Config& config, const std::set<std::string>& redealt,
                         const CopiesShown& copies) {
  auto sign_offs = config::sign_offs_of(config);
  auto places = publish(config, sign_offs, copies);
  caf::anon_send(controls_, SignOffsChanged{std::move(sign_offs)});
  caf::anon_send(rollouts_, RolloutsChanged{std::move(places), redealt});
}

Result<void> ControlRoom::start(const config::Config& config, const ControlRoomParts& parts,
                                const CopiesShown& copies) {
  auto rows = parts.journal->controls({});
  if (!rows) return std::unexpected(rows.error());
  auto restored = restore_controls(*rows);
  if (restored.unreadable > 0)
    return fail(Errc::storage, "the journal holds orders that this build cannot read");
  ControlsConfig controls;
  controls.node = config.node.id;
  for (const auto& peer : config.cluster.peers) controls.peers.push_back(peer.id);
  controls.sign_offs = config::sign_offs_of(config);
  controls.restored = std::move(restored.controls);
  RolloutActorConfig rollouts{config.node.id, publish(config, controls.sign_offs, copies)};
  ControlsStage stage{parts.clock, parts.journal, control_sender(parts.gateway, WireKind::controls), board_};
  controls_ = spawn_controls(*parts.system, parts.unit, std::move(controls), std::move(stage));
  RolloutActorStage judged{parts.clock, board_, controls_, control_sender(parts.gateway, WireKind::rollout)};
  rollouts_ = spawn_rollouts(*parts.system, parts.unit, std::move(rollouts), std::move(judged));
  return {};
}

void ControlRoom::stop() {
  if (rollouts_) caf::anon_send_exit(rollouts_, caf::exit_reason::user_shutdown);
  if (controls_) caf::anon_send_exit(controls_, caf::exit_reason::user_shutdown);
  rollouts_ = nullptr;
  controls_ = nullptr;
}

void ControlRoom::tick() const {
  caf::anon_send(controls_, Tick{});
  caf::anon_send(rollouts_, Tick{});
}

bool ControlRoom::heard(const transport::Inbound& message) const {
  if (message.kind == static_cast<std::uint32_t>(WireKind::controls)) {
    caf::anon_send(controls_, ControlsHeard{message.peer, message.body});
    return true;
  }
  if (message.kind != static_cast<std::uint32_t>(WireKind::rollout)) return false;
  caf::anon_send(rollouts_, RolloutHeard{message.peer, message.body});
  return true;
}

std::set<std::string> ControlRoom::names(Subject subject) const {
  auto all = names_.load();
  auto it = all->find(subject);
  return it == all->end() ? std::set<std::string>() : it->second;
}

}  // namespace troupe::actors
