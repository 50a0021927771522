#include "actors/rollout_json.hpp"

#include <cmath>

namespace troupe::actors {
namespace {

Json moments_json(const policy::Moments& of) { return Json::array({of.n, of.mean, of.m2}); }

bool read_moments(const Json* json, policy::Moments& out) {
  if (json == nullptr || !json->is_array() || json->size() != 3) return false;
  for (const auto& each : *json)
    if (!each.is_number()) return false;
  out = {(*json)[0].get<double>(), (*json)[1].get<double>(), (*json)[2].get<double>()};
  return std::isfinite(out.n) && std::isfinite(out.mean) && std::isfinite(out.m2) && out.n >= 0 &&
         out.m2 >= 0;
}

}  // namespace

Json to_json(const policy::SideEvidence& side) {
  return {{"failed", moments_json(side.failed)},       {"log_ttft", moments_json(side.log_ttft)},
          {"log_total", moments_json(side.log_total)}, {"usd", moments_json(side.usd)},
          {"quality", moments_json(side.quality)},     {"preference", moments_json(side.preference)}};
}

std::optional<policy::SideEvidence> side_from(const Json* json) {
  if (json == nullptr) return std::nullopt;
  policy::SideEvidence out;
  bool whole = read_moments(find(*json, "failed"), out.failed) &&
               read_moments(find(*json, "log_ttft"), out.log_ttft) &&
               read_moments(find(*json, "log_total"), out.log_total) &&
               read_moments(find(*json, "usd"), out.usd) && read_moments(find(*json, "quality"), out.quality);
  // A node of an older build does not say it.
  const auto* preference = find(*json, "preference");
  whole = whole && (preference == nullptr || read_moments(preference, out.preference));
  return whole ? std::optional(out) : std::nullopt;
}

Json rollout_json(const policy::RolloutRule& rule, const policy::Controls& controls, WallTime wall) {
  Json out{{"rollout", rule.name}, {"feature", rule.feature}, {"model", rule.model}};
  const auto* share = controls.share_of(rule.name);
  out["state"] = share != nullptr ? to_string(share->state) : "not begun";
  out["share"] = share != nullptr ? share->share : 0.0;
  out["stage"] = share != nullptr ? share->stage : 0;
  if (share != nullptr) out["why"] = share->order.why;
  if (const auto* stop = controls.stopped(policy::Subject::rollout, rule.name, wall)) {
    out["state"] = "stopped";
    out["why"] = policy::to_text(*stop);
  }
  return out;
}

Json gates_json(const std::vector<policy::GateReading>& gates) {
  Json out = Json::array();
  for (const auto& each : gates)
    out.push_back({{"gate", each.gate},
                   {"state", to_string(each.state)},
                   {"difference", each.difference.estimate},
                   {"low", each.difference.low},
                   {"high", each.difference.high},
                   {"margin", each.margin}});
  return out;
}

}  // namespace troupe::actors
