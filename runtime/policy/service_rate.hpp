// How fast something was served lately.
#pragma once

#include <troupe/time.hpp>

#include <optional>

namespace troupe::policy {

/// Events a second over about the last `window`, in constant space: the present window, and of the one before
/// the part that is not over yet. Not thread-safe.
class ServiceRate {
 public:
  static constexpr Duration window = std::chrono::seconds(10);
  /// Time passes; without events the rate falls.
  void at(Instant now);
  void served(Instant now);
  /// Nothing when none was served lately.
  std::optional<double> per_second() const;

 private:
  std::optional<Instant> first_;
  Instant start_, last_;
  double present_ = 0, before_ = 0;
};

}  // namespace troupe::policy
