// The order in which endpoints are tried.
#include "runtime/policy/route.hpp"

#include "runtime/policy/route_screen.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <tuple>

namespace troupe::policy {
namespace {

using Options = std::vector<Option>;

bool better(const Option& a, const Option& b) {
  auto key = [](const Option& o) {
    // Reserved capacity is paid for whether used or not, so its price does not count; latency decides among
    // it too.
    return std::tuple(o.standing, o.rank, o.facts->kind, o.score, o.index);
  };
  return key(a) < key(b);
}

/// 0: another provider than all before; 1: a used provider in a region it was not used in; 2: same domain as
/// one.
int domain_overlap(const Option& option, const Options& before) {
  int overlap = 0;
  for (const auto& used : before) {
    if (used.facts->provider != option.facts->provider) continue;
    overlap = std::max(overlap, used.facts->region == option.facts->region ? 2 : 1);
  }
  return overlap;
}

/// The best is kept first; the rest is put in the order in which a failure of all before it leaves the best
/// chance.
Options spread_over_domains(Options ranked, Options planned) {
  while (!ranked.empty()) {
    auto next = ranked.begin();
    if (!planned.empty())
      next = std::ranges::min_element(ranked, {}, [&](const Option& option) {
        return std::pair(option.standing, domain_overlap(option, planned));
      });
    planned.push_back(std::move(*next));
    ranked.erase(next);
  }
  return planned;
}

/// What share of requests a recovering endpoint may have, given what would be first if it stayed away.
double trial_share(const Option& trial, const Options& closed, const RoutePolicy& policy) {
  double share = std::clamp(trial.health->share, 0.0, 1.0);
  const auto& first = closed.front();
  if (!trial.note.empty()) return 0;
  auto place = [](const Option& o) { return std::pair(o.rank, o.facts->kind); };
  if (first.standing == Standing::crowded || place(trial) < place(first)) return share;
  if (place(first) < place(trial)) return std::min(share, policy.backup_trickle_max);
  auto equals = std::ranges::count_if(
      closed, [&](const Option& o) { return o.standing == Standing::fit && place(o) == place(trial); });
  return std::min(share, 1.0 / static_cast<double>(equals + 1));
}

/// The recovering endpoint whose slice of [0,1) holds the draw. Slices lie side by side in candidate order,
/// so that no request belongs to two trials and each gets its own share.
std::optional<std::size_t> drawn_trial(const RouteRequest& request, const Options& trials,
                                       const Options& closed, const RoutePolicy& policy) {
  bool backed = !closed.empty() && policy.fallback && policy.attempts_max > 1;
  if (!backed || !request.trickle_allowed) return std::nullopt;
  double from = 0;
  for (std::size_t i = 0; i < trials.size(); ++i) {
    double to = from + trial_share(trials[i], closed, policy);
    if (request.draw >= from && request.draw < to) return i;
    from = to;
  }
  return std::nullopt;
}

Cause first_cause(const Option& first, const Screened& screened) {
  bool left_reserved = screened.spilled_rank && *screened.spilled_rank <= first.rank;
  if (left_reserved && first.standing == Standing::fit) return Cause::spillover;
  return screened.sick_rank && *screened.sick_rank < first.rank ? Cause::fallback : Cause::primary;
}

std::string describe(const Option& option) {
  const auto& health = *option.health;
  auto text = fmt::format("{} {}", option.facts->model, to_string(option.facts->kind));
  if (health.total_p50 > 0) text += fmt::format(", p50 {:.2f}s", health.total_p50);
  if (health.in_flight > 0) text += fmt::format(", {} in flight", health.in_flight);
  if (!option.note.empty()) text += ", " + option.note;
  return text;
}

std::string reason_for(const Option& option, Cause cause, bool first) {
  if (cause == Cause::trickle)
    return fmt::format("on trial: {:.3g} % of traffic", 100 * option.health->share);
  auto text = describe(option);
  if (option.standing == Standing::trial) return "last resort, still recovering: " + text;
  if (option.standing == Standing::crowded) return "last resort: " + text;
  if (cause == Cause::spillover) return "reserved capacity is short: " + text;
  if (first && cause == Cause::fallback) return "a better model's endpoints cannot serve: " + text;
  return (first ? "best: " : "if those before fail: ") + text;
}

void place_options(RoutePlan& plan, const Options& ordered, const Screened& screened, bool on_trial,
                   const RoutePolicy& policy) {
  std::size_t kept = policy.fallback ? policy.attempts_max : std::min<std::size_t>(policy.attempts_max, 1);
  for (std::size_t i = 0; i < ordered.size(); ++i) {
    const auto& option = ordered[i];
    if (i >= kept) {
      auto reason =
          policy.fallback ? fmt::format("beyond {} attempts", kept) : std::string("fallback is off");
      plan.passed_over.push_back({option.index, std::move(reason)});
      continue;
    }
    auto cause = i > 0 ? Cause::fallback : on_trial ? Cause::trickle : first_cause(option, screened);
    plan.order.push_back({option.index, cause, reason_for(option, cause, i == 0)});
  }
}

}  // namespace

RoutePlan plan_route(const RouteRequest& request, std::span<const Candidate> candidates, WallTime wall,
                     const RoutePolicy& policy) {
  auto screened = screen_candidates(request, candidates, wall, policy);
  Options closed, trials;
  for (auto& option : screened.options)
    (option.standing == Standing::trial ? trials : closed).push_back(std::move(option));
  std::ranges::sort(closed, better);

  RoutePlan plan;
  plan.passed_over = std::move(screened.passed_over);
  Options planned;
  auto drawn = drawn_trial(request, trials, closed, policy);
  if (drawn) planned.push_back(trials[*drawn]);
  if (closed.empty()) {
    std::ranges::sort(trials, better);
    closed = std::exchange(trials, {});
  }
  for (std::size_t i = 0; i < trials.size(); ++i)
    if (i != drawn)
      plan.passed_over.push_back(
          {trials[i].index, fmt::format("recovering with {:.3g} % of traffic, not this request",
                                        100 * trials[i].health->share)});
  place_options(plan, spread_over_domains(std::move(closed), std::move(planned)), screened, drawn.has_value(),
                policy);
  if (plan.order.empty()) plan.wait = screened.wait;
  return plan;
}

}  // namespace troupe::policy
