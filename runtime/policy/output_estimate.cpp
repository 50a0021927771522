#include "runtime/policy/output_estimate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace troupe::policy {
namespace {

constexpr double kStep = 1.125;
const double kLogStep = std::log(kStep);
constexpr double kSmallestInput = 256;

}  // namespace

std::optional<std::string> validate(const EstimatePolicy& policy) {
  if (!(policy.quantile > 0 && policy.quantile < 1))
    return fmt::format("quantile is {}; it must lie between 0 and 1, usually 0.9", policy.quantile);
  if (!(policy.samples_min >= 1 && policy.samples_min <= 1e6))
    return fmt::format("samples_min is {}; it must be from 1 to 1000000", policy.samples_min);
  if (!(policy.memory >= policy.samples_min && policy.memory <= 1e7))
    return fmt::format("memory is {}; it must be at least samples_min, usually 500", policy.memory);
  return std::nullopt;
}

void OutputEstimator::Histogram::add(double tokens, double memory) {
  double step = tokens > 1 ? std::ceil(std::log(tokens) / kLogStep) : 0;
  weight[static_cast<std::size_t>(std::min(step, static_cast<double>(steps - 1)))] += 1;
  if (++count < 2 * memory) return;
  // Halved at twice the memory: the past fades, and an addition stays cheap.
  count = 0;
  for (auto& each : weight) count += each /= 2;
}

double OutputEstimator::Histogram::quantile(double q) const {
  double seen = 0;
  for (std::size_t i = 0; i < steps; ++i) {
    seen += weight[i];
    if (seen >= q * count) return std::pow(kStep, static_cast<double>(i));
  }
  return std::pow(kStep, static_cast<double>(steps));
}

std::size_t OutputEstimator::size_of(double input_tokens) {
  std::size_t size = 0;
  for (double bound = kSmallestInput; size + 1 < sizes && input_tokens > bound; bound *= 4) ++size;
  return size;
}

double OutputEstimator::estimate(std::uint64_t workload, double input_tokens,
                                 double output_tokens_max) const {
  if (!policy_.enabled) return output_tokens_max;
  auto known = workloads_.find(workload);
  if (known == workloads_.end()) return output_tokens_max;
  const auto& alike = known->second.by_size[size_of(input_tokens)];
  const auto& best = alike.count >= policy_.samples_min ? alike : known->second.all;
  if (best.count < policy_.samples_min) return output_tokens_max;
  return std::min(best.quantile(policy_.quantile), output_tokens_max);
}

void OutputEstimator::learn(std::uint64_t workload, double input_tokens, double output_tokens) {
  if (!policy_.enabled || !std::isfinite(output_tokens) || output_tokens < 0) return;
  if (workloads_.size() >= workloads_max && !workloads_.contains(workload)) forget_one();
  auto& known = workloads_[workload];
  known.used = ++clock_;
  known.by_size[size_of(input_tokens)].add(output_tokens, policy_.memory);
  known.all.add(output_tokens, policy_.memory);
}

void OutputEstimator::forget_one() {
  auto oldest = std::ranges::min_element(workloads_, {}, [](const auto& item) { return item.second.used; });
  workloads_.erase(oldest);
}

}  // namespace troupe::policy
