// A ring of attempts in the order in which they began.
#include "runtime/policy/silence_watch.hpp"

namespace troupe::policy {

void SilenceWatch::grow() {
  constexpr std::size_t places_first = 64;
  std::vector<Entry> wider(ring_.empty() ? places_first : 2 * ring_.size());
  for (std::size_t i = 0; i < used_; ++i) wider[i] = ring_[(first_ + i) & (ring_.size() - 1)];
  ring_ = std::move(wider);
  first_ = 0;
}

void SilenceWatch::began(std::uint64_t attempt, Instant now) {
  if (used_ == watched_max) return;
  if (used_ == ring_.size()) grow();
  ring_[(first_ + used_++) & (ring_.size() - 1)] = {now, attempt};
}

std::optional<std::uint64_t> SilenceWatch::due(Instant now, Duration patience) {
  if (patience <= Duration::zero()) used_ = 0;
  if (used_ == 0 || now - ring_[first_].began < patience) return std::nullopt;
  auto attempt = ring_[first_].attempt;
  first_ = (first_ + 1) & (ring_.size() - 1);
  --used_;
  return attempt;
}

}  // namespace troupe::policy
