// A node takes over another configuration: all of it or nothing, and only what differs is made anew (C13).
#include "actors/node_impl.hpp"

#include "actors/list_price.hpp"
#include "runtime/base/log.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <caf/send.hpp>

#include <algorithm>

namespace troupe {
namespace {

Json names_json(const config::NameChanges& names) {
  return {{"added", names.added}, {"removed", names.removed}, {"changed", names.changed}};
}

Json changes_json(const config::ConfigChanges& changes) {
  Json options = Json::array();
  for (const auto& each : changes.options) options.push_back(each.path);
  return {{"options", std::move(options)},
          {"endpoints", names_json(changes.endpoints)},
          {"shadows", names_json(changes.shadows)},
          {"rollouts", names_json(changes.rollouts)},
          {"queues", changes.features},
          {"sign_offs", changes.sign_offs}};
}

const config::EndpointConfig* endpoint_named(const config::Config& config, const std::string& id) {
  const auto& all = config.endpoints.list;
  auto it = std::ranges::find(all, id, &config::EndpointConfig::id);
  return it == all.end() ? nullptr : &*it;
}

std::string policy_name(policy::RolloutState state, double share) {
  return fmt::format("{} at {:g} %", to_string(state), 100 * share);
}

}  // namespace

// ---- asking for it ----

void Node::Impl::read_with(std::function<Result<Config>()> read) {
  std::lock_guard lock(reader_mutex_);
  reader_ = std::move(read);
}

Result<config::ConfigChanges> Node::Impl::read_again(bool dry_run) {
  std::lock_guard lock(reader_mutex_);
  if (!reader_) return fail(Errc::unsupported, "this node was not told where its configuration is");
  auto config = reader_();
  if (config) return reload(*config, dry_run);
  log::error("node", "the configuration was not taken over: " + config.error().what);
  return std::unexpected(config.error());
}

Result<std::string> Node::Impl::reload_told(bool dry_run) {
  auto changes = read_again(dry_run);
  if (!changes) return std::unexpected(changes.error());
  return dump_json(changes_json(*changes));
}

// ---- taking it over ----

Result<config::ConfigChanges> Node::Impl::reload(const Config& config, bool dry_run) {
  std::lock_guard lock(mutex_);
  if (stopping_ || !supervisor_) return fail(Errc::refused, "the node is stopping");
  const auto& next = config.values();
  auto changes = config::changes_between(current_.values(), next);
  if (changes.empty()) return changes;
  auto fixed = changes.fixed;
  std::ranges::copy(begun_rollouts(next, changes), std::back_inserter(fixed));
  if (!fixed.empty()) {
    auto what = fmt::format("nothing was taken over; a restart is needed for {}", fmt::join(fixed, ", "));
    log::error("node", what);
    return fail(Errc::bad_config, what);
  }
  Reach reach{{}, reach_.warmth};
  auto cast = prepare(next, changes, reach);
  if (!cast || dry_run) credentials_->drop_new();
  if (!cast) {
    log::error("node", "nothing was taken over: " + cast.error().what);
    return std::unexpected(cast.error());
  }
  if (!dry_run) take_over(config, changes, std::move(reach), std::move(*cast));
  return changes;
}

void Node::Impl::take_over(const Config& config, const config::ConfigChanges& changes, Reach reach,
                           std::shared_ptr<actors::CastChange> cast) {
  const auto& next = config.values();
  change_shadows(next, changes, *cast);
  control_room_.change(next, changes.redealt, copies_shown());
  change_features(next, changes, *cast);
  current_ = config;
  publish(next);
  take(std::move(reach));
  for (const auto& local : cast->endpoints) desk_.metrics->breaker_moved(local.breaker.endpoint, "closed", 1);
  if (owners_)
    caf::anon_send(owners_, actors::OwnersChanged{std::move(cast), actors::named_here(next)});
  else
    caf::anon_send(supervisor_, actors::ChangeCast{std::move(cast)});
  log::info("node", "another configuration: " + to_text(changes));
}

// A share that a rollout was given for one model says nothing of another. A name that is new here and has a
// share has it from an earlier rollout, unless this node only hears of it from its home.
std::vector<std::string> Node::Impl::begun_rollouts(const config::Config& next,
                                                    const config::ConfigChanges& changes) {
  auto known = control_room_.board()->load();
  std::vector<std::string> out;
  auto look = [&](const std::string& name, const char* what) {
    const auto* share = known->share_of(name);
    if (share == nullptr || share->state == policy::RolloutState::rolled_back) return;
    out.push_back(fmt::format("rollouts.{} ({}: {})", name, what, policy_name(share->state, share->share)));
  };
  for (const auto& name : changes.redealt)
    look(name, "it has begun; roll it back first, or give the new one another name");
  for (const auto& name : changes.rollouts.added)
    if (config::rollout_home(next, next.rollouts.at(name)) == next.node.id)
      look(name, "there was one of this name; choose another");
  return out;
}

Result<std::shared_ptr<actors::CastChange>> Node::Impl::prepare(const config::Config& next,
                                                                const config::ConfigChanges& changes,
                                                                Reach& reach) {
  auto cast = std::make_shared<actors::CastChange>();
  const auto& before = current_.values();
  for (const auto* names : {&changes.endpoints.removed, &changes.endpoints.changed})
    for (const auto& id : *names)
      if (const auto* was = endpoint_named(before, id); was != nullptr && actors::lives_here(before, *was))
        cast->endpoints_gone.push_back(id);
  for (const auto& id : cast->endpoints_gone) reach.warmth.leave(id);
  for (const auto* names : {&changes.endpoints.added, &changes.endpoints.changed})
    for (const auto& id : *names) {
      const auto* is = endpoint_named(next, id);
      if (is == nullptr || !actors::lives_here(next, *is)) continue;
      auto local = local_endpoint(next, *is, reach);
      if (!local) return std::unexpected(local.error());
      cast->endpoints.push_back(std::move(*local));
    }
  if (!changes.endpoints.empty()) cast->peers = actors::remote_peers(next);
  return cast;
}

void Node::Impl::change_shadows(const config::Config& next, const config::ConfigChanges& changes,
                                actors::CastChange& cast) {
  const auto& names = changes.shadows;
  for (const auto* gone : {&names.removed, &names.changed})
    for (const auto& feature : *gone) {
      cast.shadows_gone.push_back(feature);
      std::erase_if(shadows_, [&](const auto& each) { return each.config.feature == feature; });
    }
  for (auto& shadow : actors::feature_shadows(next)) {
    const auto& feature = shadow.config.feature;
    if (!names.added.contains(feature) && !names.changed.contains(feature)) continue;
    cast.shadows.push_back(shadow);
    shadows_.push_back(std::move(shadow));
  }
  publish_shadows();
}

// Others keep their queues, and with them who waits, what was learned, and what was used.
void Node::Impl::change_features(const config::Config& next, const config::ConfigChanges& changes,
                                 actors::CastChange& cast) {
  if (changes.shares) quota_ = actors::shared_quota(next);
  cast.features = actors::feature_configs(next, quota_);
  std::erase_if(cast.features,
                [&](const auto& each) { return !changes.features.contains(each.dispatch.rules.feature); });
  equip(cast.features);
}

// ---- what others read of it ----

actors::CopiesShown Node::Impl::copies_shown() const {
  actors::CopiesShown out;
  for (const auto& shadow : shadows_) out[shadow.config.feature] = {shadow.shown, shadow.judged};
  return out;
}

void Node::Impl::publish_shadows() {
  desk_.shadows->store(std::make_shared<const std::vector<actors::FeatureShadow>>(shadows_));
}

void Node::Impl::publish(const config::Config& now) {
  auto places = std::make_shared<std::map<std::string, actors::EndpointPlace>>();
  auto roster = std::make_shared<actors::Roster>();
  for (const auto& endpoint : now.endpoints.list) {
    (*places)[endpoint.id] = {endpoint.provider, endpoint.region};
    auto facts = std::make_shared<const policy::EndpointFacts>(config::endpoint_facts(endpoint));
    roster->push_back({std::move(facts), {}, endpoint.home.empty() ? now.node.id : endpoint.home});
  }
  places_->store(std::move(places));
  prices_->store(std::make_shared<const actors::ListPrices>(actors::list_prices(now, clock_)));
  if (!desk_.roster_facts) desk_.roster_facts = std::make_shared<Published<actors::Roster>>();
  desk_.roster_facts->store(std::move(roster));
  publish_shadows();
}

}  // namespace troupe
