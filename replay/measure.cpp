#include "replay/measure.hpp"

#include "replay/luck.hpp"
#include "runtime/base/clock.hpp"

#include <algorithm>
#include <cmath>

namespace troupe::replay {
namespace {

bool lasts(const Incident& incident, Duration at) {
  return at >= incident.from && (incident.to == Duration{} || at < incident.to);
}

bool is_of(const Incident& incident, std::uint32_t endpoint) {
  return std::ranges::binary_search(incident.endpoints, endpoint);
}

// Whole seconds, so that points of different policies and seeds lie on one grid.
Duration step_of(Duration length) {
  double step = std::ceil(seconds(length) / static_cast<double>(Measure::series_max));
  return from_seconds(std::max(step, 1.0));
}

}  // namespace

Quantiles quantiles_of(const policy::LatencySketch& sketch) {
  return {sketch.quantile(0.5), sketch.quantile(0.9), sketch.quantile(0.99)};
}

Measure::Measure(const Clouds& clouds, std::size_t features, Duration length)
    : clouds_(&clouds), step_(step_of(length)), closed_(clouds.models.size(), true) {
  result_.endpoints.resize(clouds.models.size());
  result_.features.resize(features);
  result_.incidents.resize(clouds.incidents.size());
  point_.endpoints.resize(clouds.models.size());
}

template <class Act>
void Measure::during(Duration at, Act&& act) {
  for (std::size_t i = 0; i < clouds_->incidents.size(); ++i)
    if (lasts(clouds_->incidents[i], at)) act(clouds_->incidents[i], result_.incidents[i]);
}

void Measure::offered(std::uint32_t feature, Duration at) {
  ++result_.offered;
  ++result_.features[feature].offered;
  ++point_.offered;
  during(at, [](const Incident&, IncidentResult& result) {
    ++result.requests;
    if (result.detected) ++result.requests_after_detection;
  });
}

void Measure::attempt_began(std::uint32_t endpoint, Cause cause, bool first, Duration at) {
  ++result_.attempts;
  ++result_.attempts_by_cause[static_cast<std::size_t>(cause)];
  ++result_.endpoints[endpoint].attempts;
  ++point_.endpoints[endpoint].attempts;
  during(at, [&](const Incident& incident, IncidentResult& result) {
    if (!is_of(incident, endpoint)) return;
    ++result.sick_attempts;
    if (first) ++result.sick_primary;
    if (result.detected) ++result.sick_after_detection;
  });
}

void Measure::attempt_ended(const AttemptFact& fact, Cause cause, double usd) {
  auto& totals = result_.endpoints[fact.endpoint];
  auto& point = point_.endpoints[fact.endpoint];
  bool cancelled = fact.error == Errc::cancelled;
  if (fact.error && !cancelled) {
    ++totals.failures;
    ++point.failures;
    if (*fact.error == Errc::rate_limited) ++totals.throttled;
  }
  totals.input += fact.input;
  totals.cached += fact.cached;
  totals.output += fact.output;
  totals.usd += usd;
  point.tokens += fact.input + fact.cached + fact.output;
  point_.usd += usd;
  result_.usd_by_cause[static_cast<std::size_t>(cause)] += usd;
}

void Measure::call_ended(const CallOutcome& outcome) {
  auto& feature = result_.features[outcome.feature];
  result_.digest = luck_of(result_.digest, outcome.number, static_cast<std::uint64_t>(outcome.ending),
                           outcome.endpoint, outcome.total.count(), outcome.ttft.count());
  auto count = [&](std::uint64_t PolicyResult::*all, std::uint64_t FeatureTotals::*of,
                   std::uint64_t SeriesPoint::*in) { ++(result_.*all), ++(feature.*of), ++(point_.*in); };
  switch (outcome.ending) {
    case CallEnding::served:
      count(&PolicyResult::served, &FeatureTotals::served, &SeriesPoint::served);
      break;
    case CallEnding::refused:
      count(&PolicyResult::refused, &FeatureTotals::refused, &SeriesPoint::refused);
      break;
    case CallEnding::expired:
      count(&PolicyResult::expired, &FeatureTotals::expired, &SeriesPoint::expired);
      break;
    case CallEnding::failed:
      count(&PolicyResult::failed, &FeatureTotals::failed, &SeriesPoint::failed);
      break;
  }
  bool served = outcome.ending == CallEnding::served;
  if (served && outcome.slow) count(&PolicyResult::slow, &FeatureTotals::slow, &SeriesPoint::slow);
  if (outcome.poor) ++result_.poor;
  during(outcome.arrived, [&](const Incident&, IncidentResult& result) {
    result.failed += served ? 0 : 1;
    result.slow += served && outcome.slow ? 1 : 0;
  });
  if (!served) return;
  if (outcome.spilled) ++result_.spilled, ++point_.spilled;
  auto ttft = policy::LatencyGrid::bucket_of(seconds(outcome.ttft));
  auto total = policy::LatencyGrid::bucket_of(seconds(outcome.total));
  for (auto* sketch : {&result_.ttft, &feature.ttft, &ttft_}) sketch->add_bucket(ttft);
  for (auto* sketch : {&result_.total, &feature.total, &total_}) sketch->add_bucket(total);
}

void Measure::moved(const BreakerMove& move, Duration at) {
  bool opened = move.to == policy::BreakerState::open;
  if (opened) ++result_.trips;
  closed_[move.endpoint] = move.to == policy::BreakerState::closed;
  for (std::size_t i = 0; i < clouds_->incidents.size(); ++i) {
    const auto& incident = clouds_->incidents[i];
    auto& result = result_.incidents[i];
    bool sick = is_of(incident, move.endpoint);
    if (opened && lasts(incident, at) && !sick) ++result.backups_tripped;
    if (opened && lasts(incident, at) && sick && !result.detected)
      result.detected = seconds(at - incident.from);
    bool over = incident.to != Duration{} && at >= incident.to;
    bool all_closed =
        std::ranges::all_of(incident.endpoints, [&](auto endpoint) { return closed_[endpoint]; });
    if (over && result.detected && all_closed && !result.recovered)
      result.recovered = seconds(at - incident.to);
  }
  if (result_.moves.size() < moves_max)
    result_.moves.push_back(move);
  else
    ++result_.moves_dropped;
}

void Measure::observe(Duration at, const Steering& steering) {
  result_.open_most = std::max<std::uint64_t>(result_.open_most, steering.open());
  result_.waiting_most = std::max<std::uint64_t>(result_.waiting_most, steering.waiting());
  if (at - from_seconds(point_.at) < step_) return;
  close_point(&steering);
  point_ = {};
  point_.at = std::floor(seconds(at));
  point_.endpoints.resize(clouds_->models.size());
  ttft_ = {};
  total_ = {};
}

void Measure::close_point(const Steering* steering) {
  point_.ttft = quantiles_of(ttft_);
  point_.total = quantiles_of(total_);
  if (steering != nullptr) {
    point_.open = steering->open();
    point_.waiting = steering->waiting();
    for (std::uint32_t i = 0; i < point_.endpoints.size(); ++i)
      point_.endpoints[i].share = steering->share(i);
  }
  result_.series.push_back(point_);
}

double Measure::reserved_use(Duration length) const {
  double input = 0, output = 0, input_allowed = 0, output_allowed = 0;
  double minutes = std::max(seconds(length) / 60, 1e-9);
  for (std::size_t i = 0; i < clouds_->models.size(); ++i) {
    const auto& endpoint = clouds_->config.endpoints.list[i];
    if (endpoint.kind != policy::CapacityKind::reserved) continue;
    input += result_.endpoints[i].input + result_.endpoints[i].cached;
    output += result_.endpoints[i].output;
    input_allowed += endpoint.limits.input_tokens_per_minute * minutes;
    output_allowed += endpoint.limits.output_tokens_per_minute * minutes;
  }
  auto share = [](double used, double allowed) { return allowed > 0 ? used / allowed : 0.0; };
  return std::max(share(input, input_allowed), share(output, output_allowed));
}

double Measure::usd_reserved(Duration length) const {
  double per_hour = 0;
  for (const auto& endpoint : clouds_->config.endpoints.list)
    if (endpoint.kind == policy::CapacityKind::reserved)
      per_hour += endpoint.reserved.units * endpoint.reserved.usd_per_hour;
  return per_hour * seconds(length) / 3600;
}

PolicyResult Measure::finish(Duration last_arrival) {
  close_point(nullptr);
  result_.reserved_use = reserved_use(last_arrival);
  result_.usd_reserved = usd_reserved(last_arrival);
  return std::move(result_);
}

}  // namespace troupe::replay
