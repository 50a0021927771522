// How much capacity to commit to, given what demand may be and what spilling costs (I7, C14). Pure.
#pragma once

#include "runtime/policy/quota.hpp"
#include "runtime/policy/route.hpp"

#include <cstdint>
#include <optional>
#include <span>

namespace troupe::policy {

/// Both in USD for one unit's worth of work in an hour.
struct CommitmentPrices {
  /// A unit for an hour, used or not.
  double unit = 0;
  /// The same work on demand: what an hour of one unit, fully used, costs when it spills.
  double spill = 0;
};

struct Commitment {
  std::uint32_t units = 0;
  /// Expected, for an hour.
  double usd = 0, spilled_usd = 0;
  /// Of the committed units, in [0, 1]; 0 without any.
  double utilisation = 0;
};

/// Expected cost of an hour with `units`: unit * q + spill * E[(D - q)+], over samples of demand in units,
/// each equally likely. No samples: demand is zero.
Commitment commitment_of(std::uint32_t units, std::span<const double> demand, const CommitmentPrices& prices);

/// The cheapest number of units, at most `units_max`; the fewer of equally cheap ones. The newsvendor's
/// answer (Arrow, Harris and Marschak, Econometrica 19, 1951): unit q + 1 is worth having as long as the
/// share of hours that would use it, weighted by how much, P = E[min(1, (D - q)+)], exceeds unit / spill. For
/// demand in whole units that is the fractile F(q) >= 1 - unit / spill. Cost is convex in q, so the first
/// unit not worth having ends the search. Nothing when a price is not above 0.
std::optional<Commitment> best_commitment(std::span<const double> demand, const CommitmentPrices& prices,
                                          std::uint32_t units_max);

/// Utilisation above which a committed unit is cheaper than paying by the token: unit / spill (C14). Above 1:
/// never.
double break_even_utilisation(const CommitmentPrices& prices);

/// What an hour of `units` units costs on demand when they are full of calls of this shape: as many as the
/// tighter of the buckets lets through. Zero when no bucket is limited.
double on_demand_per_hour(const QuotaPolicy& limits, double input_per_call, double output_per_call,
                          const Price& price);

}  // namespace troupe::policy
