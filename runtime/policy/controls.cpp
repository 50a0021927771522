#include "runtime/policy/controls.hpp"

#include "runtime/base/clock.hpp"
#include "runtime/base/overloaded.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace troupe::policy {
namespace {

constexpr std::array kSubjects{Subject::feature,    Subject::tenant,   Subject::model,
                               Subject::endpoint,   Subject::provider, Subject::flag,
                               Subject::experiment, Subject::rollout,  Subject::sign_off};

bool before(const Stop& stop, const std::pair<Subject, std::string_view>& place) {
  return std::pair<Subject, std::string_view>(stop.subject, stop.name) < place;
}

template <class Stops>
auto place_of_stop(Stops& stops, Subject subject, std::string_view name) {
  return std::lower_bound(stops.begin(), stops.end(), std::pair(subject, name), before);
}

template <class Flags>
auto place_of_flag(Flags& flags, std::string_view name) {
  return std::lower_bound(flags.begin(), flags.end(), name,
                          [](const Flag& flag, std::string_view wanted) { return flag.name < wanted; });
}

bool holds_tenant(const std::vector<std::string>& tenants, std::string_view tenant) {
  return std::find(tenants.begin(), tenants.end(), tenant) != tenants.end();
}

// Of two values under one stamp, which a faulty writer could make, all nodes must keep the same: the smaller
// one.
bool smaller(const Flag& a, const Flag& b) {
  return std::tie(a.percent, a.unit, a.allow, a.deny, a.order.who, a.order.why) <
         std::tie(b.percent, b.unit, b.allow, b.deny, b.order.who, b.order.why);
}

bool absorb_stop(std::vector<Stop>& stops, const Stop& stop) {
  auto at = place_of_stop(stops, stop.subject, stop.name);
  if (at == stops.end() || at->subject != stop.subject || at->name != stop.name) {
    if (stops.size() >= kControlsMax) return false;
    stops.insert(at, stop);
    return true;
  }
  bool stops_anew = newer(stop.stamp, at->stamp), starts = newer(stop.undone, at->undone);
  auto undone = starts ? stop.undone : at->undone;
  if (stops_anew) *at = stop;
  at->undone = std::move(undone);
  return stops_anew || starts;
}

bool absorb_flag(std::vector<Flag>& flags, const Flag& flag) {
  auto at = place_of_flag(flags, flag.name);
  if (at == flags.end() || at->name != flag.name) {
    if (flags.size() >= kControlsMax) return false;
    flags.insert(at, flag);
    return true;
  }
  bool wins = newer(flag.stamp, at->stamp) || (flag.stamp == at->stamp && smaller(flag, *at));
  if (wins) *at = flag;
  return wins;
}

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
  }
  return "?";
}

std::optional<Subject> subject_from(std::string_view name) {
  for (auto subject : kSubjects)
    if (name == to_string(subject)) return subject;
  return std::nullopt;
}

bool newer(const Stamp& a, const Stamp& b) { return std::tie(a.epoch, a.node) > std::tie(b.epoch, b.node); }

bool Stop::holds(WallTime wall) const { return newer(stamp, undone) && (until.ms == 0 || wall < until); }

const Stop* Controls::stopped(Subject subject, std::string_view name, WallTime wall) const {
  if (stops.empty() || name.empty()) return nullptr;
  auto at = place_of_stop(stops, subject, name);
  bool found = at != stops.end() && at->subject == subject && at->name == name;
  return found && at->holds(wall) ? &*at : nullptr;
}

const Stop* Controls::stopped_by(const Target& target, WallTime wall) const {
  if (stops.empty()) return nullptr;
  for (auto [subject, name] :
       {std::pair(Subject::feature, target.feature), std::pair(Subject::tenant, target.tenant),
        std::pair(Subject::provider, target.provider), std::pair(Subject::model, target.model),
        std::pair(Subject::endpoint, target.endpoint)})
    if (const auto* stop = stopped(subject, name, wall)) return stop;
  return nullptr;
}

bool Controls::flag_on(std::string_view name, const Unit& unit, WallTime wall) const {
  auto at = place_of_flag(flags, name);
  if (at == flags.end() || at->name != name) return false;
  if (stopped(Subject::flag, name, wall) != nullptr || holds_tenant(at->deny, unit.tenant)) return false;
  if (holds_tenant(at->allow, unit.tenant)) return true;
  return unit_point(namespace_hash(name, "flag"), unit_hash(unit, at->unit)) < at->percent / 100;
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
                               [](const Flag& flag) { return flag_complaint(flag); }},
                    change);
}

bool absorb(Controls& controls, const Change& change) {
  return std::visit(
      Overloaded{[&](const Stop& stop) {
                   controls.epoch = std::max({controls.epoch, stop.stamp.epoch, stop.undone.epoch});
                   return absorb_stop(controls.stops, stop);
                 },
                 [&](const Flag& flag) {
                   controls.epoch = std::max(controls.epoch, flag.stamp.epoch);
                   return absorb_flag(controls.flags, flag);
                 }},
      change);
}

Controls merge(const Controls& ours, const Controls& theirs) {
  auto out = ours;
  for (const auto& stop : theirs.stops) absorb(out, stop);
  for (const auto& flag : theirs.flags) absorb(out, flag);
  return out;
}

Stamp next_stamp(const Controls& controls, std::string node) { return {controls.epoch + 1, std::move(node)}; }

std::string to_text(const Stop& stop) {
  auto text = fmt::format("{} {} is stopped by {}", to_string(stop.subject), stop.name, stop.order.who);
  if (stop.until.ms != 0) text += " until " + to_iso8601(stop.until);
  return stop.order.why.empty() ? text : text + ": " + stop.order.why;
}

}  // namespace troupe::policy
