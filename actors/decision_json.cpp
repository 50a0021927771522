#include "actors/decision_json.hpp"

#include "actors/explain.hpp"

#include <algorithm>
#include <cmath>
#include <type_traits>

namespace troupe::actors {
namespace {

using policy::EndpointFacts;
using policy::HealthView;

// What routing reads, once for both directions.

template <class V>
void members(V& v, HealthView& x) {
  v("state", x.state), v("reason", x.reason), v("share", x.share), v("error_share", x.error_share);
  v("ttft_p50", x.ttft_p50), v("ttft_p90", x.ttft_p90), v("itl_p50", x.itl_p50), v("itl_p90", x.itl_p90);
  v("total_p50", x.total_p50), v("total_p90", x.total_p90), v("measured", x.measured);
  v("cool_until", x.cool_until), v("throttled_until", x.throttled_until), v("reachable", x.reachable);
  v("in_flight", x.in_flight), v("in_flight_max", x.in_flight_max);
  v("input_headroom", x.input_headroom), v("output_headroom", x.output_headroom);
}
template <class V>
void members(V& v, policy::Price& x) {
  v("input", x.input), v("output", x.output);
}
template <class V>
void members(V& v, policy::Needs& x) {
  v("tools", x.tools), v("images", x.images), v("schema", x.schema);
}
template <class V>
void members(V& v, EndpointFacts& x) {
  v("id", x.id), v("provider", x.provider), v("region", x.region), v("model", x.model), v("kind", x.kind);
  v("price", x.price), v("context_tokens_max", x.context_tokens_max), v("boundary", x.boundary);
  v("output_tokens_max", x.output_tokens_max), v("offers", x.offers);
}
template <class V>
void members(V& v, policy::ScoreWeights& x) {
  v("latency", x.latency), v("price", x.price), v("errors", x.errors), v("distance", x.distance);
  v("affinity", x.affinity);
}
template <class V>
void members(V& v, policy::RoutePolicy& x) {
  v("fallback", x.fallback), v("spillover", x.spillover), v("attempts_max", x.attempts_max);
  v("headroom_factor", x.headroom_factor), v("backup_trickle_max", x.backup_trickle_max);
  v("pools", x.pools), v("quality_margin", x.quality_margin), v("explore_after", x.explore_after);
  v("explore_share", x.explore_share), v("weights_by_class", x.weights_by_class), v("weights", x.weights);
}
template <class V>
void members(V& v, policy::QualityScore& x) {
  v("model", x.model), v("lower", x.lower), v("expires", x.expires);
}
template <class V>
void members(V& v, policy::Divert& x) {
  v("model", x.model), v("input_tokens_min", x.input_tokens_min), v("input_tokens_max", x.input_tokens_max);
  v("output_tokens_max", x.output_tokens_max);
}
template <class V>
void members(V& v, policy::RouteRules& x) {
  v("feature", x.feature), v("hierarchy", x.hierarchy), v("boundary", x.boundary), v("class", x.work_class);
  v("quality", x.quality), v("diverts", x.diverts), v("region", x.region);
}
template <class V>
void members(V& v, policy::RouteRequest& x) {
  v("boundary", x.boundary), v("tenant", x.tenant), v("input_tokens", x.input_tokens);
  v("output_tokens", x.output_tokens), v("output_tokens_max", x.output_tokens_max);
  v("deadline", x.deadline), v("draw", x.draw), v("trickle_allowed", x.trickle_allowed);
  v("needs", x.needs), v("prefix", x.prefix), v("lead", x.lead);
}
template <class V>
void members(V& v, policy::Remark& x) {
  v("note", x.note), v("also", x.also), v("a", x.a), v("b", x.b), v("score", x.score);
}
template <class V>
void members(V& v, policy::Planned& x) {
  v("endpoint", x.endpoint), v("cause", x.cause), v("remark", x.remark);
}
template <class V>
void members(V& v, policy::PassedOver& x) {
  v("endpoint", x.endpoint), v("remark", x.remark);
}

policy::BreakerState last_of(policy::BreakerState) { return policy::BreakerState::partial; }
policy::TripReason last_of(policy::TripReason) { return policy::kLastTripReason; }
policy::CapacityKind last_of(policy::CapacityKind) { return policy::CapacityKind::on_demand; }
policy::Pools last_of(policy::Pools) { return policy::Pools::on_demand_only; }
policy::WorkClass last_of(policy::WorkClass) { return policy::WorkClass::batch; }
policy::Note last_of(policy::Note) { return policy::Note::explored; }
Cause last_of(Cause) { return Cause::judge; }

class MemberWriter {
 public:
  explicit MemberWriter(Json& out) : out_(out) {}
  template <class T>
  void operator()(const char* name, T& value) {
    out_[name] = written(value);
  }

  static Json written(bool value) { return value; }
  static Json written(const std::string& value) { return value; }
  static Json written(WallTime value) { return value.ms; }
  static Json written(Duration value) { return value.count(); }
  // JSON has no infinity; headroom beyond all needs is as good.
  static Json written(double value) { return std::isfinite(value) ? value : 1e300; }
  template <class T>
  requires(std::is_integral_v<T> && !std::is_same_v<T, bool>) static Json written(T value) { return value; }
  template <class T>
  requires std::is_enum_v<T>
  static Json written(T value) { return static_cast<int>(value); }
  template <class T>
  static Json written(std::optional<T>& value) {
    return value ? written(*value) : Json();
  }
  template <class T>
  static Json written(std::vector<T>& values) {
    auto out = Json::array();
    for (auto& value : values) out.push_back(written(value));
    return out;
  }
  template <class T>
  requires requires(MemberWriter& v, T& x) { members(v, x); }
  static Json written(T& value) {
    Json out = Json::object();
    MemberWriter below(out);
    members(below, value);
    return out;
  }

 private:
  Json& out_;
};

/// What is missing or of another type keeps its default: such a document gives another plan, and says so.
class MemberReader {
 public:
  explicit MemberReader(const Json& in) : in_(in) {}
  template <class T>
  void operator()(const char* name, T& value) {
    if (auto it = in_.find(name); it != in_.end()) read(*it, value);
  }

  static void read(const Json& in, bool& value) {
    if (in.is_boolean()) value = in.get<bool>();
  }
  static void read(const Json& in, std::string& value) {
    if (in.is_string()) value = in.get<std::string>();
  }
  static void read(const Json& in, WallTime& value) { read(in, value.ms); }
  static void read(const Json& in, Duration& value) {
    std::int64_t count = value.count();
    read(in, count);
    value = Duration(count);
  }
  static void read(const Json& in, double& value) {
    if (in.is_number()) value = in.get<double>();
  }
  template <class T>
  requires(std::is_integral_v<T> && !std::is_same_v<T, bool>) static void read(const Json& in, T& value) {
    if (in.is_number_integer()) value = in.get<T>();
  }
  template <class T>
  requires std::is_enum_v<T>
  static void read(const Json& in, T& value) {
    if (!in.is_number_unsigned()) return;
    auto number = in.get<std::uint64_t>();
    if (number <= static_cast<std::uint64_t>(last_of(value))) value = static_cast<T>(number);
  }
  template <class T>
  static void read(const Json& in, std::optional<T>& value) {
    if (in.is_null()) return;
    value.emplace();
    read(in, *value);
  }
  template <class T>
  static void read(const Json& in, std::vector<T>& values) {
    if (!in.is_array()) return;
    for (const auto& each : in) read(each, values.emplace_back());
  }
  template <class T>
  requires requires(MemberReader& v, T& x) { members(v, x); }
  static void read(const Json& in, T& value) {
    if (!in.is_object()) return;
    MemberReader below(in);
    members(below, value);
  }

 private:
  const Json& in_;
};

bool by_order(const policy::PassedOver& passed) {
  return passed.remark.note == policy::Note::stopped || passed.remark.note == policy::Note::not_signed_off;
}

/// A decision's document, as values.
struct Recorded {
  policy::RouteRules rules;
  policy::RoutePolicy policy;
  policy::RouteRequest request;
  std::vector<std::uint32_t> barred;
  WallTime wall;
  std::vector<EndpointFacts> facts;
  policy::RoutePlan plan;

  bool sound() const {
    auto known = [this](const auto& each) { return each.endpoint < facts.size(); };
    return !facts.empty() && std::ranges::all_of(plan.order, known) &&
           std::ranges::all_of(plan.passed_over, known);
  }
};

template <class V>
void members(V& v, Recorded& x) {
  v("rules", x.rules), v("policy", x.policy), v("request", x.request), v("barred", x.barred);
  v("at", x.wall), v("endpoints", x.facts), v("order", x.plan.order), v("passed_over", x.plan.passed_over);
}

// Those passed over on an order's word count as barred: the order itself is not part of the record.
bool same_choice(const policy::RoutePlan& then, const policy::RoutePlan& now) {
  if (then.order != now.order) return false;
  for (const auto& passed : then.passed_over)
    if (!by_order(passed) && std::ranges::find(now.passed_over, passed) == now.passed_over.end())
      return false;
  return then.passed_over.size() == now.passed_over.size();
}

}  // namespace

std::string decision_json(const policy::DecisionSink::Decision& decision) {
  const auto& router = decision.router;
  Recorded recorded{router.rules(), router.policy(), decision.request, {}, decision.wall, {}, decision.plan};
  recorded.barred.assign(decision.barred.begin(), decision.barred.end());
  auto health = Json::array();
  for (std::size_t i = 0; i < router.size(); ++i) {
    recorded.facts.push_back(router.facts(i));
    const auto* view = router.health(i);
    auto copy = view != nullptr ? *view : HealthView{};
    health.push_back(view != nullptr ? MemberWriter::written(copy) : Json());
  }
  auto out = MemberWriter::written(recorded);
  out["health"] = std::move(health);
  return dump_json(out);
}

Result<DecisionMadeAgain> make_again(std::string_view json) {
  auto parsed = parse_json(json);
  if (!parsed) return std::unexpected(parsed.error());
  Recorded recorded;
  MemberReader::read(*parsed, recorded);
  auto health = parsed->find("health");
  bool whole = health != parsed->end() && health->is_array() && health->size() == recorded.facts.size();
  if (!whole || !recorded.sound()) return fail(Errc::invalid_input, "this is no recorded decision");
  policy::Router router(recorded.rules, recorded.policy);
  std::vector<policy::FactsPtr> facts;
  for (const auto& each : recorded.facts) facts.push_back(std::make_shared<const EndpointFacts>(each));
  router.set_endpoints(std::move(facts));
  for (std::size_t i = 0; i < health->size(); ++i) {
    if ((*health)[i].is_null()) continue;
    auto view = std::make_shared<HealthView>();
    MemberReader::read((*health)[i], *view);
    router.set_health(i, std::move(view));
  }
  for (const auto& passed : recorded.plan.passed_over)
    if (by_order(passed)) recorded.barred.push_back(passed.endpoint);
  policy::RoutePlan again;
  router.plan(recorded.request, recorded.barred, recorded.wall, again);
  policy::CallFacts call;
  call.input_tokens = recorded.request.input_tokens;
  call.output_tokens = recorded.request.output_tokens;
  auto explanation = parse_json(explain_route(router, call, recorded.plan));
  if (!explanation) return std::unexpected(explanation.error());
  DecisionMadeAgain made{std::move(*explanation), same_choice(recorded.plan, again)};
  made.explanation["at"] = recorded.wall.ms;
  made.explanation["draw"] = recorded.request.draw;
  made.explanation["same"] = made.same;
  return made;
}

}  // namespace troupe::actors
