#include "runtime/policy/controls.hpp"

#include "runtime/base/clock.hpp"
#include "runtime/base/overloaded.hpp"
#include "runtime/base/rng.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace troupe::policy {
namespace {

constexpr std::array kSubjects{Subject::feature,  Subject::tenant,  Subject::model,      Subject::endpoint,
                               Subject::provider, Subject::flag,    Subject::experiment, Subject::rollout,
                               Subject::sign_off, Subject::schedule};

struct StopPlace {
  Subject subject;
  std::string_view name, node;
};

template <class Stops>
auto place_of_stop(Stops& stops, const StopPlace& place) {
  auto before = [](const Stop& stop, const StopPlace& wanted) {
    std::tuple<Subject, std::string_view, std::string_view> its(stop.subject, stop.name, stop.stamp.node);
    return its < std::tie(wanted.subject, wanted.name, wanted.node);
  };
  return std::lower_bound(stops.begin(), stops.end(), place, before);
}

bool is_about(const Stop& stop, Subject subject, std::string_view name) {
  return stop.subject == subject && stop.name == name;
}

template <class Named>
auto place_of(Named& all, std::string_view name) {
  return std::lower_bound(all.begin(), all.end(), name,
                          [](const auto& each, std::string_view wanted) { return each.name < wanted; });
}

bool holds_tenant(const std::vector<std::string>& tenants, std::string_view tenant) {
  return std::find(tenants.begin(), tenants.end(), tenant) != tenants.end();
}

// Of two values under one stamp, which a faulty writer could make, all nodes must keep the same: the smaller
// one, which is the safer.
bool smaller(const Flag& a, const Flag& b) {
  return std::tie(a.percent, a.unit, a.allow, a.deny, a.order.who, a.order.why) <
         std::tie(b.percent, b.unit, b.allow, b.deny, b.order.who, b.order.why);
}

bool absorb_stop(std::vector<Stop>& stops, const Stop& stop) {
  auto at = place_of_stop(stops, {stop.subject, stop.name, stop.stamp.node});
  bool known =
      at != stops.end() && is_about(*at, stop.subject, stop.name) && at->stamp.node == stop.stamp.node;
  if (!known) {
    if (stops.size() >= kControlsMax) return false;
    stops.insert(at, stop);
    return true;
  }
  bool stops_anew = newer(stop.stamp, at->stamp), starts = newer(stop.undone, at->undone);
  auto undone = starts ? std::pair(stop.undone, stop.undone_by) : std::pair(at->undone, at->undone_by);
  if (stops_anew) *at = stop;
  std::tie(at->undone, at->undone_by) = std::move(undone);
  return stops_anew || starts;
}

bool smaller(const Share& a, const Share& b) {
  return std::tie(a.share, a.stage, a.state, a.order.who, a.order.why) <
         std::tie(b.share, b.stage, b.state, b.order.who, b.order.why);
}

// The last writer's value; flags and shares alike.
template <class Named>
bool absorb_named(std::vector<Named>& all, const Named& change) {
  auto at = place_of(all, change.name);
  if (at == all.end() || at->name != change.name) {
    if (all.size() >= kControlsMax) return false;
    all.insert(at, change);
    return true;
  }
  bool wins = newer(change.stamp, at->stamp) || (change.stamp == at->stamp && smaller(change, *at));
  if (wins) *at = change;
  return wins;
}

std::uint64_t stamp_hash(std::string_view kind, const Stamp& stamp) {
  return stable_hash(stamp.node, stable_hash(kind, stamp.epoch));
}

bool absorb_one(Controls& controls, const Stop& stop) { return absorb_stop(controls.stops, stop); }
bool absorb_one(Controls& controls, const Flag& flag) { return absorb_named(controls.flags, flag); }
bool absorb_one(Controls& controls, const Share& share) { return absorb_named(controls.shares, share); }

std::optional<std::string> text_complaint(std::string_view what, std::string_view text) {
  if (text.size() <= kControlTextMax) return std::nullopt;
  return fmt::format("{} has {} bytes; at most {} are kept", what, text.size(), kControlTextMax);
}

std::optional<std::string> order_complaint(const std::string& name, const Order& order) {
  if (name.empty()) return "an order needs the name of what it is about";
  for (auto [what, text] :
       {std::pair("a name", &name), std::pair("who", &order.who), std::pair("why", &order.why)})
    if (auto bad = text_complaint(what, *text)) return bad;
  return std::nullopt;
}

std::optional<std::string> flag_complaint(const Flag& flag) {
  if (!(flag.percent >= 0 && flag.percent <= 100))
    return fmt::format("flag {}: {} percent; it must be from 0 to 100", flag.name, flag.percent);
  if (flag.allow.size() > kFlagTenantsMax || flag.deny.size() > kFlagTenantsMax)
    return fmt::format("flag {} lists more than {} tenants", flag.name, kFlagTenantsMax);
  for (const auto* list : {&flag.allow, &flag.deny})
    for (const auto& tenant : *list)
      if (auto bad = text_complaint("a tenant", tenant)) return bad;
  return order_complaint(flag.name, flag.order);
}

std::optional<std::string> share_complaint(const Share& share) {
  if (!(share.share >= 0 && share.share <= 1))
    return fmt::format("rollout {}: a share of {}; it must be from 0 to 1", share.name, share.share);
  return order_complaint(share.name, share.order);
}

}  // namespace

const char* to_string(Subject subject) {
  switch (subject) {
    case Subject::feature: return "feature";
    case Subject::tenant: return "tenant";
    case Subject::model: return "model";
    case Subject::endpoint: return "endpoint";
    case Subject::provider: return "provider";
    case Subject::flag: return "flag";
    case Subject::experiment: return "experiment";
    case Subject::rollout: return "rollout";
    case Subject::sign_off: return "sign_off";
    case Subject::schedule: return "schedule";
  }
  return "?";
}

std::optional<Subject> subject_from(std::string_view name) {
  for (auto subject : kSubjects)
    if (name == to_string(subject)) return subject;
  return std::nullopt;
}

const char* to_string(RolloutState state) {
  switch (state) {
    case RolloutState::running: return "running";
    case RolloutState::halted: return "halted";
    case RolloutState::rolled_back: return "rolled_back";
    case RolloutState::done: return "done";
  }
  return "?";
}

std::optional<RolloutState> rollout_state_from(std::string_view name) {
  for (auto state :
       {RolloutState::running, RolloutState::halted, RolloutState::rolled_back, RolloutState::done})
    if (name == to_string(state)) return state;
  return std::nullopt;
}

bool newer(const Stamp& a, const Stamp& b) { return std::tie(a.epoch, a.node) > std::tie(b.epoch, b.node); }

bool Stop::holds(WallTime wall) const { return active() && (until.ms == 0 || wall < until); }

const Stop* Controls::stopped(Subject subject, std::string_view name, WallTime wall) const {
  if (stops.empty() || name.empty()) return nullptr;
  auto at = place_of_stop(stops, {subject, name, {}});
  for (; at != stops.end() && is_about(*at, subject, name); ++at)
    if (at->holds(wall)) return &*at;
  return nullptr;
}

namespace {

/// From wide to narrow.
std::array<std::pair<Subject, std::string_view>, 5> parts_of(const Target& target) {
  return {{{Subject::feature, target.feature},
           {Subject::tenant, target.tenant},
           {Subject::provider, target.provider},
           {Subject::model, target.model},
           {Subject::endpoint, target.endpoint}}};
}

}  // namespace

const Stop* Controls::stopped_by(const Target& target, WallTime wall) const {
  if (stops.empty()) return nullptr;
  for (auto [subject, name] : parts_of(target))
    if (const auto* stop = stopped(subject, name, wall)) return stop;
  return nullptr;
}

bool Controls::names(const Target& target) const {
  if (stops.empty()) return false;
  return std::ranges::any_of(parts_of(target), [this](const auto& part) {
    if (part.second.empty()) return false;
    auto at = place_of_stop(stops, {part.first, part.second, {}});
    return at != stops.end() && is_about(*at, part.first, part.second);
  });
}

bool Controls::flag_on(std::string_view name, const Unit& unit, WallTime wall) const {
  auto at = place_of(flags, name);
  if (at == flags.end() || at->name != name) return false;
  if (stopped(Subject::flag, name, wall) != nullptr || holds_tenant(at->deny, unit.tenant)) return false;
  if (holds_tenant(at->allow, unit.tenant)) return true;
  return unit_point(namespace_hash(name, "flag"), unit_hash(unit, at->unit)) < at->percent / 100;
}

const Share* Controls::share_of(std::string_view rollout) const {
  auto at = place_of(shares, rollout);
  return at != shares.end() && at->name == rollout ? &*at : nullptr;
}

std::optional<MissingSignOff> Controls::missing_sign_off(const Target& target, std::string_view data_class,
                                                         WallTime wall) const {
  return sign_offs.missing(
      {target.endpoint, target.provider, target.model, data_class}, wall,
      [&](std::string_view key) { return stopped(Subject::sign_off, key, wall) != nullptr; });
}

std::optional<MissingSignOff> Controls::model_sign_off(std::string_view model, std::string_view data_class,
                                                       WallTime wall) const {
  return sign_offs.missing_of_model(
      {.model = model, .data_class = data_class}, wall,
      [&](std::string_view key) { return stopped(Subject::sign_off, key, wall) != nullptr; });
}

std::optional<std::string> validate(const Change& change) {
  return std::visit(Overloaded{[](const Stop& stop) { return order_complaint(stop.name, stop.order); },
                               [](const Flag& flag) { return flag_complaint(flag); },
                               [](const Share& share) { return share_complaint(share); }},
                    change);
}

bool absorb(Controls& controls, const Change& change) {
  return std::visit(
      [&](const auto& each) {
        controls.epoch = std::max(controls.epoch, each.stamp.epoch);
        return absorb_one(controls, each);
      },
      change);
}

const Stamp& stamp_of(const Change& change) {
  return std::visit([](const auto& each) -> const Stamp& { return each.stamp; }, change);
}

const Order& order_of(const Change& change) {
  return std::visit(
      Overloaded{[](const Stop& stop) -> const Order& { return stop.active() ? stop.order : stop.undone_by; },
                 [](const auto& each) -> const Order& { return each.order; }},
      change);
}

ChangeName name_of(const Change& change) {
  return std::visit(Overloaded{[](const Stop& stop) {
                                 return ChangeName{stop.active() ? "stop" : "start",
                                                   fmt::format("{} {}", to_string(stop.subject), stop.name)};
                               },
                               [](const Flag& flag) {
                                 return ChangeName{"flag", flag.name};
                               },
                               [](const Share& share) {
                                 return ChangeName{"share", share.name};
                               }},
                    change);
}

// A sum, so that the order in which records lie does not matter.
std::uint64_t digest_of(const Controls& controls) {
  std::uint64_t sum = 0;
  for (const auto& stop : controls.stops) {
    auto name = stable_hash(stop.name, static_cast<std::uint64_t>(stop.subject));
    sum += name ^ stamp_hash("stop", stop.stamp) ^ stamp_hash("undone", stop.undone);
  }
  for (const auto& flag : controls.flags) sum += stable_hash(flag.name) ^ stamp_hash("flag", flag.stamp);
  for (const auto& share : controls.shares) sum += stable_hash(share.name) ^ stamp_hash("share", share.stamp);
  return sum;
}

Controls merge(const Controls& ours, const Controls& theirs) {
  auto out = ours;
  for (const auto& stop : theirs.stops) absorb(out, stop);
  for (const auto& flag : theirs.flags) absorb(out, flag);
  for (const auto& share : theirs.shares) absorb(out, share);
  return out;
}

std::vector<Stop> starts_for(const Controls& controls, Subject subject, std::string_view name,
                             const Order& order) {
  std::vector<Stop> out;
  for (auto stop : controls.stops) {
    if (!is_about(stop, subject, name) || !stop.active()) continue;
    stop.undone = stop.stamp;
    stop.undone_by = order;
    out.push_back(std::move(stop));
  }
  return out;
}

Stamp next_stamp(const Controls& controls, std::string node) { return {controls.epoch + 1, std::move(node)}; }

std::string to_text(const Stop& stop) {
  auto text = fmt::format("{} {} is stopped by {}", to_string(stop.subject), stop.name, stop.order.who);
  if (stop.until.ms != 0) text += " until " + to_iso8601(stop.until);
  return stop.order.why.empty() ? text : text + ": " + stop.order.why;
}

}  // namespace troupe::policy
