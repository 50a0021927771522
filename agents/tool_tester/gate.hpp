// The experiment gate: whether a proposed description is taken, by paired outcomes on tasks its author has
// not seen.
#pragma once

#include "agents/evaluation/bootstrap.hpp"
#include "agents/tool_tester/probes.hpp"

#include <string>
#include <vector>

namespace troupe::tool_tester {

/// One held-out task, worked on as often with either text.
struct Pair {
  Probe probe;
  std::vector<Outcome> before, after;
};

struct Verdict {
  bool accepted = false;
  /// In words, for people.
  std::string why;
  /// Saved by the proposed text per task, paired: mean and 95 % interval, tasks resampled (bootstrap.hpp).
  evaluation::Interval calls_saved, ms_saved;
  std::size_t solved_before = 0, solved_after = 0, worked = 0;
};

/// Accepts only if the interval of calls saved lies above 0, that of the time saved does not lie below 0, and
/// no fewer tasks are solved. Never with fewer than kHeldOutMin pairs. Pure: a fixed seed, so that whoever
/// reads the outcomes comes to the same verdict.
Verdict judge(const std::vector<Pair>& pairs);

}  // namespace troupe::tool_tester
