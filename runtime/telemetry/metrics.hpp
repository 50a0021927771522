// One view over all clouds: the same figures, names and units for every provider, in Prometheus' text format
// (H1).
#pragma once

#include <troupe/completion.hpp>
#include <troupe/time.hpp>

#include <cstdint>
#include <memory>
#include <string>

namespace troupe::telemetry {

/// How one attempt ended, whoever served it.
struct AttemptFigures {
  /// Labels. Never a tenant, a run or anything else a caller chooses freely.
  std::string endpoint, model, provider, cause;
  /// Empty when it succeeded, else an Errc name.
  std::string error;
  /// Zero: no token came.
  Duration ttft{};
  Duration total{};
  Usage usage;
  double usd = 0;
};

/// A feature's calls on this node; in = served + refused + expired + waiting (C3).
struct QueueFigures {
  std::string feature;
  std::uint64_t waiting = 0, running = 0;
  /// Since the queue began.
  std::uint64_t in = 0, served = 0, refused = 0, expired = 0;
};

/// Thread-safe. What it holds, with units in the names:
///
///     troupe_attempts_total{endpoint,model,provider,cause,error}
///     troupe_attempt_ttft_seconds, troupe_attempt_seconds{endpoint,model,provider}   histograms
///     troupe_tokens_total{endpoint,model,provider,kind}
///         kind: input, output, cache_read, cache_write, reasoning
///     troupe_usd_total{endpoint,model,provider,cause}
///     troupe_breaker_state{endpoint,state}                   1 for the present state, 0 for the others
///     troupe_breaker_share{endpoint}                         share of traffic admitted, 0 to 1
///     troupe_queue_waiting, troupe_queue_running{feature}
///     troupe_calls{feature,outcome}                          outcome: in, served, refused, expired
///     troupe_concentration{by}, troupe_concentration_share{by,place}   by: provider, region
///     troupe_unrecognised_total{endpoint,kind}               kind: stop, error
///     troupe_credential_fetches_total{principal,outcome}     outcome: ok, failed
///     troupe_auth_retries_total{endpoint}
class Metrics {
 public:
  /// Distinct label values of each label. What comes later is counted together under "other", so that no
  /// input can make the exposition grow without bound.
  static constexpr std::size_t label_values_max = 1000;

  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  void attempt_ended(const AttemptFigures& figures);
  /// `state`: closed, open or partial.
  void breaker_moved(const std::string& endpoint, const std::string& state, double share);
  void queue_stands(const QueueFigures& figures);
  /// How concentrated the last hour's tokens are, 1: all in one place (C9). `by`: provider or region.
  void concentrated(const std::string& by, double index);
  /// That place's share of them.
  void share_of(const std::string& by, const std::string& place, double share);
  /// A provider said a word our tables do not have. `kind`: "stop" or "error".
  void unrecognised(const std::string& endpoint, const std::string& kind);
  /// An issuer was asked for a credential of `principal`.
  void credential_fetched(const std::string& principal, bool obtained);
  /// A request was refused for its credential and sent again with a newer one, or with a corrected time.
  void auth_retried(const std::string& endpoint);
  /// Everything, in Prometheus' text format 0.0.4.
  std::string exposition() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace troupe::telemetry
