// Budgets of a day: what has been spent, what the day will come to, and what follows from it (I6). Pure.
#pragma once

#include "runtime/policy/route.hpp"

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::policy {

struct BudgetPolicy {
  /// For calls of one UTC day; 0: no budget.
  double usd_per_day = 0;
  /// Shares of it: what is spent so far is said aloud, is spent on a cheaper model from then on, is all there
  /// is.
  double warn = 0.7, degrade = 0.9, stop = 1;
};
/// Empty when sound, else what is wrong and what would be right.
std::optional<std::string> validate(const BudgetPolicy& policy);

enum class BudgetLevel : std::uint8_t { fine, warned, degraded, stopped };
const char* to_string(BudgetLevel level);

/// How a budget stands.
struct BudgetStanding {
  BudgetLevel level = BudgetLevel::fine;
  double budget = 0, spent = 0;
  /// What the day will have cost at its end, if it goes on as days do.
  double forecast = 0;
  /// The forecast is above the budget.
  bool overrun() const { return budget > 0 && forecast > budget; }
};

/// One budget's money by hour. Not thread-safe.
///
/// The forecast: let F be the share of a day's money that is usually spent by now (from the hours of the last
/// days kept; without any, time itself), D what a day usually costs and s what today has. Then
///   forecast = s + (1 - F) (s + w D) / (F + w),   w = 0.1 with past days, else 0.
/// At midnight that is D, in the evening it is what today shows; `w` is how much of a day's evidence the past
/// counts as.
class BudgetMeter {
 public:
  static constexpr std::size_t days_kept = 7;
  static constexpr double prior_weight = 0.1;

  explicit BudgetMeter(BudgetPolicy policy) : policy_(policy) {}
  /// In any order; what is older than `days_kept` days before the newest is left out. Of amounts that are not
  /// above 0 nothing is kept.
  void add(double usd, WallTime at);
  BudgetStanding standing(WallTime now) const;
  /// Without the forecast.
  BudgetLevel level(WallTime now) const;
  double spent_on(std::int64_t day) const;
  const BudgetPolicy& policy() const { return policy_; }

 private:
  struct Day {
    std::int64_t number = 0;
    std::array<double, 24> usd{};
    double sum() const;
  };
  double share_by(WallTime now) const;
  double usual_day(std::int64_t today) const;

  BudgetPolicy policy_;
  std::deque<Day> days_;  // oldest first
};

/// What a feature's calls are led by while money is short.
struct FeatureBudget {
  BudgetPolicy policy;
  /// Index into the feature's hierarchy; nothing: there is no cheaper model, so only `stop` acts.
  std::optional<std::size_t> cheaper;
};
struct BudgetRules {
  /// All features, those without a budget too: a tenant's budget degrades them as well.
  std::map<std::string, FeatureBudget, std::less<>> features;
  std::map<std::string, BudgetPolicy, std::less<>> tenants;
  bool any() const;
};
/// The first of the models that costs least per output token among `endpoints` on demand; nothing when that
/// is the first of the hierarchy, or no price is known.
std::optional<std::size_t> cheapest_model(std::span<const std::string> hierarchy,
                                          std::span<const EndpointFacts> endpoints);

/// How all budgets of a node stand. Immutable; holds until the day ends.
struct BudgetState {
  struct Feature {
    BudgetStanding standing;
    std::optional<std::size_t> cheaper;
  };
  std::map<std::string, Feature, std::less<>> features;
  std::map<std::string, BudgetStanding, std::less<>> tenants;
  WallTime day_ends;
};
using BudgetStatePtr = std::shared_ptr<const BudgetState>;

/// What a call may do.
struct BudgetVerdict {
  /// The worse of its feature's and its tenant's.
  BudgetLevel level = BudgetLevel::fine;
  /// The model that leads, to be put into CallFacts::lead.
  std::optional<std::size_t> lead;
  /// Set when stopped: whose budget it was, and Retry-After until the day ends.
  std::optional<Error> refusal;
};
/// Once per call, before it is admitted. Allocates only for a refusal. `state` may be null: no budgets.
BudgetVerdict judge_budget(const BudgetState* state, std::string_view feature, std::string_view tenant,
                           WallTime now);

/// A budget that has come to another level.
struct BudgetMove {
  /// "feature recap", "tenant acme".
  std::string whose;
  BudgetLevel from = BudgetLevel::fine;
  BudgetStanding standing;
};

/// The budgets of a node. Counts what this node's own calls cost, shadows, probes and judges of the feature
/// included; reserved hours are not in it. With n nodes give each its share of the budget. Not thread-safe.
class BudgetBook {
 public:
  explicit BudgetBook(BudgetRules rules);
  /// True when that has brought a budget to another level.
  bool book(std::string_view feature, std::string_view tenant, double usd, WallTime at);
  BudgetStatePtr state(WallTime now) const;
  /// Which levels have changed since the last call, for people.
  std::vector<BudgetMove> moves(WallTime now);
  bool any() const { return rules_.any(); }

 private:
  BudgetRules rules_;
  std::map<std::string, BudgetMeter, std::less<>> features_, tenants_;
  std::map<std::string, BudgetLevel> said_;
};

}  // namespace troupe::policy
