#include "runtime/policy/budget.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace troupe::policy {
namespace {

constexpr std::int64_t kDayMs = 86'400'000, kHourMs = 3'600'000;

std::int64_t day_number(WallTime at) {
  return at.ms >= 0 ? at.ms / kDayMs : -((-at.ms + kDayMs - 1) / kDayMs);
}

BudgetLevel level_of(const BudgetPolicy& policy, double spent) {
  if (policy.usd_per_day <= 0) return BudgetLevel::fine;
  auto share = spent / policy.usd_per_day;
  if (share >= policy.stop) return BudgetLevel::stopped;
  if (share >= policy.degrade) return BudgetLevel::degraded;
  return share >= policy.warn ? BudgetLevel::warned : BudgetLevel::fine;
}

template <class Standings>
const BudgetStanding* standing_in(const Standings& all, std::string_view name) {
  auto it = all.find(name);
  if (it == all.end()) return nullptr;
  if constexpr (requires { it->second.standing; })
    return &it->second.standing;
  else
    return &it->second;
}

Error over_budget(std::string_view kind, std::string_view name, const BudgetStanding& standing,
                  WallTime until, WallTime now) {
  auto error = make_error(
      Errc::quota_exhausted,
      fmt::format("the budget of {} {} for this day is spent ({:.2f} of {:.2f} USD); the next one begins "
                  "at midnight UTC",
                  kind, name, standing.spent, standing.budget));
  // No other endpoint is cheaper than none.
  error.failover = false;
  error.retry_after = std::chrono::milliseconds(until.ms - now.ms);
  return error;
}

}  // namespace

std::optional<std::string> validate(const BudgetPolicy& policy) {
  if (!(policy.usd_per_day >= 0) || !std::isfinite(policy.usd_per_day))
    return fmt::format("usd_per_day is {}; it must be 0 for none, or an amount", policy.usd_per_day);
  bool rising = policy.warn > 0 && policy.warn <= policy.degrade && policy.degrade <= policy.stop;
  if (!rising || !std::isfinite(policy.stop))
    return fmt::format("warn {}, degrade {}, stop {} must be shares of the budget that do not fall",
                       policy.warn, policy.degrade, policy.stop);
  return std::nullopt;
}

const char* to_string(BudgetLevel level) {
  constexpr std::array names{"fine", "warned", "degraded", "stopped"};
  return names[static_cast<std::size_t>(level)];
}

double BudgetMeter::Day::sum() const {
  double all = 0;
  for (auto each : usd) all += each;
  return all;
}

void BudgetMeter::add(double usd, WallTime at) {
  if (!(usd > 0) || !std::isfinite(usd)) return;
  auto number = day_number(at);
  if (!days_.empty() && number + static_cast<std::int64_t>(days_kept) < days_.back().number) return;
  auto place = std::ranges::lower_bound(days_, number, {}, &Day::number);
  if (place == days_.end() || place->number != number) place = days_.insert(place, Day{number, {}});
  place->usd[static_cast<std::size_t>((at.ms - number * kDayMs) / kHourMs)] += usd;
  while (days_.front().number + static_cast<std::int64_t>(days_kept) < days_.back().number) days_.pop_front();
}

double BudgetMeter::spent_on(std::int64_t day) const {
  auto place = std::ranges::lower_bound(days_, day, {}, &Day::number);
  return place != days_.end() && place->number == day ? place->sum() : 0;
}

double BudgetMeter::usual_day(std::int64_t today) const {
  double sum = 0;
  std::int64_t days = 0;
  for (const auto& day : days_) {
    if (day.number >= today || day.number + static_cast<std::int64_t>(days_kept) < today) continue;
    sum += day.sum();
    ++days;
  }
  return days > 0 ? sum / static_cast<double>(days) : 0;
}

// Within an hour money is taken to flow evenly. By time alone there is never less than a quarter of an hour
// to judge by, so that the first call of a day is not taken for a day's habit.
double BudgetMeter::share_by(WallTime now) const {
  auto today = day_number(now);
  auto into = now.ms - today * kDayMs;
  auto by_time = std::max(static_cast<double>(into), kHourMs / 4.0) / kDayMs;
  double all = 0, until = 0;
  for (const auto& day : days_) {
    if (day.number >= today || day.number + static_cast<std::int64_t>(days_kept) < today) continue;
    for (std::int64_t hour = 0; hour < 24; ++hour) {
      auto usd = day.usd[static_cast<std::size_t>(hour)];
      auto part = std::clamp(static_cast<double>(into - hour * kHourMs) / kHourMs, 0.0, 1.0);
      all += usd;
      until += usd * part;
    }
  }
  return all > 0 ? until / all : by_time;
}

BudgetLevel BudgetMeter::level(WallTime now) const { return level_of(policy_, spent_on(day_number(now))); }

BudgetStanding BudgetMeter::standing(WallTime now) const {
  BudgetStanding out;
  out.budget = policy_.usd_per_day;
  auto today = day_number(now);
  out.spent = spent_on(today);
  out.level = level_of(policy_, out.spent);
  auto usual = usual_day(today);
  auto weight = usual > 0 ? prior_weight : 0;
  auto share = share_by(now);
  out.forecast = out.spent + (1 - share) * (out.spent + weight * usual) / (share + weight);
  return out;
}

bool BudgetRules::any() const {
  bool of_feature =
      std::ranges::any_of(features, [](const auto& each) { return each.second.policy.usd_per_day > 0; });
  return of_feature ||
         std::ranges::any_of(tenants, [](const auto& each) { return each.second.usd_per_day > 0; });
}

std::optional<std::size_t> cheapest_model(std::span<const std::string> hierarchy,
                                          std::span<const EndpointFacts> endpoints) {
  std::optional<std::size_t> best;
  double least = 0;
  for (std::size_t i = 0; i < hierarchy.size(); ++i)
    for (const auto& each : endpoints) {
      bool counts =
          each.model == hierarchy[i] && each.kind == CapacityKind::on_demand && each.price.output > 0;
      if (!counts || (best && each.price.output >= least)) continue;
      best = i;
      least = each.price.output;
    }
  return best && *best > 0 ? best : std::nullopt;
}

BudgetVerdict judge_budget(const BudgetState* state, std::string_view feature, std::string_view tenant,
                           WallTime now) {
  BudgetVerdict out;
  // A day that has ended says nothing of this one.
  if (state == nullptr || now >= state->day_ends) return out;
  const auto* mine = standing_in(state->features, feature);
  const auto* theirs = standing_in(state->tenants, tenant);
  auto level = [](const BudgetStanding* each) { return each != nullptr ? each->level : BudgetLevel::fine; };
  out.level = std::max(level(mine), level(theirs));
  if (level(mine) == BudgetLevel::stopped)
    out.refusal = over_budget("feature", feature, *mine, state->day_ends, now);
  else if (level(theirs) == BudgetLevel::stopped)
    out.refusal = over_budget("tenant", tenant, *theirs, state->day_ends, now);
  else if (out.level == BudgetLevel::degraded && mine != nullptr)
    out.lead = state->features.find(feature)->second.cheaper;
  return out;
}

BudgetBook::BudgetBook(BudgetRules rules) : rules_(std::move(rules)) {
  for (const auto& [name, each] : rules_.features) features_.emplace(name, BudgetMeter(each.policy));
  for (const auto& [name, policy] : rules_.tenants) tenants_.emplace(name, BudgetMeter(policy));
}

bool BudgetBook::book(std::string_view feature, std::string_view tenant, double usd, WallTime at) {
  bool moved = false;
  auto enter = [&](auto& meters, std::string_view name) {
    auto it = meters.find(name);
    if (it == meters.end()) return;
    auto before = it->second.level(at);
    it->second.add(usd, at);
    moved = moved || it->second.level(at) != before;
  };
  enter(features_, feature);
  enter(tenants_, tenant);
  return moved;
}

BudgetStatePtr BudgetBook::state(WallTime now) const {
  auto out = std::make_shared<BudgetState>();
  for (const auto& [name, meter] : features_)
    out->features[name] = {meter.standing(now), rules_.features.find(name)->second.cheaper};
  for (const auto& [name, meter] : tenants_) out->tenants[name] = meter.standing(now);
  out->day_ends.ms = (day_number(now) + 1) * kDayMs;
  return out;
}

std::vector<BudgetMove> BudgetBook::moves(WallTime now) {
  std::vector<BudgetMove> out;
  auto look = [&](const char* kind, const std::string& name, const BudgetMeter& meter) {
    if (meter.policy().usd_per_day <= 0) return;
    BudgetMove move{fmt::format("{} {}", kind, name), BudgetLevel::fine, meter.standing(now)};
    auto& said = said_[move.whose];
    move.from = said;
    if (said == move.standing.level) return;
    said = move.standing.level;
    out.push_back(std::move(move));
  };
  for (const auto& [name, meter] : features_) look("feature", name, meter);
  for (const auto& [name, meter] : tenants_) look("tenant", name, meter);
  return out;
}

}  // namespace troupe::policy
