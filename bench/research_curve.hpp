// "Not found" said rightly and falsely, by the certainty that is asked for.
#pragma once

#include "bench/research_ways.hpp"

#include <string>
#include <vector>

namespace troupe::bench {

/// Each question with its gold documents there, and with them hidden; prints both shares for 21 thresholds.
void measure_curve(const CorpusPtr& corpus, const std::vector<KnownQuestion>& questions,
                   const std::string& half);

}  // namespace troupe::bench
