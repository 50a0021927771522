// Cheap workers, a middling critic, a dear lead: what the pyramid saves, and what it costs in answers (M21).
#pragma once

#include "bench/research_ways.hpp"

#include <string>
#include <vector>

namespace troupe::bench {

/// Every question with all calls dear, all cheap, as a pyramid, and as the pyramid upside down. There is one
/// simulated model only, so abilities are stated, not found: in each call a model of a tier overlooks each
/// passage of its prompt with the tier's chance (dear 0, middling 0.15, cheap 0.3), drawn from a hash of
/// prompt, passage and tier. Prices are those of three real models. The figures speak of the runtime's
/// routing by tier and of its arithmetic, not of what real models can do. 0, or 66 without a price list.
int measure_tiers(const CorpusPtr& corpus, const std::vector<KnownQuestion>& questions,
                  const std::string& half);

}  // namespace troupe::bench
