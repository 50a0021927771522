// The order in which endpoints are tried: the second half of routing.
#include "runtime/policy/router.hpp"

#include <algorithm>

namespace troupe::policy {
namespace {

constexpr std::uint8_t kAskedLap = 3;

}  // namespace

void Router::plan(const RouteRequest& request, std::span<const std::uint32_t> barred, WallTime wall,
                  RoutePlan& plan) {
  plan.clear();
  last_provider_ = last_region_ = nowhere;
  Scan scan;
  rank_models(request, wall);
  screen(request, barred, wall, scan, plan);
  score(request, options_);
  if (request.candidates != 0) screen_held_back(request, barred, wall, scan, plan);
  const auto* closed = best_closed();
  asked_ = 0;
  led_by_candidate_ = request.lead && is_candidate(request, *request.lead);
  order(drawn(request, wall, closed), closed != nullptr, scan, plan);
  if (plan.order.empty()) plan.wait = scan.wait;
}

// Standing, then what leaves the best chance if all before it fail, then the model's rank, then the pool:
// reserved capacity is paid for whether used or not, so its pool is a place of its own. Ties go by score,
// then to the first.
std::uint64_t Router::precedence(const Option& option) {
  auto wide = [](auto value) { return static_cast<std::uint64_t>(value); };
  return wide(option.standing) << 40 | wide(option.lap) << 36 | wide(option.rank) << 1 | wide(option.pool);
}

const Router::Option* Router::best_closed() const {
  const Option* best = nullptr;
  std::uint64_t least = 0;
  for (const auto& option : options_) {
    if (option.standing >= Standing::trial) continue;
    auto mine = precedence(option);
    if (best != nullptr && (mine > least || (mine == least && !(option.score < best->score)))) continue;
    best = &option;
    least = mine;
  }
  return best;
}

/// What share of requests a recovering endpoint may have, given what would be first if it stayed away.
double Router::trial_share(const Option& trial, const Option& first) const {
  double share = std::clamp(candidates_[trial.index].health->share, 0.0, 1.0);
  auto place = [](const Option& o) { return std::pair(o.rank, o.pool); };
  if (trial.crowd != Note::none) return 0;
  if (first.standing == Standing::crowded || place(trial) < place(first)) return share;
  if (place(first) < place(trial)) return std::min(share, policy_.backup_trickle_max);
  auto equals = std::ranges::count_if(
      options_, [&](const Option& o) { return o.standing == Standing::fit && place(o) == place(trial); });
  return std::min(share, 1.0 / static_cast<double>(equals + 1));
}

/// Whose slice of [0,1) holds the draw: that of a recovering endpoint, or of one nobody has measured lately.
/// Slices lie side by side in candidate order, so that no request belongs to two trials and each gets its own
/// share.
std::optional<Router::First> Router::drawn(const RouteRequest& request, WallTime wall,
                                           const Option* first) const {
  bool backed = first != nullptr && policy_.fallback && policy_.attempts_max > 1;
  if (!backed || !request.trickle_allowed) return std::nullopt;
  double from = 0;
  for (std::size_t i = 0; i < options_.size() && trials_ > 0; ++i) {
    if (options_[i].standing != Standing::trial) continue;
    double to = from + trial_share(options_[i], *first);
    if (request.draw >= from && request.draw < to) return First{i, Cause::trickle, Note::on_trial};
    from = to;
  }
  auto stale = wall.ms - std::chrono::duration_cast<std::chrono::milliseconds>(policy_.explore_after).count();
  for (std::size_t i = 0; i < options_.size() && policy_.explore_share > 0; ++i) {
    const auto& option = options_[i];
    bool equal = option.standing == Standing::fit && option.rank == first->rank;
    if (!equal || &option == first || candidates_[option.index].vitals.measured.ms > stale) continue;
    double to = from + policy_.explore_share;
    if (request.draw >= from && request.draw < to) return First{i, Cause::primary, Note::explored};
    from = to;
  }
  return std::nullopt;
}

Router::First Router::usual_first(std::size_t index, const Scan& scan) const {
  const auto& option = options_[index];
  if (option.standing == Standing::trial) return {index, Cause::primary, Note::last_resort_trial};
  bool left_reserved = scan.spilled_rank <= option.rank;
  if (left_reserved && option.standing == Standing::fit) return {index, Cause::spillover, Note::spilled};
  auto cause = scan.sick_rank < option.rank ? Cause::fallback : Cause::primary;
  if (option.standing != Standing::fit) return {index, cause, Note::last_resort};
  return {index, cause, cause == Cause::fallback ? Note::better_sick : Note::best};
}

/// The best first; then those that leave the best chance if all before them fail. options_.size(): none left.
/// On its way it learns who shares a domain with the one that was planned last.
std::size_t Router::next_option() {
  std::size_t best = options_.size();
  std::uint64_t least = 0;
  double score = 0;
  for (std::size_t i = 0; i < options_.size(); ++i) {
    auto& option = options_[i];
    if (option.taken) continue;
    if (option.provider == last_provider_)
      option.lap = std::max<std::uint8_t>(option.lap, option.region == last_region_ ? 2 : 1);
    auto mine = precedence(option);
    if (best != options_.size() && (mine > least || (mine == least && !(option.score < score)))) continue;
    best = i;
    least = mine;
    score = option.score;
  }
  return best;
}

void Router::take(const First& first, RoutePlan& plan) {
  auto& option = options_[first.option];
  option.taken = true;
  last_provider_ = option.provider;
  last_region_ = option.region;
  // Who leads on trial has its fallback ready: half of the attempts are for what is known to work (F7).
  if (led_by_candidate_ && option.rank == 0) ++asked_;
  bool enough = led_by_candidate_ && 2 * asked_ >= policy_.attempts_max;
  for (std::size_t i = 0; enough && i < options_.size(); ++i)
    if (options_[i].rank == 0) options_[i].lap = kAskedLap;
  Remark remark{first.note, option.crowd, option.a, option.b, option.score};
  if (first.note == Note::on_trial) remark.a = candidates_[option.index].health->share;
  plan.order.push_back({option.index, first.cause, remark});
}

void Router::order(const std::optional<First>& drawn, bool closed, const Scan& scan, RoutePlan& plan) {
  for (auto& option : options_) {
    if (!closed || trials_ == 0) break;
    if (option.standing != Standing::trial) continue;
    option.taken = true;
    if (drawn && &options_[drawn->option] == &option) continue;
    plan.passed_over.push_back(
        {option.index,
         {Note::recovering, Note::none, candidates_[option.index].health->share, 0, option.score}});
  }
  std::size_t kept = policy_.fallback ? policy_.attempts_max : std::min<std::size_t>(policy_.attempts_max, 1);
  if (drawn && kept > 0) take(*drawn, plan);
  while (plan.order.size() < kept) {
    auto next = next_option();
    if (next == options_.size()) break;
    auto later = options_[next].standing == Standing::fit     ? Note::if_before_fail
                 : options_[next].standing == Standing::trial ? Note::last_resort_trial
                                                              : Note::last_resort;
    take(plan.order.empty() ? usual_first(next, scan) : First{next, Cause::fallback, later}, plan);
  }
  pass_over_rest(kept, plan);
}

void Router::pass_over_rest(std::size_t kept, RoutePlan& plan) const {
  auto note = policy_.fallback ? Note::beyond_attempts : Note::fallback_off;
  for (const auto& option : options_)
    if (!option.taken)
      plan.passed_over.push_back(
          {option.index, {note, Note::none, static_cast<double>(kept), 0, option.score}});
}

}  // namespace troupe::policy
