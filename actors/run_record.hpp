// What a run writes down of its calls and its end: rows for the journal, sums for people. Pure.
#pragma once

#include "runtime/journal/journal.hpp"

#include <troupe/run.hpp>

#include <string>
#include <vector>

namespace troupe::actors {

/// Where a call was made: by which step of which run, on which node.
struct CallSite {
  std::string run_id, step_key, node;
};

/// One row an attempt, numbered from 1 within the step.
std::vector<journal::UsageRow> usage_rows(const CallSite& site, const CompletionRequest& request,
                                          const std::vector<AttemptRecord>& attempts);

/// Tokens and dollars of all attempts. What caches served or took in counts as input.
struct Spent {
  std::int64_t tokens_in = 0, tokens_out = 0;
  double usd = 0;
};
Spent spent_on(const std::vector<AttemptRecord>& attempts);

/// What a step of that name asks of a tool or a child, for Entry::input_hash.
std::uint64_t input_hash(const StepKey& step, const std::string& of, const JsonText& input);
/// What a step fails with that an earlier life began and that must not be begun again.
Error unknown_outcome(const std::string& key);

/// A new run's row, before it is claimed.
journal::RunRow first_row(const RunSpec& spec, const std::string& version, const std::string& node,
                          WallTime created);
/// The row of a failed run that is tried again, or of a parked one that was woken.
journal::RunRow revived_row(journal::RunRow row);
/// Done or cancelled: nothing may follow.
bool ended_for_good(const journal::RunRow& row);
/// The run's row as it stands after this report: state, output or reason, and the sums over the report's
/// attempts, which hold what earlier lives recorded too. What its children used stands in their rows.
journal::RunRow ended_row(journal::RunRow row, const RunReport& report, WallTime at);

}  // namespace troupe::actors
