// The families of figures and how facts become them.
#include "runtime/telemetry/metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <map>
#include <mutex>
#include <set>

namespace troupe::telemetry {
namespace {

using Labels = prometheus::Labels;

double in_seconds(Duration d) { return std::chrono::duration<double>(d).count(); }

// From the first token of a small fast model to the end of a long answer.
const prometheus::Histogram::BucketBoundaries kSeconds{
    0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1, 1.5, 2, 3, 5, 7.5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600};

}  // namespace

struct Metrics::Impl {
  template <class T>
  prometheus::Family<T>& family(prometheus::detail::Builder<T> builder, const char* name, const char* help) {
    return builder.Name(name).Help(help).Register(registry);
  }

  // Bounds the values a label may take; `mutex` is held.
  std::string known(const std::string& label, const std::string& value) {
    auto& values = seen[label];
    if (values.contains(value)) return value;
    if (values.size() >= label_values_max) return "other";
    values.insert(value);
    return value;
  }
  Labels served_by(const AttemptFigures& figures) {
    return {{"endpoint", known("endpoint", figures.endpoint)},
            {"model", known("model", figures.model)},
            {"provider", known("provider", figures.provider)}};
  }
  static Labels with(Labels labels, const std::string& name, const std::string& value) {
    labels[name] = value;
    return labels;
  }

  mutable std::mutex mutex;
  std::map<std::string, std::set<std::string>> seen;
  prometheus::Registry registry;
  prometheus::Family<prometheus::Counter>& attempts = family(
      prometheus::BuildCounter(), "troupe_attempts_total", "Attempts ended; error is empty for success.");
  prometheus::Family<prometheus::Histogram>& ttft =
      family(prometheus::BuildHistogram(), "troupe_attempt_ttft_seconds",
             "Time to the first token, where one came.");
  prometheus::Family<prometheus::Histogram>& total = family(
      prometheus::BuildHistogram(), "troupe_attempt_seconds", "Time to the end of attempts that succeeded.");
  prometheus::Family<prometheus::Counter>& tokens = family(prometheus::BuildCounter(), "troupe_tokens_total",
                                                           "Tokens by kind; reasoning is part of output.");
  prometheus::Family<prometheus::Counter>& usd =
      family(prometheus::BuildCounter(), "troupe_usd_total", "Cost at list prices.");
  prometheus::Family<prometheus::Counter>& words =
      family(prometheus::BuildCounter(), "troupe_unrecognised_total",
             "Stop reasons and error types our tables do not have.");
  prometheus::Family<prometheus::Counter>& fetches =
      family(prometheus::BuildCounter(), "troupe_credential_fetches_total",
             "Credentials asked of issuers, by how that ended.");
  prometheus::Family<prometheus::Counter>& auth_retries =
      family(prometheus::BuildCounter(), "troupe_auth_retries_total",
             "Requests sent again with a newer credential or a corrected time.");
  prometheus::Family<prometheus::Gauge>& state =
      family(prometheus::BuildGauge(), "troupe_breaker_state", "1 for the breaker's present state.");
  prometheus::Family<prometheus::Gauge>& share =
      family(prometheus::BuildGauge(), "troupe_breaker_share", "Share of traffic admitted.");
  prometheus::Family<prometheus::Gauge>& waiting =
      family(prometheus::BuildGauge(), "troupe_queue_waiting", "Calls waiting to be served.");
  prometheus::Family<prometheus::Gauge>& running =
      family(prometheus::BuildGauge(), "troupe_queue_running", "Calls being served.");
  prometheus::Family<prometheus::Gauge>& calls =
      family(prometheus::BuildGauge(), "troupe_calls", "Calls since the queue began, by outcome.");
  prometheus::Family<prometheus::Gauge>& concentration =
      family(prometheus::BuildGauge(), "troupe_concentration",
             "Sum of squared shares of the last hour's tokens: 1 when one place has all.");
  prometheus::Family<prometheus::Gauge>& place_share =
      family(prometheus::BuildGauge(), "troupe_concentration_share", "Share of the last hour's tokens.");
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

void Metrics::attempt_ended(const AttemptFigures& figures) {
  std::lock_guard lock(impl_->mutex);
  auto by = impl_->served_by(figures);
  auto for_cause = Impl::with(by, "cause", impl_->known("cause", figures.cause));
  impl_->attempts.Add(Impl::with(for_cause, "error", impl_->known("error", figures.error))).Increment();
  if (figures.ttft > Duration::zero()) impl_->ttft.Add(by, kSeconds).Observe(in_seconds(figures.ttft));
  if (figures.error.empty()) impl_->total.Add(by, kSeconds).Observe(in_seconds(figures.total));
  if (figures.usd > 0) impl_->usd.Add(for_cause).Increment(figures.usd);
  const auto& usage = figures.usage;
  const std::pair<const char*, std::int64_t> kinds[] = {{"input", usage.input},
                                                        {"output", usage.output},
                                                        {"cache_read", usage.cache_read},
                                                        {"cache_write", usage.cache_write},
                                                        {"reasoning", usage.reasoning}};
  for (const auto& [kind, count] : kinds)
    if (count > 0) impl_->tokens.Add(Impl::with(by, "kind", kind)).Increment(static_cast<double>(count));
}

void Metrics::breaker_moved(const std::string& endpoint, const std::string& state, double share) {
  std::lock_guard lock(impl_->mutex);
  Labels labels{{"endpoint", impl_->known("endpoint", endpoint)}};
  for (const char* each : {"closed", "open", "partial"})
    impl_->state.Add(Impl::with(labels, "state", each)).Set(state == each ? 1 : 0);
  impl_->share.Add(labels).Set(share);
}

void Metrics::queue_stands(const QueueFigures& figures) {
  std::lock_guard lock(impl_->mutex);
  Labels labels{{"feature", impl_->known("feature", figures.feature)}};
  impl_->waiting.Add(labels).Set(static_cast<double>(figures.waiting));
  impl_->running.Add(labels).Set(static_cast<double>(figures.running));
  const std::pair<const char*, std::uint64_t> outcomes[] = {{"in", figures.in},
                                                            {"served", figures.served},
                                                            {"refused", figures.refused},
                                                            {"expired", figures.expired}};
  for (const auto& [outcome, count] : outcomes)
    impl_->calls.Add(Impl::with(labels, "outcome", outcome)).Set(static_cast<double>(count));
}

void Metrics::concentrated(const std::string& by, double index) {
  std::lock_guard lock(impl_->mutex);
  impl_->concentration.Add({{"by", by}}).Set(index);
}

void Metrics::share_of(const std::string& by, const std::string& place, double share) {
  std::lock_guard lock(impl_->mutex);
  impl_->place_share.Add({{"by", by}, {"place", impl_->known("place", place)}}).Set(share);
}

void Metrics::unrecognised(const std::string& endpoint, const std::string& kind) {
  std::lock_guard lock(impl_->mutex);
  impl_->words.Add({{"endpoint", impl_->known("endpoint", endpoint)}, {"kind", kind}}).Increment();
}

void Metrics::credential_fetched(const std::string& principal, bool obtained) {
  std::lock_guard lock(impl_->mutex);
  Labels labels{{"principal", impl_->known("principal", principal)}};
  impl_->fetches.Add(Impl::with(labels, "outcome", obtained ? "ok" : "failed")).Increment();
}

void Metrics::auth_retried(const std::string& endpoint) {
  std::lock_guard lock(impl_->mutex);
  impl_->auth_retries.Add({{"endpoint", impl_->known("endpoint", endpoint)}}).Increment();
}

std::string Metrics::exposition() const {
  return prometheus::TextSerializer().Serialize(impl_->registry.Collect());
}

}  // namespace troupe::telemetry
