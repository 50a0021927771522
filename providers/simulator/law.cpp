// Log-normal draws.
#include "providers/simulator/law.hpp"

#include "runtime/base/clock.hpp"

#include <algorithm>
#include <cmath>

namespace troupe::providers::simulator {
namespace {

constexpr double kSecondsMax = 3600;

Duration log_normal(double median_seconds, double sigma, double scale, Rng& rng) {
  // Drawn even when unused, so that changing a scale does not shift the draws that follow.
  double drawn = median_seconds * std::exp(sigma * rng.normal()) * scale;
  return from_seconds(std::clamp(drawn, 0.0, kSecondsMax));
}

}  // namespace

Pace draw_pace(const config::LatencyLaw& law, std::int64_t input_tokens, double scale, Rng& rng) {
  double thousands = static_cast<double>(std::max<std::int64_t>(input_tokens, 0)) / 1000;
  double ttft = seconds(law.ttft_median) + seconds(law.ttft_per_1k_input) * thousands;
  Pace pace;
  pace.ttft = log_normal(ttft, law.ttft_sigma, scale, rng);
  pace.per_token = log_normal(seconds(law.inter_token_median), law.inter_token_sigma, scale, rng);
  return pace;
}

}  // namespace troupe::providers::simulator
