#include "runtime/policy/judge.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::policy {
namespace {

constexpr std::int64_t kJudgeDayMs = 86'400'000;

// +1: the new model's.
int says(PairVerdict verdict, bool old_first) {
  if (verdict == PairVerdict::tie) return 0;
  return (verdict == PairVerdict::first) == old_first ? -1 : 1;
}

}  // namespace

std::optional<std::string> validate(const JudgePolicy& policy) {
  if (!(policy.share >= 0 && policy.share <= 1))
    return fmt::format("share is {}; it must be from 0 to 1", policy.share);
  if (!(policy.usd_per_day >= 0))
    return fmt::format("usd_per_day is {}; it must not be negative", policy.usd_per_day);
  if (policy.share > 0 && (policy.usd_per_day == 0 || policy.in_flight_max == 0))
    return "a judge needs a budget of its own: usd_per_day and in_flight_max above 0";
  return std::nullopt;
}

bool agree(const BothOrders& verdicts) {
  return says(verdicts.old_first, true) == says(verdicts.fresh_first, false);
}

int preference_of(const BothOrders& verdicts) { return agree(verdicts) ? says(verdicts.old_first, true) : 0; }

void JudgeMeter::turn_day(WallTime now) {
  auto day = now.ms / kJudgeDayMs;
  if (day == day_) return;
  day_ = day;
  spent_ = 0;
}

bool JudgeMeter::affords_one_more() const {
  if (spent_ >= policy_.usd_per_day) return false;
  return spent_ + (in_flight_ + 1) * dearest_ <= policy_.usd_per_day;
}

JudgeAdmission JudgeMeter::admit(WallTime now) {
  turn_day(now);
  auto most = priced_ ? policy_.in_flight_max : std::min(policy_.in_flight_max, 1u);
  if (in_flight_ >= most) return JudgeAdmission::too_many;
  if (!affords_one_more()) return JudgeAdmission::over_budget;
  ++in_flight_;
  return JudgeAdmission::judge;
}

void JudgeMeter::ended(double usd, WallTime now) {
  turn_day(now);
  if (in_flight_ > 0) --in_flight_;
  priced_ = true;
  spent_ += usd;
  dearest_ = std::max(dearest_, usd);
}

double JudgeMeter::spent(WallTime now) {
  turn_day(now);
  return spent_;
}

WallTime JudgeMeter::spent_until(WallTime now) {
  turn_day(now);
  bool left = spent_ < policy_.usd_per_day && spent_ + dearest_ <= policy_.usd_per_day;
  return left ? WallTime{} : WallTime{(day_ + 1) * kJudgeDayMs};
}

void JudgeTally::add_same() {
  ++pairs;
  ++ties;
  ++same;
}

int JudgeTally::add(const BothOrders& verdicts) {
  auto preference = preference_of(verdicts);
  ++pairs;
  ++(preference > 0 ? better : preference < 0 ? worse : ties);
  split += agree(verdicts) ? 0 : 1;
  for (auto verdict : {verdicts.old_first, verdicts.fresh_first}) {
    named += verdict != PairVerdict::tie;
    named_first += verdict == PairVerdict::first;
  }
  return preference;
}

double JudgeTally::agreement() const {
  auto asked = pairs - same;
  return asked == 0 ? 1 : 1 - static_cast<double>(split) / static_cast<double>(asked);
}

}  // namespace troupe::policy
