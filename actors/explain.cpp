#include "actors/explain.hpp"

#include "runtime/json/json.hpp"

namespace troupe::actors {
namespace {

Json endpoint_json(const policy::Candidate& candidate) {
  const auto& facts = *candidate.facts;
  Json out;
  out["endpoint"] = facts.id;
  out["model"] = facts.model;
  out["provider"] = facts.provider;
  out["region"] = facts.region;
  out["kind"] = to_string(facts.kind);
  out["state"] = to_string(candidate.health->state);
  return out;
}

}  // namespace

std::string explain_route(const policy::RouteRequest& request, std::span<const policy::Candidate> candidates,
                          const policy::RoutePlan& plan) {
  Json out;
  out["feature"] = request.feature;
  out["hierarchy"] = request.hierarchy;
  out["input_tokens"] = request.input_tokens;
  out["output_tokens"] = request.output_tokens;
  out["plan"] = Json::array();
  for (const auto& planned : plan.order) {
    auto item = endpoint_json(candidates[planned.endpoint]);
    item["cause"] = to_string(planned.cause);
    item["reason"] = planned.reason;
    out["plan"].push_back(std::move(item));
  }
  out["passed_over"] = Json::array();
  for (const auto& passed : plan.passed_over) {
    auto item = endpoint_json(candidates[passed.endpoint]);
    item["reason"] = passed.reason;
    out["passed_over"].push_back(std::move(item));
  }
  if (plan.wait) out["wait_ms"] = std::chrono::duration_cast<std::chrono::milliseconds>(*plan.wait).count();
  return dump_json(out);
}

}  // namespace troupe::actors
