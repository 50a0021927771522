// The label by which a call says that a cheap model will do.
#pragma once

#include <troupe/request.hpp>

namespace troupe {

inline constexpr const char* kTierLabel = "tier";
inline constexpr const char* kCheapTier = "cheap";

/// The cheapest model of the feature's hierarchy then leads, as it does for runs whose budget is nearly
/// spent; without a cheaper one nothing changes.
inline bool cheap_will_do(const CompletionRequest& request) {
  auto tier = request.labels.find(kTierLabel);
  return tier != request.labels.end() && tier->second == kCheapTier;
}

}  // namespace troupe
