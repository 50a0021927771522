// Which candidates may serve a request at all, and how the rest stands: the first half of routing.
#include "runtime/policy/controls.hpp"
#include "runtime/policy/router.hpp"

#include "runtime/base/clock.hpp"
#include "runtime/base/rng.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <numeric>

namespace troupe::policy {
namespace {

Duration until(WallTime then, WallTime wall) {
  return std::chrono::milliseconds(std::max<std::int64_t>(0, then.ms - wall.ms));
}

std::uint8_t pool_of(CapacityKind kind, const RoutePolicy& policy, WorkClass work_class) {
  bool demand_first = policy.pools == Pools::on_demand_first ||
                      (policy.pools == Pools::by_class && work_class == WorkClass::batch);
  return (kind == CapacityKind::reserved) == demand_first ? 1 : 0;
}

bool pool_used(CapacityKind kind, Pools pools) {
  if (pools == Pools::reserved_only) return kind == CapacityKind::reserved;
  return pools != Pools::on_demand_only || kind == CapacityKind::on_demand;
}

}  // namespace

Router::Router(RouteRules rules, RoutePolicy policy)
    : rules_(std::move(rules)),
      policy_(policy),
      weights_(policy.weights_by_class ? usual_weights(rules_.work_class) : policy.weights) {}

void Router::set_endpoints(std::vector<FactsPtr> endpoints) {
  candidates_.clear();
  std::vector<const std::string*> providers, regions;
  auto number = [](std::vector<const std::string*>& names, const std::string& name) {
    auto it = std::ranges::find_if(names, [&](const auto* each) { return *each == name; });
    if (it == names.end()) it = names.insert(it, &name);
    return static_cast<std::uint32_t>(it - names.begin());
  };
  for (auto& facts : endpoints) {
    Candidate candidate;
    candidate.facts = std::move(facts);
    compile(candidate);
    candidate.provider = number(providers, candidate.facts->provider);
    candidate.region = number(regions, candidate.facts->region);
    candidates_.push_back(std::move(candidate));
  }
  note_orders();
  options_.reserve(candidates_.size());
}

void Router::compile(Candidate& candidate) const {
  const auto& facts = *candidate.facts;
  auto place = std::ranges::find(rules_.hierarchy, facts.model);
  candidate.place = static_cast<std::uint32_t>(place - rules_.hierarchy.begin());
  candidate.context_tokens_max = facts.context_tokens_max;
  candidate.output_tokens_max = facts.output_tokens_max;
  candidate.reserved = facts.kind == CapacityKind::reserved;
  candidate.offers = facts.offers;
  candidate.input_price = facts.price.input;
  candidate.output_price = facts.price.output;
  candidate.pool = pool_of(facts.kind, policy_, rules_.work_class);
  bool near = rules_.region.empty() || rules_.region == facts.region;
  candidate.distance = near ? 0 : weights_.distance;
  candidate.hash = stable_hash(facts.id);
  if (candidate.place == rules_.hierarchy.size()) {
    candidate.misfit = Note::other_model;
  } else if (!rules_.boundary.empty() && facts.boundary != rules_.boundary) {
    candidate.misfit = Note::outside_boundary;
  } else if (!pool_used(facts.kind, policy_.pools)) {
    candidate.misfit = Note::pool_not_used;
  }
}

void Router::set_controls(ControlsPtr controls) {
  controls_ = std::move(controls);
  note_orders();
}

// Orders are few and requests many: a request looks only at candidates that one may be about.
void Router::note_orders() {
  for (auto& candidate : candidates_) {
    const auto& facts = *candidate.facts;
    candidate.watched =
        controls_ && controls_->names({rules_.feature, {}, facts.model, facts.id, facts.provider});
  }
}

bool Router::tenant_watched(std::string_view tenant) const {
  return controls_ && controls_->names({.tenant = tenant});
}

/// For good: no time and no health makes this candidate serve this request (C8, E8, B4, C15).
Remark Router::misfit(const RouteRequest& request, const Candidate& candidate, bool watched,
                      WallTime wall) const {
  if (candidate.misfit != Note::none) return {candidate.misfit};
  if (!request.boundary.empty() && candidate.facts->boundary != request.boundary)
    return {Note::outside_boundary};
  auto wanted = static_cast<double>(request.output_tokens_max);
  if (request.output_tokens_max > candidate.output_tokens_max)
    return {Note::output_too_long, Note::none, static_cast<double>(candidate.output_tokens_max), wanted};
  // Compared without a sum, which huge requests would overflow.
  if (request.input_tokens > candidate.context_tokens_max ||
      request.output_tokens_max > candidate.context_tokens_max - request.input_tokens)
    return {Note::window_too_small, Note::none, static_cast<double>(request.input_tokens), wanted};
  if (!request.needs.within(candidate.offers)) return {Note::lacks_ability};
  return {ban(candidate, request.tenant, watched, wall)};
}

Note Router::ban(const Candidate& candidate, std::string_view tenant, bool watched, WallTime wall) const {
  if (!controls_) return Note::none;
  if (!watched && !candidate.watched && rules_.data_class.empty()) return Note::none;
  const auto& facts = *candidate.facts;
  Target target{rules_.feature, tenant, facts.model, facts.id, facts.provider};
  if (controls_->stopped_by(target, wall) != nullptr) return Note::stopped;
  bool unsigned_for = controls_->missing_sign_off(target, rules_.data_class, wall).has_value();
  return unsigned_for ? Note::not_signed_off : Note::none;
}

Note Router::ban(std::size_t endpoint, std::string_view tenant, WallTime wall) const {
  return ban(candidates_[endpoint], tenant, tenant_watched(tenant), wall);
}

/// For now: sick, silent or told to wait. `a`: seconds until it may be asked again, 0: unknown.
Remark Router::ailment(const Candidate& candidate, WallTime wall) const {
  const auto* health = candidate.health.get();
  if (health == nullptr) return {Note::health_unknown};
  if (!health->reachable) return {Note::unreachable};
  if (health->state == BreakerState::open)
    return {Note::breaker_open, Note::none,
            health->cool_until.ms == 0 ? 0 : seconds(until(health->cool_until, wall))};
  if (health->throttled_until > wall)
    return {Note::throttled, Note::none, seconds(until(health->throttled_until, wall))};
  return {};
}

Remark Router::crowding(const RouteRequest& request, const Vitals& vitals) const {
  if (vitals.in_flight_max > 0 && vitals.in_flight >= vitals.in_flight_max)
    return {Note::full, Note::none, static_cast<double>(vitals.in_flight)};
  double input = static_cast<double>(request.input_tokens) * policy_.headroom_factor;
  double output = static_cast<double>(request.output_tokens) * policy_.headroom_factor;
  if (vitals.input_headroom < input) return {Note::input_headroom, Note::none, vitals.input_headroom, input};
  if (vitals.output_headroom < output)
    return {Note::output_headroom, Note::none, vitals.output_headroom, output};
  if (request.deadline > Duration::zero() && vitals.total_p50 > seconds(request.deadline))
    return {Note::too_slow, Note::none, vitals.total_p50, seconds(request.deadline)};
  return {};
}

std::optional<std::size_t> Router::leader(const RouteRequest& request) const {
  if (request.lead && *request.lead < rules_.hierarchy.size()) return request.lead;
  for (const auto& divert : rules_.diverts) {
    bool fits = request.input_tokens >= divert.input_tokens_min &&
                request.input_tokens <= divert.input_tokens_max &&
                request.output_tokens_max <= divert.output_tokens_max;
    auto place = std::ranges::find(rules_.hierarchy, divert.model);
    if (fits && place != rules_.hierarchy.end())
      return static_cast<std::size_t>(place - rules_.hierarchy.begin());
  }
  return std::nullopt;
}

/// Where each model stands: by its quality's lower bound where one is valid, else by its place (E1).
void Router::rank_models(const RouteRequest& request, WallTime wall) {
  if (rules_.quality.empty() && rules_.diverts.empty() && !request.lead) {
    ranks_.resize(rules_.hierarchy.size());
    std::iota(ranks_.begin(), ranks_.end(), 0U);
    return;
  }
  constexpr auto unranked = ~0U;
  ranks_.assign(rules_.hierarchy.size(), unranked);
  auto lower = [&](std::size_t place) {
    for (const auto& score : rules_.quality)
      if (score.model == rules_.hierarchy[place] && score.expires > wall) return score.lower;
    return -1.0;
  };
  std::uint32_t rank = 0;
  for (bool scored = !rules_.quality.empty(); scored; ++rank) {
    double best = -1;
    for (std::size_t i = 0; i < ranks_.size(); ++i)
      if (ranks_[i] == unranked) best = std::max(best, lower(i));
    scored = best >= 0;
    for (std::size_t i = 0; scored && i < ranks_.size(); ++i)
      if (ranks_[i] == unranked && lower(i) >= std::max(best - policy_.quality_margin, 0.0)) ranks_[i] = rank;
  }
  for (auto& each : ranks_)
    if (each == unranked) each = rank++;
  auto lead = leader(request);
  if (!lead) return;
  for (auto& each : ranks_) ++each;
  ranks_[*lead] = 0;
}

void Router::screen(const RouteRequest& request, std::span<const std::uint32_t> barred, WallTime wall,
                    Scan& scan, RoutePlan& plan) {
  options_.clear();
  trials_ = 0;
  bool watched = tenant_watched(request.tenant);
  for (std::uint32_t i = 0; i < candidates_.size(); ++i) {
    const auto& candidate = candidates_[i];
    if (held_back(request, candidate)) continue;
    auto remark = misfit(request, candidate, watched, wall);
    if (remark.note == Note::none && std::ranges::find(barred, i) != barred.end()) remark = {Note::barred};
    bool well = candidate.vitals.well && candidate.vitals.throttled_until <= wall;
    if (remark.note == Note::none && !well) {
      remark = ailment(candidate, wall);
      if (remark.note != Note::none) note_sick(candidate, remark, scan);
    }
    if (remark.note != Note::none)
      plan.passed_over.push_back({i, remark});
    else
      admit(request, i, scan);
  }
  if (scan.reserved_throttled && !policy_.spillover) wait_for_reserved(plan);
}

bool Router::is_candidate(const RouteRequest& request, std::size_t place) {
  return place < kCandidatePlaces && (request.candidates >> place & 1) != 0;
}

bool Router::held_back(const RouteRequest& request, const Candidate& candidate) {
  return is_candidate(request, candidate.place) && request.lead != candidate.place;
}

/// Of those held back: closed and proven, or it is no help (B5).
bool Router::may_stand_in(const Candidate& candidate) {
  return candidate.health && candidate.health->proven && !candidate.vitals.trial;
}

/// Whom no rule sends this request to, when the others have been scored. How well they are says nothing to
/// the others' plan: neither a copy nor a probe there may change what a customer gets while anybody else can
/// be asked (B5).
void Router::screen_held_back(const RouteRequest& request, std::span<const std::uint32_t> barred,
                              WallTime wall, const Scan& scan, RoutePlan& plan) {
  bool watched = tenant_watched(request.tenant), waits = scan.reserved_throttled && !policy_.spillover;
  Scan apart;
  auto before = options_.size();
  for (std::uint32_t i = 0; i < candidates_.size(); ++i) {
    const auto& candidate = candidates_[i];
    if (!held_back(request, candidate)) continue;
    auto remark = misfit(request, candidate, watched, wall);
    if (remark.note == Note::none && std::ranges::find(barred, i) != barred.end()) remark = {Note::barred};
    if (remark.note == Note::none) remark = ailment(candidate, wall);
    if (remark.note == Note::none && (waits || !may_stand_in(candidate))) remark = {Note::held_back};
    if (remark.note != Note::none) {
      plan.passed_over.push_back({i, remark});
      continue;
    }
    admit(request, i, apart);
    options_.back().standing = Standing::held_back;
    if (options_.back().crowd == Note::none) options_.back().crowd = Note::held_back;
  }
  score(request, std::span(options_).subspan(before));
}

void Router::note_sick(const Candidate& candidate, const Remark& ill, Scan& scan) const {
  auto rank = ranks_[candidate.place];
  scan.sick_rank = std::min(scan.sick_rank, rank);
  bool throttled = ill.note == Note::throttled && candidate.reserved;
  if (throttled && candidate.pool == 0) scan.spilled_rank = std::min(scan.spilled_rank, rank);
  scan.reserved_throttled = scan.reserved_throttled || throttled;
  if (ill.note != Note::throttled && ill.a <= 0) return;
  auto wait = std::chrono::duration_cast<Duration>(from_seconds(ill.a));
  scan.wait = std::min(scan.wait.value_or(wait), wait);
}

void Router::admit(const RouteRequest& request, std::uint32_t index, Scan& scan) {
  const auto& candidate = candidates_[index];
  bool reserved = candidate.reserved;
  Remark crowd;
  if (!reserved || policy_.spillover) crowd = crowding(request, candidate.vitals);
  auto& option = options_.emplace_back();
  option.index = index;
  option.provider = candidate.provider;
  option.region = candidate.region;
  option.rank = ranks_[candidate.place];
  option.pool = candidate.pool;
  option.crowd = crowd.note;
  option.a = crowd.a;
  option.b = crowd.b;
  if (crowd.note != Note::none) option.standing = Standing::crowded;
  if (crowd.note != Note::none && reserved && candidate.pool == 0)
    scan.spilled_rank = std::min(scan.spilled_rank, option.rank);
  if (!candidate.vitals.trial) return;
  option.standing = Standing::trial;
  ++trials_;
}

/// With spillover off and reserved capacity told to wait, everything waits for it.
void Router::wait_for_reserved(RoutePlan& plan) {
  std::erase_if(options_, [&](const Option& option) {
    if (candidates_[option.index].facts->kind == CapacityKind::reserved) return false;
    plan.passed_over.push_back({option.index, {Note::waits_for_reserved}});
    return true;
  });
}

bool Router::hope(const RouteRequest& request, std::span<const std::uint32_t> barred, WallTime wall) const {
  auto left = std::chrono::duration_cast<std::chrono::milliseconds>(request.deadline).count();
  bool watched = tenant_watched(request.tenant);
  for (std::uint32_t i = 0; i < candidates_.size(); ++i) {
    const auto& candidate = candidates_[i];
    if (std::ranges::find(barred, i) != barred.end()) continue;
    if (misfit(request, candidate, watched, wall).note != Note::none) continue;
    if (held_back(request, candidate) && !may_stand_in(candidate)) continue;
    auto ill = ailment(candidate, wall);
    bool told = ill.note == Note::breaker_open || ill.note == Note::throttled;
    bool unknown = ill.note == Note::breaker_open && ill.a <= 0 && candidate.health->cool_until.ms == 0;
    if (!told || (!unknown && ill.a * 1e3 <= static_cast<double>(left))) return true;
  }
  return false;
}

}  // namespace troupe::policy
