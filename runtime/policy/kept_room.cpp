#include "runtime/policy/kept_room.hpp"

#include <algorithm>
#include <cmath>

namespace troupe::policy {
namespace {

/// Above it headroom means "no limit".
constexpr double kUnlimited = 1e17;
/// Of the most, per view: half in an hour.
constexpr double kFading = 0.99999;
constexpr double kFull = 0.98;

double most_of(double known, double headroom) {
  return headroom < kUnlimited ? std::max(known * kFading, headroom) : 0;
}

bool tokens_free(double most, double headroom, double need, double share) {
  if (most <= 0) return true;
  return headroom >= std::min(need + (1 - share) * most, kFull * most);
}

}  // namespace

void KeptRoom::on_view(std::uint32_t endpoint, const HealthView* view) {
  auto& seen = seen_[endpoint];
  seen.sent = seen.input = seen.output = 0;
  if (view == nullptr) return;
  seen.input_most = most_of(seen.input_most, view->input_headroom);
  seen.output_most = most_of(seen.output_most, view->output_headroom);
}

void KeptRoom::on_sent(std::uint32_t endpoint, double input_tokens, double output_tokens) {
  auto& seen = seen_[endpoint];
  ++seen.sent;
  seen.input += input_tokens;
  seen.output += output_tokens;
}

bool KeptRoom::free_for(std::uint32_t endpoint, const HealthView& view, const Wish& wish) const {
  const auto& seen = seen_[endpoint];
  double places = view.in_flight_max;
  if (places > 0 && view.in_flight + seen.sent >= std::ceil(wish.share * places)) return false;
  return tokens_free(seen.input_most, view.input_headroom - seen.input, wish.input_tokens, wish.share) &&
         tokens_free(seen.output_most, view.output_headroom - seen.output, wish.output_tokens, wish.share);
}

}  // namespace troupe::policy
