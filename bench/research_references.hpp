// What crosses between agents when they hand over references, and when they hand over whole texts (M11).
#pragma once

#include "bench/research_ways.hpp"

#include <string>
#include <vector>

namespace troupe::bench {

/// Every question with 3 agents, with artefacts by reference and without ("without": "references"): bytes
/// that agents hand the lead, that stand in the lead's prompts, in all prompts, and in the journal; and the
/// quality of the answers, paired. 0.
int measure_references(const CorpusPtr& corpus, const std::vector<KnownQuestion>& questions,
                       const std::string& half);

}  // namespace troupe::bench
