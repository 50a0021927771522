// The ledger of one run's budget: what is spent, what is reserved for steps under way, what may begin
// (RUNTIME 5.8). Pure; holds no clock.
#pragma once

#include <troupe/budget.hpp>

#include <map>
#include <optional>
#include <string>

namespace troupe::policy {

/// From these shares of a cap on a run warns, and makes do with less.
inline constexpr double kBudgetWarns = 0.7;
inline constexpr double kBudgetDegrades = 0.9;
/// Reserved beyond one attempt's estimate, because a call may need a second.
inline constexpr double kRetryAllowance = 0.25;

/// Amounts are added and compared by part; `wall` is not an amount and stays as it is.
Budget operator+(Budget a, const Budget& b);
Budget operator-(Budget a, const Budget& b);

/// What giving a child this slice takes: its amounts, and the child itself. "None at all" takes nothing.
Budget taken_by_slice(Budget slice);

/// One per run, used on its turn. Since every amount is reserved before its step begins, steps begun together
/// cannot overshoot a cap by more than estimates are wrong.
class RunBudget {
 public:
  explicit RunBudget(Budget cap = {}) : cap_(cap) {}

  /// The name of the first cap that `amount` would break ("usd", "tokens", "calls", "tool_calls",
  /// "subagents", "depth", "wall"); nothing when it fits. `elapsed` is the time since the run first started.
  std::optional<std::string> broken_by(const Budget& amount, Duration elapsed) const;
  /// Sets `amount` aside for `step`, in place of what was set aside for it.
  void reserve(const std::string& step, const Budget& amount);
  /// The step is over: what was set aside returns, what it used is spent.
  void settle(const std::string& step, const Budget& used);
  /// Nobody knows what became of it (RUNTIME 5.8: unknown usage keeps its reservation): all that was set
  /// aside for the step counts as spent.
  void write_off(const std::string& step);
  /// The step could not begin for want of budget; from now on the run is at least at `degrade`.
  void note_refusal() { refused_ = true; }
  bool refused() const { return refused_; }
  /// Goes on from what an earlier ledger of this run came to.
  void carry(const Budget& spent, bool refused) {
    spent_ = spent;
    refused_ = refused;
  }

  /// From kBudgetDegrades of what model calls use up (money, tokens, calls) on: ask cheaper models.
  bool wants_cheaper() const;

  BudgetView view(Duration elapsed) const;
  /// What one of `sharers` children begun together may get: the parts of `wish` that are set, bounded by what
  /// is left; for parts that are not, an equal share of what is left. 0 where there is no cap, less than 0
  /// where nothing is left or wished for.
  Budget slice(const Budget& wish, Duration elapsed, std::size_t sharers = 1) const;
  const Budget& cap() const { return cap_; }

 private:
  Budget taken() const { return spent_ + reserved_; }

  Budget cap_, spent_, reserved_;
  std::map<std::string, Budget> steps_;
  bool refused_ = false;
};

}  // namespace troupe::policy
