// What a run and everything it starts may use, and how much of that is gone (RUNTIME 5.8).
#pragma once

#include <troupe/time.hpp>

#include <cstdint>

namespace troupe {

/// Amounts. As a cap, 0 means without bound and less than 0 none at all. A child's amounts are part of its
/// parent's.
struct Budget {
  double usd = 0;
  /// Input, cached input and output of all attempts.
  std::int64_t tokens = 0;
  /// Model calls.
  std::int64_t calls = 0;
  std::int64_t tool_calls = 0;
  /// Child runs, and theirs.
  std::int64_t subagents = 0;
  /// As a cap only: levels of child runs below this one.
  std::int64_t depth = 0;
  /// From the run's first start, whoever drives it. When it is over nothing further begins, and calls and
  /// tools under way are given up; a child has what was left when it began.
  Duration wall{};
  friend bool operator==(const Budget&, const Budget&) = default;
};

/// How near a run is to the nearest of its caps.
enum class BudgetStage {
  plenty,   ///< below 70 %
  warn,     ///< from 70 %: said once in the log
  degrade,  ///< from 90 %: no new child runs; the workflow should finish with what it has
  spent,    ///< nothing further is begun
};
const char* to_string(BudgetStage stage);

/// Between INTENT and RESULT an amount is reserved, so that calls made at once cannot overshoot together.
struct BudgetView {
  Budget cap, spent, reserved;
  BudgetStage stage = BudgetStage::plenty;
  /// The largest share of a cap that is spent; 0 without caps.
  double used = 0;
};

}  // namespace troupe
