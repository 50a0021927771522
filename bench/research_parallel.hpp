// How much sooner a run ends when its agents and their tools work at once (MECHANISMS M5).
#pragma once

#include "bench/research_ways.hpp"

#include <string>
#include <vector>

namespace troupe::bench {

/// Every question with 3, 4 and 5 agents, in virtual time: all at once, one after another, and each of the
/// two alone. Counted are questions where so many agents started and each made three tool calls or more. 0.
int measure_parallel(const CorpusPtr& corpus, const std::vector<KnownQuestion>& questions,
                     const std::string& half);

}  // namespace troupe::bench
