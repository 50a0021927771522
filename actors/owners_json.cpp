#include "actors/owners_json.hpp"

namespace troupe::actors {

Json to_json(const policy::Claims& claims) {
  auto endpoints = Json::object();
  for (const auto& [id, claim] : claims.endpoints) {
    Json line{{"named", claim.named}};
    if (claim.since) line["since_ms"] = claim.since->ms;
    endpoints[id] = std::move(line);
  }
  return {{"said", claims.said}, {"heard", claims.heard}, {"endpoints", std::move(endpoints)}};
}

std::optional<policy::Claims> claims_from(const Json& json) {
  const auto* said = find(json, "said");
  const auto* heard = find(json, "heard");
  const auto* endpoints = find(json, "endpoints");
  if (said == nullptr || !said->is_number_unsigned() || heard == nullptr || !heard->is_number_unsigned() ||
      endpoints == nullptr || !endpoints->is_object())
    return std::nullopt;
  policy::Claims out{said->get<std::uint64_t>(), heard->get<std::uint64_t>(), {}};
  for (const auto& [id, line] : endpoints->items()) {
    if (!line.is_object()) return std::nullopt;
    auto& claim = out.endpoints[id];
    claim.named = get_bool(line, "named");
    if (find(line, "since_ms") != nullptr) claim.since = WallTime{get_int(line, "since_ms")};
  }
  return out;
}

}  // namespace troupe::actors
