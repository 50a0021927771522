#include "runtime/policy/rollout_evidence.hpp"

#include <algorithm>
#include <cmath>

namespace troupe::policy {
namespace {

// Below it a latency is no measurement; its logarithm would drown the others.
constexpr double kLatencyFloor = 1e-4;

}  // namespace

void Moments::add(double x) {
  n += 1;
  double off = x - mean;
  mean += off / n;
  m2 += off * (x - mean);
}

void Moments::merge(const Moments& other) {
  if (other.n == 0) return;
  double sum = n + other.n, off = other.mean - mean;
  m2 += other.m2 + off * off * n * other.n / sum;
  mean += off * other.n / sum;
  n = sum;
}

Moments Moments::since(const Moments& before) const {
  if (before.n <= 0 || before.n > n) return *this;
  Moments out;
  out.n = n - before.n;
  if (out.n <= 0) return {};
  out.mean = (mean * n - before.mean * before.n) / out.n;
  double off = out.mean - before.mean;
  out.m2 = std::max(0.0, m2 - before.m2 - off * off * before.n * out.n / n);
  return out;
}

double Moments::variance_of_mean() const {
  if (n < 1) return 1e18;
  double smoothing = 0.5 / (n + 1);
  return (m2 / n + smoothing * smoothing) / n;
}

void SideEvidence::add(const CallFigures& call) {
  failed.add(call.failed ? 1 : 0);
  if (call.failed) return;
  log_ttft.add(std::log(std::max(call.ttft, kLatencyFloor)));
  log_total.add(std::log(std::max(call.total, kLatencyFloor)));
  usd.add(call.usd);
  if (call.quality) quality.add(*call.quality);
}

void SideEvidence::merge(const SideEvidence& other) {
  failed.merge(other.failed);
  log_ttft.merge(other.log_ttft);
  log_total.merge(other.log_total);
  usd.merge(other.usd);
  quality.merge(other.quality);
  preference.merge(other.preference);
}

namespace {

// EVALUATION's half-width sqrt(s2 (s2 + n t2) / (n^2 t2) ln((s2 + n t2) / (s2 alpha^2))), written in the
// information n / s2 = 1 / variance of the difference, so that the two sides may have different counts.
Bounds bounds_around(double estimate, double variance, double alpha, double scale) {
  double information = 1 / variance;
  double t2 = scale * scale, mixed = 1 + information * t2;
  double half = std::sqrt(mixed / (information * information * t2) * std::log(mixed / (alpha * alpha)));
  return {estimate - half, estimate + half, estimate};
}

}  // namespace

Bounds difference_bounds(const Moments& fresh, const Moments& old, double alpha, double scale) {
  return bounds_around(fresh.mean - old.mean, fresh.variance_of_mean() + old.variance_of_mean(), alpha,
                       scale);
}

Bounds preference_bounds(const Moments& preference, double alpha, double scale) {
  auto seen = preference;
  seen.add(1);
  seen.add(-1);
  return bounds_around(preference.mean, seen.m2 / (seen.n * seen.n), alpha, scale);
}

}  // namespace troupe::policy
