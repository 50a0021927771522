#include "runtime/policy/service_rate.hpp"

#include "runtime/base/clock.hpp"

#include <algorithm>

namespace troupe::policy {

void ServiceRate::at(Instant now) {
  if (!first_) first_ = start_ = last_ = now;
  if (now <= last_) return;
  last_ = now;
  if (now - start_ < window) return;
  bool next = now - start_ < 2 * window;
  before_ = next ? present_ : 0;
  start_ = next ? start_ + window : now;
  present_ = 0;
}

void ServiceRate::served(Instant now) {
  at(now);
  ++present_;
}

std::optional<double> ServiceRate::per_second() const {
  if (!first_) return std::nullopt;
  double over = seconds(last_ - start_) / seconds(window);
  double events = before_ * std::clamp(1 - over, 0.0, 1.0) + present_;
  if (events < 0.5) return std::nullopt;
  constexpr Duration least = std::chrono::seconds(1);
  auto watched = std::clamp<Duration>(last_ - *first_, least, window);
  return events / seconds(watched);
}

}  // namespace troupe::policy
