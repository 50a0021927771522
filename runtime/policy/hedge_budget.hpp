// When a second attempt may be started beside one that is slow to begin (E10). Pure.
#pragma once

#include "runtime/policy/fair_queue.hpp"
#include "runtime/policy/latency_sketch.hpp"

#include <array>
#include <optional>
#include <string>

namespace troupe::policy {

struct HedgePolicy {
  bool enabled = false;
  /// Hedges as a share of requests.
  double budget_share = 0.05;
  /// Saved up at most; also allowed from the start.
  double budget_max = 10;
  /// Not before a first token is later than this share of the class's own first tokens were.
  double ttft_quantile = 0.95;
  /// First tokens of the class seen before it is known what is late.
  double samples_min = 50;
  /// None while this share of the capacity for running calls is in use: under overload a hedge only adds to
  /// it.
  double load_max = 0.8;
  /// The second attempt may cost this many times the first, by the tables.
  double price_factor_max = 2;
  /// Only when this many times the usual wait for a first token is left until the deadline.
  double deadline_factor = 2;
};
/// Empty when sound, else what is wrong and what would be right.
std::optional<std::string> validate(const HedgePolicy& policy);

/// Hedged requests (Dean, Barroso 2013, "The tail at scale") against a budget. One per feature and node. Not
/// thread-safe; allocates nothing.
class HedgeBudget {
 public:
  explicit HedgeBudget(HedgePolicy policy) : policy_(policy), tokens_(policy.budget_max) {}

  /// A request's first attempt begins: earns `budget_share` of a hedge.
  void on_request();
  /// A first token came, from an attempt that was no hedge: what one waits for must not be what hedging made
  /// of it. One that never came counts as it was when given up.
  void on_ttft(WorkClass work_class, Duration ttft);
  /// How long a first token of this class may be waited for; nothing while too little is known, or when off.
  std::optional<Duration> patience(WorkClass work_class) const;

  struct Wish {
    WorkClass work_class = WorkClass::interactive;
    Duration waited{}, deadline_left{};
    /// Estimated USD of the first attempt and of the second.
    double first_usd = 0, second_usd = 0;
    /// Of the running calls' limit, the fuller of the feature's and the second endpoint's.
    double load = 0;
  };
  enum class Verdict { go, off, too_early, unknown, overload, too_dear, too_late, no_budget };
  /// Takes one hedge from the budget when the verdict is `go`; otherwise the first reason against it.
  Verdict take(const Wish& wish);
  double left() const { return tokens_; }

 private:
  HedgePolicy policy_;
  double tokens_;
  struct Class {
    LatencySketch ttft;
    double late = 0, usual = 0;  ///< seconds, as of the last look
    int unseen = 0;              ///< first tokens since
  };
  std::array<Class, 3> classes_;
};
const char* to_string(HedgeBudget::Verdict verdict);

}  // namespace troupe::policy
