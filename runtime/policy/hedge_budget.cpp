#include "runtime/policy/hedge_budget.hpp"

#include "runtime/base/clock.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::policy {
namespace {

/// First tokens held per class, about; then the past fades.
constexpr double kTtftMemory = 2000;
constexpr double kFew = 200;
constexpr int kLookEvery = 16;

}  // namespace

std::optional<std::string> validate(const HedgePolicy& policy) {
  if (!(policy.budget_share >= 0 && policy.budget_share <= 1))
    return fmt::format("budget_share is {}; it must be from 0 to 1, usually 0.05", policy.budget_share);
  if (!(policy.budget_max >= 1 && policy.budget_max <= 1e6))
    return fmt::format("budget_max is {}; it must be from 1 to 1000000", policy.budget_max);
  if (!(policy.ttft_quantile > 0 && policy.ttft_quantile < 1))
    return fmt::format("ttft_quantile is {}; it must lie between 0 and 1, usually 0.95",
                       policy.ttft_quantile);
  if (!(policy.samples_min >= 1 && policy.samples_min <= kTtftMemory / 2))
    return fmt::format("samples_min is {}; it must be from 1 to {}", policy.samples_min, kTtftMemory / 2);
  if (!(policy.load_max >= 0 && policy.load_max <= 1))
    return fmt::format("load_max is {}; it must be from 0 to 1", policy.load_max);
  if (!(policy.price_factor_max >= 0))
    return fmt::format("price_factor_max is {}; it must be 0 or more, usually 2", policy.price_factor_max);
  if (!(policy.deadline_factor >= 0))
    return fmt::format("deadline_factor is {}; it must be 0 or more, usually 2", policy.deadline_factor);
  return std::nullopt;
}

void HedgeBudget::on_request() { tokens_ = std::min(tokens_ + policy_.budget_share, policy_.budget_max); }

void HedgeBudget::on_ttft(WorkClass work_class, Duration ttft) {
  auto& known = classes_[static_cast<std::size_t>(work_class)];
  known.ttft.add(seconds(ttft));
  // Quantiles walk the whole sketch: with many samples a few more change nothing.
  if (++known.unseen < kLookEvery && known.ttft.count() > kFew) return;
  known.unseen = 0;
  if (known.ttft.count() > kTtftMemory) known.ttft.fade(0.5);
  known.late = known.ttft.quantile(policy_.ttft_quantile);
  known.usual = known.ttft.quantile(0.5);
}

std::optional<Duration> HedgeBudget::patience(WorkClass work_class) const {
  const auto& known = classes_[static_cast<std::size_t>(work_class)];
  if (!policy_.enabled || known.ttft.count() < policy_.samples_min) return std::nullopt;
  return from_seconds(known.late);
}

HedgeBudget::Verdict HedgeBudget::take(const Wish& wish) {
  if (!policy_.enabled) return Verdict::off;
  auto late = patience(wish.work_class);
  if (!late) return Verdict::unknown;
  if (wish.waited < *late) return Verdict::too_early;
  if (!(wish.load < policy_.load_max)) return Verdict::overload;
  if (wish.second_usd > policy_.price_factor_max * wish.first_usd) return Verdict::too_dear;
  double usual = classes_[static_cast<std::size_t>(wish.work_class)].usual;
  if (seconds(wish.deadline_left) < policy_.deadline_factor * usual) return Verdict::too_late;
  // Twenty shares of 0.05 must make one hedge, whatever binary fractions make of them.
  constexpr double slack = 1e-9;
  if (tokens_ + slack < 1) return Verdict::no_budget;
  tokens_ = std::max(0.0, tokens_ - 1);
  return Verdict::go;
}

const char* to_string(HedgeBudget::Verdict verdict) {
  constexpr std::array names{"go",       "off",      "too_early", "unknown",
                             "overload", "too_dear", "too_late",  "no_budget"};
  return names[static_cast<std::size_t>(verdict)];
}

}  // namespace troupe::policy
