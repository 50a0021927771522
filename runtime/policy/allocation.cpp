#include "runtime/policy/allocation.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace troupe::policy {
namespace {

std::vector<double> sound_weights(std::span<const double> weights) {
  std::vector<double> out(weights.begin(), weights.end());
  for (auto& each : out)
    if (!(each > 0) || !std::isfinite(each)) each = 0;
  // Shares are asked for, so sums must not overflow.
  auto largest = out.empty() ? 0 : *std::ranges::max_element(out);
  if (largest > 0)
    for (auto& each : out) each /= largest;
  return out;
}

}  // namespace

std::vector<std::int64_t> apportion(std::int64_t total, std::span<const double> weights) {
  std::vector<std::int64_t> out(weights.size(), 0);
  if (out.empty()) return out;
  auto shares = sound_weights(weights);
  auto sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  if (sum <= 0) {
    out.back() = total;
    return out;
  }
  auto sign = total < 0 ? -1 : 1;
  auto left = total * sign;
  std::vector<std::pair<double, std::size_t>> remainders;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    auto quota = static_cast<double>(total * sign) * (shares[i] / sum);
    auto whole = std::min(left, static_cast<std::int64_t>(std::floor(quota)));
    out[i] = whole * sign;
    left -= whole;
    if (shares[i] > 0) remainders.emplace_back(-(quota - static_cast<double>(whole)), i);
  }
  std::ranges::sort(remainders);
  // Rounding of the quotas themselves can leave more than one unit for each when totals are huge.
  for (std::size_t i = 0; left > 0; i = (i + 1) % remainders.size(), --left)
    out[remainders[i].second] += sign;
  return out;
}

std::vector<std::int64_t> apportion_naively(std::int64_t total, std::span<const double> weights) {
  auto shares = sound_weights(weights);
  auto sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  std::vector<std::int64_t> out;
  for (auto each : shares) out.push_back(sum > 0 ? std::llround(static_cast<double>(total) * each / sum) : 0);
  return out;
}

std::int64_t Allocation::total_cents() const {
  auto sum = idle_cents;
  for (const auto& line : lines) sum += line.cents();
  return sum;
}

CapacityAllocation::CapacityAllocation(double units, std::span<const Reservation> reservations)
    : units_(std::max(0.0, units)) {
  for (const auto& each : reservations) reserved_[each.feature] += std::max(0.0, each.units);
  for (const auto& [feature, unused] : reserved_) held_[feature];
}

void CapacityAllocation::add(double hours, std::span<const CapacityUse> uses) {
  if (!(hours > 0)) return;
  std::map<std::string, Held> now;
  for (const auto& each : uses) now[each.feature].used += std::max(0.0, each.unit_hours);
  double used = 0, headroom = 0;
  for (const auto& [feature, units] : reserved_)
    now[feature].headroom = std::max(0.0, units * hours - now[feature].used);
  for (const auto& [feature, each] : now) {
    used += each.used;
    headroom += each.headroom;
  }
  auto capacity = units_ * hours;
  auto free = std::max(0.0, capacity - used);
  auto kept = headroom > free ? free / headroom : 1;
  auto fits = used > capacity ? capacity / used : 1;
  for (const auto& [feature, each] : now) {
    held_[feature].used += each.used * fits;
    held_[feature].headroom += each.headroom * kept;
  }
  idle_ += std::max(0.0, free - headroom);
}

Allocation CapacityAllocation::close(std::int64_t bill_cents) const {
  std::vector<double> weights;
  for (const auto& [feature, each] : held_) {
    weights.push_back(each.used);
    weights.push_back(each.headroom);
  }
  weights.push_back(idle_);
  auto cents = apportion(bill_cents, weights);
  Allocation out;
  std::size_t at = 0;
  for (const auto& [feature, each] : held_) {
    out.lines.push_back({feature, each.used, each.headroom, cents[at], cents[at + 1]});
    at += 2;
  }
  out.idle = idle_;
  out.idle_cents = cents.back();
  return out;
}

Allocation allocate(std::int64_t bill_cents, double units, double hours, std::span<const CapacityUse> uses,
                    std::span<const Reservation> reservations) {
  CapacityAllocation allocation(units, reservations);
  allocation.add(hours, uses);
  return allocation.close(bill_cents);
}

}  // namespace troupe::policy
