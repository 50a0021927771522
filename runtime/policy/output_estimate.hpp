// How much a call will probably write, learned from what calls like it wrote (C2).
#pragma once

#include <troupe/time.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

namespace troupe::policy {

struct EstimatePolicy {
  /// Off: everything the request allows is reserved.
  bool enabled = true;
  /// Of what calls alike wrote. Above the middle, so that errors of many calls in flight at once cancel
  /// rather than add up.
  double quantile = 0.9;
  /// Calls of the workload seen before it is believed.
  double samples_min = 20;
  /// About so many calls are remembered per workload and size; older ones fade.
  double memory = 500;
};
/// Empty when sound, else what is wrong and what would be right.
std::optional<std::string> validate(const EstimatePolicy& policy);

/// A value per workload (of a feature, say: any stable number) and class of input size, each class four times
/// the one before. An answer is at most 12.5 % above the exact quantile. Not thread-safe. Allocates when a
/// workload is first seen; at most workloads_max, then the longest unused is forgotten.
class OutputEstimator {
 public:
  static constexpr std::size_t workloads_max = 128;
  /// For who serves one feature only, whose calls are alike.
  static constexpr std::uint64_t whole_feature = 0;

  explicit OutputEstimator(EstimatePolicy policy) : policy_(policy) {}
  /// At most `output_tokens_max`, and just that while too little is known.
  double estimate(std::uint64_t workload, double input_tokens, double output_tokens_max) const;
  /// A call ended whole and wrote this much.
  void learn(std::uint64_t workload, double input_tokens, double output_tokens);
  std::size_t workloads() const { return workloads_.size(); }

 private:
  /// Geometric, from 1 token on: 1.125^110 is above 400,000.
  static constexpr std::size_t steps = 112;
  static constexpr std::size_t sizes = 6;
  struct Histogram {
    std::array<float, steps> weight{};
    double count = 0;
    void add(double tokens, double memory);
    double quantile(double q) const;
  };
  struct Workload {
    std::array<Histogram, sizes> by_size;
    Histogram all;
    std::uint64_t used = 0;
  };
  static std::size_t size_of(double input_tokens);
  void forget_one();

  EstimatePolicy policy_;
  std::unordered_map<std::uint64_t, Workload> workloads_;
  std::uint64_t clock_ = 0;
};

}  // namespace troupe::policy
