// Is the candidate as good as the model it would replace? A verdict by equivalence: "not shown to differ" is
// not "equal" (MECHANISMS B6; EVALUATION 4.3, 3 and 6). Pure.
#pragma once

#include <troupe/error.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace troupe::policy {

/// How one of the two answered the same request. Seconds.
struct ParitySide {
  std::optional<Errc> error;
  double ttft = 0, total = 0;
  std::uint64_t output_tokens = 0;
  /// In [0,1]; absent: not judged.
  std::optional<double> quality;
  /// Not compared here: the gates of a rollout look at it.
  double usd = 0;
};
struct ParityPair {
  ParitySide old, fresh;
};

/// How far apart the two may be and still count as equal.
struct ParityPolicy {
  /// Of the median and the 90th percentile of latencies, as a share: 0.04 is 4 %.
  double latency_margin = 0.04;
  /// Of the mean quality.
  double quality_margin = 0.02;
  /// Of the share of each kind of error, and of all of them.
  double error_margin = 0.01;
  /// Of the mean length of answers, as a share.
  double length_margin = 0.05;
  /// Of each test that finds two different models equal; and of all lines together that one of them finds
  /// twins different.
  double alpha = 0.05;
};
std::optional<std::string> validate(const ParityPolicy& policy);

/// `different`: beyond the margin as far as one can tell. `unproven`: more pairs are needed. Only `equal` is
/// equal.
enum class Parity : std::uint8_t { equal, unproven, different };
const char* to_string(Parity verdict);

/// One comparison: the interval of fresh - old at level 1 - 2 alpha. Two one-sided tests reject, each at
/// alpha, exactly when it lies within +-margin (Schuirmann 1987).
struct ParityLine {
  std::string what;
  Parity verdict = Parity::unproven;
  double low = 0, high = 0, margin = 0;
  std::size_t pairs = 0;
};
struct ParityReport {
  /// Equal only when every line is (an intersection-union test: no correction needed); different when one is.
  Parity verdict = Parity::unproven;
  std::vector<ParityLine> lines;
};

/// Quality and length by paired differences; latency quantiles by order statistics on the logarithm (Woodruff
/// 1952), errors as differences of paired shares. Fewer than 100 pairs: unproven. Quality is left out when no
/// pair was judged on both sides. O(n log n).
ParityReport compare(const std::vector<ParityPair>& pairs, const ParityPolicy& policy);

/// The p quantile of the standard normal law (Acklam's rational approximation, relative error 1.2e-9). p in
/// (0,1).
double normal_quantile(double p);

}  // namespace troupe::policy
