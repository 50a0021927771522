// What the verbs about money share: the ledger's lines, a span of time, and the configuration behind them.
#pragma once

#include "apps/troupe/command.hpp"
#include "runtime/config/money_config.hpp"

namespace troupe::app {

struct CostOptions {
  AskerOptions asker;
  bool json = false;
  std::string by = "feature", since, until, format = "table";
  /// reconcile
  std::string bill;
  std::vector<std::string> rates;
  int settle_days = 2;
  double tolerance = 0.005;
  /// plan
  std::string endpoint;
  std::uint32_t units_max = 1000;
};

/// [from, to); from 0: since the first attempt.
struct Span {
  WallTime from, to;
};
/// Of --since ("90m", "24h", "7d" or YYYY-MM-DD) and --until (likewise; empty: now).
Result<Span> span_of(const CostOptions& options);

/// Lines of the ledger alike in the words of `by` ("hour,feature,…"), as a node or a state folder knows them.
/// A line without an hour begins with the span.
Result<std::vector<policy::LedgerLine>> ledger_lines(const CostOptions& options, const std::string& by,
                                                     const Span& span);

/// The charges of the span, reserved hours shared out. What a pool without `since` cost before the first
/// attempt is not known and left out.
Result<std::vector<policy::Charge>> charges_in(const CostOptions& options, const config::Config& config,
                                               Span span);

// What each of the verbs does.
int show_costs(const CostOptions& options);
int reconcile_bill(const CostOptions& options);
int show_budgets(const CostOptions& options);
int plan_commitment(const CostOptions& options);

}  // namespace troupe::app
