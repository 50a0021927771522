// Which endpoints to try for a request, in which order, and why. Pure; no allocation once warm.
#pragma once

#include "runtime/policy/route.hpp"

namespace troupe::policy {

/// One feature's view of the fleet. Holds what is the same for every request, so that a plan over 64
/// endpoints costs a few microseconds. Not thread-safe.
///
/// The plan. Each endpoint appears exactly once, planned or passed over, with a remark.
///
/// First: the hierarchy's models best first (by quality bound where the feature has scores, the request's
/// lead before all); within a model the pools in the policy's order, as long as reserved capacity has
/// headroom; then by score (up to 20 % of difference is settled by `draw`, so that routers with equally old
/// views do not all choose the same; what is unknown counts as the mean of the known). When reserved capacity
/// was left for lack of headroom the first is a `spillover` (C2); when a better model's endpoints are all
/// sick or throttled it is a `fallback`. After it, for the step after a failure: other providers first, then
/// other regions, then the rest, each in the order above. What is full, without headroom, or too slow for the
/// deadline comes last. A trickle endpoint comes first for its share of requests (cause `trickle`), never for
/// more than its fair part among equals, and only with a healthy one behind it (F7). An equal of the first
/// that nobody has measured lately comes first for `explore_share` (D7). If nothing is closed, partial
/// endpoints serve regardless of their share. A candidate (RouteRequest::candidates) that does not lead is
/// held back: no trial, no exploring, and the last of all in a plan, and that only if it is closed and
/// proven. One that leads has half of the attempts at most. Excluded: open breakers, unreachable or unknown
/// owners, other models, outside a boundary, not signed off, stopped, window, output limit or abilities too
/// small, asked to wait by the provider. `wall` compares with HealthView's wall times. Shares are cluster-
/// wide because the draw is per request: however many routers plan, a share x of all requests goes to the
/// trial (F10).
class Router {
 public:
  Router(RouteRules rules, RoutePolicy policy);

  void set_endpoints(std::vector<FactsPtr> endpoints);
  /// Null: nothing is known of it (any more).
  void set_health(std::size_t endpoint, HealthPtr health);
  void set_controls(ControlsPtr controls);

  /// `barred`: endpoints this request must not go to again. `plan` is overwritten; reuse it.
  void plan(const RouteRequest& request, std::span<const std::uint32_t> barred, WallTime wall,
            RoutePlan& plan);
  /// Could anyone serve this by `wall` + deadline, were it well? Who cannot be heard may be back at any
  /// moment, who told us when it will be back may not.
  bool hope(const RouteRequest& request, std::span<const std::uint32_t> barred, WallTime wall) const;

  /// Why an operator's order or a missing sign-off keeps this endpoint from the feature's and the tenant's
  /// calls now; none: nothing does. Plans may be older than orders (C15).
  Note ban(std::size_t endpoint, std::string_view tenant, WallTime wall) const;

  std::size_t size() const { return candidates_.size(); }
  const EndpointFacts& facts(std::size_t endpoint) const { return *candidates_[endpoint].facts; }
  const HealthView* health(std::size_t endpoint) const { return candidates_[endpoint].health.get(); }
  const FactsPtr& facts_ptr(std::size_t endpoint) const { return candidates_[endpoint].facts; }
  const HealthPtr& health_ptr(std::size_t endpoint) const { return candidates_[endpoint].health; }
  const RouteRules& rules() const { return rules_; }
  const RoutePolicy& policy() const { return policy_; }

 private:
  static constexpr std::uint32_t nowhere = ~0U;
  /// What every plan reads of a candidate's health, as it was when told: those of a whole fleet fit into the
  /// nearest cache, which the views do not.
  struct Vitals {
    /// It can serve now unless it is throttled; as one on trial.
    bool well = false, trial = false;
    std::uint32_t in_flight = 0, in_flight_max = 0;
    WallTime throttled_until, measured;
    double input_headroom = 0, output_headroom = 0, total_p50 = 0;
    /// Expected seconds are a line in the output's tokens; 1 + share of the in-flight limit taken; weighted
    /// share of failures.
    double base_seconds = 0, seconds_per_token = 0, load = 1, errors = 0;
  };
  struct Candidate {
    /// Equal numbers: equal names.
    std::uint32_t provider = 0, region = 0;
    /// Place in the hierarchy; hierarchy.size(): not in it.
    std::uint32_t place = 0;
    std::uint32_t context_tokens_max = 0, output_tokens_max = 0;
    /// Why it never serves this feature; none: it may.
    Note misfit = Note::none;
    /// An order of operators has named it or its provider, model or feature, whether it holds now or not.
    bool watched = false;
    /// 1 - its pool comes second in the feature's order.
    std::uint8_t pool = 0;
    bool reserved = false;
    Needs offers;
    double input_price = 0, output_price = 0, distance = 0;
    std::uint64_t hash = 0;
    Vitals vitals;
    FactsPtr facts;
    HealthPtr health;
  };
  /// How good a place a candidate has. Smaller is better.
  enum class Standing : std::uint8_t { fit, crowded, trial, held_back };
  /// One candidate that may serve.
  struct Option {
    std::uint32_t index = 0, rank = 0;
    std::uint32_t provider = 0, region = 0;
    std::uint8_t pool = 0;
    Standing standing = Standing::fit;
    /// Why it is crowded.
    Note crowd = Note::none;
    bool taken = false;
    /// 0: another provider than all planned before; 1: a used provider in a region it was not used in; 2:
    /// same domain as one; 3: of a candidate that has been asked enough.
    std::uint8_t lap = 0;
    double a = 0, b = 0;
    double latency = 0, usd = 0, score = 0;
  };
  /// What screening found out beside the options.
  struct Scan {
    /// Best rank among reserved capacity left for headroom, or because it is throttled.
    std::uint32_t spilled_rank = ~0U;
    /// Best rank among those that are sick, unreachable or throttled.
    std::uint32_t sick_rank = ~0U;
    bool reserved_throttled = false;
    /// Until the first of the excluded may serve again.
    std::optional<Duration> wait;
  };
  struct First {
    std::size_t option = 0;
    Cause cause = Cause::primary;
    Note note = Note::best;
  };

  void compile(Candidate& candidate) const;
  void observe(Candidate& candidate) const;
  double slow_soonest(const Candidate& of) const;
  void note_orders();
  bool tenant_watched(std::string_view tenant) const;
  /// `watched`: the request's tenant is.
  Remark misfit(const RouteRequest& request, const Candidate& candidate, bool watched, WallTime wall) const;
  Note ban(const Candidate& candidate, std::string_view tenant, bool watched, WallTime wall) const;
  Remark ailment(const Candidate& candidate, WallTime wall) const;
  Remark crowding(const RouteRequest& request, const Vitals& vitals) const;
  void rank_models(const RouteRequest& request, WallTime wall);
  std::optional<std::size_t> leader(const RouteRequest& request) const;
  void screen(const RouteRequest& request, std::span<const std::uint32_t> barred, WallTime wall, Scan& scan,
              RoutePlan& plan);
  void screen_held_back(const RouteRequest& request, std::span<const std::uint32_t> barred, WallTime wall,
                        const Scan& scan, RoutePlan& plan);
  static bool is_candidate(const RouteRequest& request, std::size_t place);
  static bool held_back(const RouteRequest& request, const Candidate& candidate);
  static bool may_stand_in(const Candidate& candidate);
  void note_sick(const Candidate& candidate, const Remark& ill, Scan& scan) const;
  void admit(const RouteRequest& request, std::uint32_t index, Scan& scan);
  void wait_for_reserved(RoutePlan& plan);
  void score(const RouteRequest& request, std::span<Option> options) const;
  std::uint64_t favoured(const RouteRequest& request, std::span<const Option> options) const;
  static std::uint64_t precedence(const Option& option);
  const Option* best_closed() const;
  double trial_share(const Option& trial, const Option& first) const;
  std::optional<First> drawn(const RouteRequest& request, WallTime wall, const Option* first) const;
  First usual_first(std::size_t option, const Scan& scan) const;
  std::size_t next_option();
  void order(const std::optional<First>& drawn, bool closed, const Scan& scan, RoutePlan& plan);
  void take(const First& first, RoutePlan& plan);
  void pass_over_rest(std::size_t kept, RoutePlan& plan) const;

  RouteRules rules_;
  RoutePolicy policy_;
  ScoreWeights weights_;
  ControlsPtr controls_;
  std::vector<Candidate> candidates_;
  // Scratch of the present plan: models' ranks, candidates that may serve, how many of them on trial, and
  // where the newest planned one is.
  std::vector<std::uint32_t> ranks_;
  std::vector<Option> options_;
  std::size_t trials_ = 0;
  bool led_by_candidate_ = false;
  std::size_t asked_ = 0;
  std::uint32_t last_provider_ = nowhere, last_region_ = nowhere;
};

/// A remark in words: "input headroom 999 < 1000 tokens".
std::string words_of(const Remark& remark, const EndpointFacts& facts, const HealthView* health);

}  // namespace troupe::policy
