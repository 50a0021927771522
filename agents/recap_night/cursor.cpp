// A floor, and what was seen above it.
#include "agents/recap_night/cursor.hpp"

#include <algorithm>

namespace troupe::recap_night {

std::vector<SeenMessage> Cursor::take(std::span<const SeenMessage> batch) {
  std::vector<SeenMessage> out;
  for (const auto& message : batch) {
    newest_us_ = std::max(newest_us_, message.at_us);
    if (message.at_us <= floor_us_ || !seen_.emplace(message.at_us, message.ts).second) continue;
    out.push_back(message);
  }
  std::ranges::sort(
      out, [](const auto& a, const auto& b) { return a.at_us != b.at_us ? a.at_us < b.at_us : a.ts < b.ts; });
  // The floor rises only after the batch: within it, late and early are the same delivery.
  if (newest_us_ != INT64_MIN) floor_us_ = std::max(floor_us_, newest_us_ - lateness_us_);
  while (!seen_.empty() && seen_.begin()->first <= floor_us_) seen_.erase(seen_.begin());
  return out;
}

}  // namespace troupe::recap_night
