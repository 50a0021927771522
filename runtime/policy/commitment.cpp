#include "runtime/policy/commitment.hpp"

#include <algorithm>
#include <limits>

namespace troupe::policy {

Commitment commitment_of(std::uint32_t units, std::span<const double> demand,
                         const CommitmentPrices& prices) {
  double used = 0, spilled = 0;
  for (auto each : demand) {
    auto wanted = std::max(0.0, each);
    used += std::min<double>(wanted, units);
    spilled += std::max(0.0, wanted - units);
  }
  auto hours = std::max<double>(1, static_cast<double>(demand.size()));
  Commitment out;
  out.units = units;
  out.spilled_usd = prices.spill * spilled / hours;
  out.usd = prices.unit * units + out.spilled_usd;
  out.utilisation = units > 0 ? used / hours / units : 0;
  return out;
}

std::optional<Commitment> best_commitment(std::span<const double> demand, const CommitmentPrices& prices,
                                          std::uint32_t units_max) {
  if (!(prices.unit > 0) || !(prices.spill > 0)) return std::nullopt;
  auto hours = std::max<double>(1, static_cast<double>(demand.size()));
  std::uint32_t units = 0;
  for (; units < units_max; ++units) {
    double use = 0;
    for (auto each : demand) use += std::clamp(each - units, 0.0, 1.0);
    if (use / hours <= break_even_utilisation(prices)) break;
  }
  return commitment_of(units, demand, prices);
}

double break_even_utilisation(const CommitmentPrices& prices) {
  return prices.spill > 0 ? prices.unit / prices.spill : std::numeric_limits<double>::infinity();
}

double on_demand_per_hour(const QuotaPolicy& limits, double input_per_call, double output_per_call,
                          const Price& price) {
  auto output = limits.output_burndown * output_per_call;
  auto calls = std::numeric_limits<double>::infinity();
  auto bound = [&calls](double per_minute, double tokens) {
    if (per_minute > 0 && tokens > 0) calls = std::min(calls, per_minute * 60 / tokens);
  };
  bound(limits.input_tokens_per_minute, input_per_call + (limits.output_from_input ? output : 0));
  if (!limits.output_from_input) bound(limits.output_tokens_per_minute, output);
  if (calls == std::numeric_limits<double>::infinity()) return 0;
  return calls * (price.input * input_per_call + price.output * output_per_call) / 1e6;
}

}  // namespace troupe::policy
