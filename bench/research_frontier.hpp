// What better answers cost (MECHANISMS M17): a curve, not one number.
#pragma once

#include "bench/research_ways.hpp"

#include <string>
#include <vector>

namespace troupe::bench {

/// Every question by every way: one search read at once (10, 20, 50 passages), 1, 2, 3 and 5 agents with 3, 6
/// and 12 tool calls each. Quality with its interval, and what was paid for; 0, or 66 without a price list.
int measure_frontier(const CorpusPtr& corpus, const std::vector<KnownQuestion>& questions,
                     const std::string& half);

}  // namespace troupe::bench
