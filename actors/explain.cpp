#include "actors/explain.hpp"

#include "runtime/json/json.hpp"

namespace troupe::actors {
namespace {

Json place_json(const policy::Router& router, std::uint32_t endpoint, const policy::Remark& remark) {
  const auto& facts = router.facts(endpoint);
  const auto* health = router.health(endpoint);
  Json out;
  out["endpoint"] = facts.id;
  out["model"] = facts.model;
  out["provider"] = facts.provider;
  out["region"] = facts.region;
  out["kind"] = to_string(facts.kind);
  out["state"] = health != nullptr ? to_string(health->state) : "unknown";
  out["reason"] = policy::words_of(remark, facts, health);
  if (remark.score > 0) out["score"] = remark.score;
  return out;
}

}  // namespace

std::string explain_route(const policy::Router& router, const policy::CallFacts& call,
                          const policy::RoutePlan& plan) {
  Json out;
  out["feature"] = router.rules().feature;
  out["hierarchy"] = router.rules().hierarchy;
  out["input_tokens"] = call.input_tokens;
  out["output_tokens"] = call.output_tokens;
  out["output_tokens_max"] = call.output_tokens_max;
  out["plan"] = Json::array();
  for (const auto& planned : plan.order) {
    auto item = place_json(router, planned.endpoint, planned.remark);
    item["cause"] = to_string(planned.cause);
    out["plan"].push_back(std::move(item));
  }
  out["passed_over"] = Json::array();
  for (const auto& passed : plan.passed_over)
    out["passed_over"].push_back(place_json(router, passed.endpoint, passed.remark));
  if (plan.wait) out["wait_ms"] = std::chrono::duration_cast<std::chrono::milliseconds>(*plan.wait).count();
  return dump_json(out);
}

}  // namespace troupe::actors
