#include "actors/controls_json.hpp"

#include "runtime/base/clock.hpp"
#include "runtime/base/overloaded.hpp"

namespace troupe::actors {
namespace {

using policy::Change;

Json stamp_json(const policy::Stamp& stamp) { return {{"epoch", stamp.epoch}, {"node", stamp.node}}; }

policy::Stamp stamp_from(const Json& json, const char* key) {
  const auto* member = find(json, key);
  if (member == nullptr) return {};
  return {static_cast<std::uint64_t>(get_int(*member, "epoch")), get_string(*member, "node")};
}

std::vector<std::string> texts_from(const Json& json, const char* key) {
  std::vector<std::string> out;
  const auto* member = find(json, key);
  if (member == nullptr || !member->is_array()) return out;
  for (const auto& each : *member)
    if (each.is_string()) out.push_back(each.get<std::string>());
  return out;
}

void put_common(Json& out, const policy::Order& order, const policy::Stamp& stamp) {
  out["who"] = order.who;
  out["why"] = order.why;
  out["at_ms"] = order.at.ms;
  out["stamp"] = stamp_json(stamp);
}

policy::Order order_from(const Json& json) {
  return {get_string(json, "who"), get_string(json, "why"), {get_int(json, "at_ms")}};
}

Json stop_json(const policy::Stop& stop) {
  Json out{{"kind", "stop"},
           {"subject", to_string(stop.subject)},
           {"name", stop.name},
           {"until_ms", stop.until.ms}};
  put_common(out, stop.order, stop.stamp);
  out["undone"] = stamp_json(stop.undone);
  const auto& by = stop.undone_by;
  out["undone_by"] = {{"who", by.who}, {"why", by.why}, {"at_ms", by.at.ms}};
  return out;
}

Json flag_json(const policy::Flag& flag) {
  Json out{{"kind", "flag"},          {"name", flag.name},   {"unit", to_string(flag.unit)},
           {"percent", flag.percent}, {"allow", flag.allow}, {"deny", flag.deny}};
  put_common(out, flag.order, flag.stamp);
  return out;
}

Json share_json(const policy::Share& share) {
  Json out{{"kind", "share"},
           {"name", share.name},
           {"share", share.share},
           {"stage", share.stage},
           {"state", to_string(share.state)}};
  put_common(out, share.order, share.stamp);
  return out;
}

Result<Change> stop_from(const Json& json) {
  auto subject = policy::subject_from(get_string(json, "subject"));
  if (!subject)
    return fail(
        Errc::invalid_input,
        "a stop is of a feature, tenant, model, endpoint, provider, flag, experiment, rollout, sign_off or "
        "schedule");
  policy::Stop stop{*subject, get_string(json, "name"), {get_int(json, "until_ms")}, order_from(json)};
  stop.stamp = stamp_from(json, "stamp");
  stop.undone = stamp_from(json, "undone");
  if (const auto* undone_by = find(json, "undone_by")) stop.undone_by = order_from(*undone_by);
  return stop;
}

Result<policy::UnitKind> unit_from(const std::string& name) {
  for (auto kind : {policy::UnitKind::tenant, policy::UnitKind::user, policy::UnitKind::request})
    if (name == to_string(kind)) return kind;
  return fail(Errc::invalid_input, "a flag is dealt by tenant, user or request, not by " + name);
}

Result<Change> flag_from(const Json& json) {
  policy::Flag flag;
  flag.name = get_string(json, "name");
  auto unit = unit_from(get_string(json, "unit", "tenant"));
  if (!unit) return std::unexpected(unit.error());
  flag.unit = *unit;
  const auto* percent = find(json, "percent");
  if (percent != nullptr && !percent->is_number())
    return fail(Errc::invalid_input, "a flag's percent is a number from 0 to 100");
  flag.percent = get_double(json, "percent");
  flag.allow = texts_from(json, "allow");
  flag.deny = texts_from(json, "deny");
  flag.order = order_from(json);
  flag.stamp = stamp_from(json, "stamp");
  return flag;
}

Result<Change> share_from(const Json& json) {
  auto state = policy::rollout_state_from(get_string(json, "state"));
  if (!state) return fail(Errc::invalid_input, "a rollout is running, halted, rolled_back or done");
  return policy::Share{get_string(json, "name"),
                       get_double(json, "share"),
                       static_cast<std::uint32_t>(get_int(json, "stage")),
                       *state,
                       order_from(json),
                       stamp_from(json, "stamp")};
}

Result<Change> unchecked_from(const Json& json) {
  auto kind = get_string(json, "kind");
  if (kind == "stop") return stop_from(json);
  if (kind == "flag") return flag_from(json);
  if (kind == "share") return share_from(json);
  return fail(Errc::invalid_input, "an order is a stop, a flag or a share");
}

}  // namespace

Json to_json(const Change& change) {
  return std::visit(Overloaded{[](const policy::Stop& stop) { return stop_json(stop); },
                               [](const policy::Flag& flag) { return flag_json(flag); },
                               [](const policy::Share& share) { return share_json(share); }},
                    change);
}

Result<Change> change_from(const Json& json) {
  auto change = unchecked_from(json);
  if (!change) return change;
  if (auto bad = policy::validate(*change)) return fail(Errc::invalid_input, *bad);
  return change;
}

journal::ControlRow control_row(const Change& change) {
  auto name = policy::name_of(change);
  const auto& stamp = policy::stamp_of(change);
  const auto& order = policy::order_of(change);
  return {name.kind, name.subject, stamp.epoch, stamp.node, dump_json(to_json(change)),
          order.who, order.why,    order.at};
}

Restored restore_controls(const std::vector<journal::ControlRow>& rows) {
  Restored out;
  for (const auto& row : rows) {
    auto json = parse_json(row.body);
    auto change = json ? change_from(*json) : std::unexpected(json.error());
    if (change)
      policy::absorb(out.controls, *change);
    else
      ++out.unreadable;
  }
  return out;
}

Json controls_json(const policy::Controls& controls, WallTime wall) {
  Json out{{"epoch", controls.epoch},
           {"stops", Json::array()},
           {"flags", Json::array()},
           {"shares", Json::array()}};
  for (const auto& stop : controls.stops) {
    auto line = stop_json(stop);
    line["holds"] = stop.holds(wall);
    out["stops"].push_back(std::move(line));
  }
  for (const auto& flag : controls.flags) {
    auto line = flag_json(flag);
    line["stopped"] = controls.stopped(policy::Subject::flag, flag.name, wall) != nullptr;
    out["flags"].push_back(std::move(line));
  }
  for (const auto& share : controls.shares) out["shares"].push_back(share_json(share));
  return out;
}

Json to_json(const journal::ControlRow& row) {
  return {{"at", to_iso8601(row.at)}, {"kind", row.kind}, {"subject", row.subject}, {"epoch", row.epoch},
          {"node", row.node},         {"who", row.who},   {"why", row.why}};
}

}  // namespace troupe::actors
