#include "runtime/policy/service_time.hpp"

#include "runtime/base/clock.hpp"

#include <algorithm>
#include <bit>

namespace troupe::policy {

ServiceTime::Size& ServiceTime::size_of(std::uint64_t output_tokens) {
  auto size = static_cast<std::size_t>(std::bit_width(output_tokens)) / 2;
  return sizes_[std::min(size, sizes_.size() - 1)];
}

void ServiceTime::learn(Size& size, double took) {
  if (size.took.count() >= memory) size.took.fade(0.5);
  size.took.add(took);
  size.known = -1;
}

void ServiceTime::finished(std::uint64_t output_tokens, Duration took) {
  learn(size_of(output_tokens), seconds(took));
}

// The middle of those that took longer; where none did, half as long again.
void ServiceTime::cut(std::uint64_t output_tokens, Duration after) {
  auto& size = size_of(output_tokens);
  double above = size.took.share_above(seconds(after));
  learn(size, above > 0 ? size.took.quantile(1 - above / 2) : 1.5 * seconds(after));
}

std::optional<Duration> ServiceTime::quantile(std::uint64_t output_tokens, double share) {
  auto& size = size_of(output_tokens);
  if (size.took.count() < samples_min) return std::nullopt;
  if (size.known < 0 || size.share != share) {
    size.share = share;
    size.known = size.took.quantile(share);
  }
  return from_seconds(size.known);
}

}  // namespace troupe::policy
