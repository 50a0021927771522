#include "actors/decision_record.hpp"

#include "actors/choosing.hpp"
#include "actors/explain.hpp"
#include "runtime/protocol/fields.hpp"

#include <algorithm>
#include <optional>
#include <type_traits>

namespace troupe::actors {
namespace {

using policy::EndpointFacts;
using policy::HealthView;

/// Of the record; one more whenever its members change.
constexpr std::uint64_t kFormat = 4;

// What routing reads, once for both directions.

template <class V>
void members(V& v, HealthView& x) {
  v("state", x.state), v("reason", x.reason), v("share", x.share), v("error_share", x.error_share);
  v("ttft_p50", x.ttft_p50), v("ttft_p90", x.ttft_p90), v("itl_p50", x.itl_p50), v("itl_p90", x.itl_p90);
  v("total_p50", x.total_p50), v("total_p90", x.total_p90), v("measured", x.measured);
  v("ttft_slow", x.ttft_slow);
  v("cool_until", x.cool_until), v("throttled_until", x.throttled_until), v("reachable", x.reachable);
  v("in_flight", x.in_flight), v("in_flight_max", x.in_flight_max);
  v("input_headroom", x.input_headroom), v("output_headroom", x.output_headroom), v("proven", x.proven);
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
  v("needs", x.needs), v("prefix", x.prefix), v("lead", x.lead), v("candidates", x.candidates);
}
template <class V>
void members(V& v, policy::Choice& x) {
  v("weak", x.weak), v("strong", x.strong), v("threshold", x.threshold), v("difficulty", x.difficulty);
  v("overruled", x.overruled);
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

/// Members one after the other, without names: the format's number says which they are.
class MemberWriter {
 public:
  explicit MemberWriter(protocol::Writer& out) : out_(out) {}
  template <class T>
  void operator()(const char*, T& value) {
    write(value);
  }

  void write(bool value) { out_.boolean(value); }
  void write(const std::string& value) { out_.text(value); }
  void write(WallTime value) { out_.integer(value.ms); }
  void write(Duration value) { out_.integer(value.count()); }
  void write(double value) { out_.real(value); }
  template <class T>
  requires(std::is_unsigned_v<T> && !std::is_same_v<T, bool>) void write(T value) {
    out_.unsigned_integer(value);
  }
  template <class T>
  requires std::is_enum_v<T>
  void write(T value) { out_.unsigned_integer(static_cast<std::uint64_t>(value)); }
  template <class T>
  void write(std::optional<T>& value) {
    value ? write(*value) : out_.nil();
  }
  template <class T>
  void write(std::vector<T>& values) {
    out_.array(values.size());
    for (auto& value : values) write(value);
  }
  template <class T>
  requires requires(MemberWriter& v, T& x) { members(v, x); }
  void write(T& value) { members(*this, value); }

 private:
  protocol::Writer& out_;
};

/// The first thing that does not fit fails the whole.
class MemberReader {
 public:
  explicit MemberReader(protocol::Reader& in) : in_(in) {}
  template <class T>
  void operator()(const char*, T& value) {
    read(value);
  }

  void read(bool& value) { value = in_.boolean(); }
  void read(std::string& value) { value = in_.text(); }
  void read(WallTime& value) { value.ms = in_.integer(); }
  void read(Duration& value) { value = Duration(in_.integer()); }
  void read(double& value) { value = in_.real(); }
  template <class T>
  requires(std::is_unsigned_v<T> && !std::is_same_v<T, bool>) void read(T& value) {
    auto number = in_.unsigned_integer();
    value = static_cast<T>(number);
    if (value != number) in_.fail();
  }
  template <class T>
  requires std::is_enum_v<T>
  void read(T& value) { value = protocol::read_enum(in_, last_of(value)); }
  template <class T>
  void read(std::optional<T>& value) {
    protocol::read_optional(in_, value, [this](auto&, T& each) { read(each); });
  }
  template <class T>
  void read(std::vector<T>& values) {
    protocol::read_list(in_, values, [this](auto&, T& each) { read(each); });
  }
  template <class T>
  requires requires(MemberReader& v, T& x) { members(v, x); }
  void read(T& value) { members(*this, value); }

 private:
  protocol::Reader& in_;
};

bool by_order(const policy::PassedOver& passed) {
  return passed.remark.note == policy::Note::stopped || passed.remark.note == policy::Note::not_signed_off;
}

/// A record, as values.
struct Recorded {
  policy::RouteRules rules;
  policy::RoutePolicy policy;
  policy::RouteRequest request;
  std::vector<std::uint32_t> barred;
  WallTime wall;
  policy::RoutePlan plan;
  std::optional<policy::Choice> choice;
  std::vector<EndpointFacts> facts;
  std::vector<std::optional<HealthView>> health;

  bool sound() const {
    auto known = [this](const auto& each) { return each.endpoint < facts.size(); };
    return !facts.empty() && facts.size() == health.size() && std::ranges::all_of(plan.order, known) &&
           std::ranges::all_of(plan.passed_over, known);
  }
};

/// All but facts and health, which follow.
template <class V>
void members(V& v, Recorded& x) {
  v("rules", x.rules), v("policy", x.policy), v("request", x.request), v("barred", x.barred);
  v("at", x.wall), v("order", x.plan.order), v("passed_over", x.plan.passed_over), v("choice", x.choice);
}

Result<Recorded> read_record(std::string_view bytes) {
  protocol::Reader in(bytes);
  MemberReader reader(in);
  Recorded recorded;
  if (in.unsigned_integer() != kFormat) in.fail();
  reader.read(recorded);
  reader.read(recorded.facts);
  reader.read(recorded.health);
  if (!in.ok() || !in.rest().empty() || !recorded.sound())
    return fail(Errc::invalid_input, "this is no decision that this build has recorded");
  return recorded;
}

// Those passed over on an order's word count as barred: the order itself is not part of the record.
bool same_choice(const policy::RoutePlan& then, const policy::RoutePlan& now) {
  if (then.order != now.order) return false;
  for (const auto& passed : then.passed_over)
    if (!by_order(passed) && std::ranges::find(now.passed_over, passed) == now.passed_over.end())
      return false;
  return then.passed_over.size() == now.passed_over.size();
}

// The lead that the choice gives again from the difficulty that was found is the one the request had.
bool same_lead(const Recorded& recorded) {
  const auto& choice = recorded.choice;
  return !choice || choice->overruled || recorded.request.lead == choice->lead();
}

}  // namespace

template <class T>
const std::string& DecisionRecorder::pack(Packed& kept, const std::shared_ptr<const T>& value) {
  if (!kept.bytes.empty() && kept.of == value) return kept.bytes;
  kept.of = value;
  protocol::Writer out;
  auto copy = value ? std::optional(*value) : std::nullopt;
  copy ? MemberWriter(out).write(*copy) : out.nil();
  kept.bytes = std::move(out).take();
  return kept.bytes;
}

std::string DecisionRecorder::record(const policy::DecisionSink::Decision& decision,
                                     const policy::Choice* choice) {
  const auto& router = decision.router;
  Recorded recorded{
      router.rules(), router.policy(), decision.request, {}, decision.wall, decision.plan, {}, {}, {}};
  if (choice != nullptr) recorded.choice = *choice;
  recorded.barred.assign(decision.barred.begin(), decision.barred.end());
  protocol::Writer out;
  out.unsigned_integer(kFormat);
  MemberWriter(out).write(recorded);
  facts_.resize(router.size());
  health_.resize(router.size());
  out.array(router.size());
  for (std::size_t i = 0; i < router.size(); ++i) out.packed(pack(facts_[i], router.facts_ptr(i)));
  out.array(router.size());
  for (std::size_t i = 0; i < router.size(); ++i) out.packed(pack(health_[i], router.health_ptr(i)));
  return std::move(out).take();
}

Result<DecisionMadeAgain> make_again(std::string_view record) {
  auto read = read_record(record);
  if (!read) return std::unexpected(read.error());
  auto& recorded = *read;
  policy::Router router(recorded.rules, recorded.policy);
  std::vector<policy::FactsPtr> facts;
  for (const auto& each : recorded.facts) facts.push_back(std::make_shared<const EndpointFacts>(each));
  router.set_endpoints(std::move(facts));
  for (std::size_t i = 0; i < recorded.health.size(); ++i)
    if (recorded.health[i]) router.set_health(i, std::make_shared<const HealthView>(*recorded.health[i]));
  for (const auto& passed : recorded.plan.passed_over)
    if (by_order(passed)) recorded.barred.push_back(passed.endpoint);
  policy::RoutePlan again;
  router.plan(recorded.request, recorded.barred, recorded.wall, again);
  policy::CallFacts call;
  call.input_tokens = recorded.request.input_tokens;
  call.output_tokens = recorded.request.output_tokens;
  auto explanation = parse_json(explain_route(router, call, recorded.plan));
  if (!explanation) return std::unexpected(explanation.error());
  DecisionMadeAgain made{std::move(*explanation), same_lead(recorded) && same_choice(recorded.plan, again)};
  if (recorded.choice) made.explanation["choice"] = choice_json(*recorded.choice, recorded.rules.hierarchy);
  made.explanation["at"] = recorded.wall.ms;
  made.explanation["draw"] = recorded.request.draw;
  made.explanation["same"] = made.same;
  return made;
}

}  // namespace troupe::actors
