// replay.json, series.csv and the terminal's tables.
#include "replay/report.hpp"

#include "runtime/base/clock.hpp"

#include <fmt/format.h>

#include <cmath>
#include <numeric>

namespace troupe::replay {
namespace {

// Figures for reading, and so that the last bits of a sum do not differ between machines.
double rounded(double value, double unit) { return std::round(value / unit) * unit; }
double to_six(double value) {
  if (value == 0 || !std::isfinite(value)) return 0;
  double unit = std::pow(10, std::floor(std::log10(std::abs(value))) - 5);
  return rounded(value, unit);
}

Json quantiles_json(const policy::LatencySketch& sketch) {
  auto q = quantiles_of(sketch);
  return {{"p50", to_six(q.p50)}, {"p90", to_six(q.p90)}, {"p99", to_six(q.p99)}};
}

Json incident_json(const Incident& incident, const IncidentResult& result, const Clouds& clouds) {
  Json out;
  out["label"] = incident.label;
  for (auto i : incident.endpoints) out["endpoints"].push_back(clouds.config.endpoints.list[i].id);
  out["from"] = seconds(incident.from);
  out["to"] = incident.to == Duration{} ? Json() : Json(seconds(incident.to));
  out["requests"] = result.requests;
  out["failed"] = result.failed;
  out["slow"] = result.slow;
  out["sick_attempts"] = result.sick_attempts;
  out["primary_attempts_per_request"] =
      result.requests == 0 ? 0 : to_six(double(result.sick_primary) / double(result.requests));
  out["sick_attempts_per_request_after_detection"] =
      result.requests_after_detection == 0
          ? Json()
          : Json(to_six(double(result.sick_after_detection) / double(result.requests_after_detection)));
  out["detected_after"] = result.detected ? Json(to_six(*result.detected)) : Json();
  out["recovered_after"] = result.recovered ? Json(to_six(*result.recovered)) : Json();
  out["backups_tripped"] = result.backups_tripped;
  return out;
}

Json move_json(const BreakerMove& move, const Clouds& clouds, Instant start) {
  return {{"at", to_six(seconds(move.at - start))},
          {"endpoint", clouds.config.endpoints.list[move.endpoint].id},
          {"from", policy::to_string(move.from)},
          {"to", policy::to_string(move.to)},
          {"reason", policy::to_string(move.reason)},
          {"share", move.share},
          {"detail", move.detail}};
}

Json endpoint_json(const EndpointTotals& totals) {
  return {{"attempts", totals.attempts},  {"failures", totals.failures},    {"throttled", totals.throttled},
          {"input_tokens", totals.input}, {"cached_tokens", totals.cached}, {"output_tokens", totals.output},
          {"usd", to_six(totals.usd)}};
}

Json feature_json(const FeatureTotals& totals) {
  return {{"offered", totals.offered},
          {"served", totals.served},
          {"refused", totals.refused},
          {"expired", totals.expired},
          {"failed", totals.failed},
          {"slow", totals.slow},
          {"ttft", quantiles_json(totals.ttft)},
          {"total", quantiles_json(totals.total)}};
}

void add_causes(const PolicyResult& result, Json& out) {
  out["usd_by_cause"] = Json::object();
  out["attempts_by_cause"] = Json::object();
  for (std::size_t i = 0; i < causes; ++i) {
    if (result.attempts_by_cause[i] == 0) continue;
    const char* cause = to_string(static_cast<Cause>(i));
    out["usd_by_cause"][cause] = to_six(result.usd_by_cause[i]);
    out["attempts_by_cause"][cause] = result.attempts_by_cause[i];
  }
}

Json policy_json(const PolicyResult& result, const ReplayReport& report) {
  Json out;
  out["policy"] = result.policy;
  out["offered"] = result.offered;
  out["served"] = result.served;
  out["refused"] = result.refused;
  out["expired"] = result.expired;
  out["failed"] = result.failed;
  out["attempts"] = result.attempts;
  out["ttft"] = quantiles_json(result.ttft);
  out["total"] = quantiles_json(result.total);
  out["reserved_use"] = to_six(result.reserved_use);
  out["usd_reserved"] = to_six(result.usd_reserved);
  out["spilled"] = result.spilled;
  add_causes(result, out);
  out["slow"] = result.slow;
  out["poor"] = result.poor;
  out["trips"] = result.trips;
  out["open_most"] = result.open_most;
  out["waiting_most"] = result.waiting_most;
  out["virtual_seconds"] = to_six(result.virtual_seconds);
  out["digest"] = fmt::format("{:016x}", result.digest);
  for (std::size_t i = 0; i < result.endpoints.size(); ++i)
    out["endpoints"][report.clouds.config.endpoints.list[i].id] = endpoint_json(result.endpoints[i]);
  for (std::size_t i = 0; i < result.features.size(); ++i)
    out["features"][report.features[i]] = feature_json(result.features[i]);
  out["incidents"] = Json::array();
  for (std::size_t i = 0; i < result.incidents.size(); ++i)
    out["incidents"].push_back(incident_json(report.clouds.incidents[i], result.incidents[i], report.clouds));
  out["breakers"] = Json::array();
  for (const auto& move : result.moves)
    out["breakers"].push_back(move_json(move, report.clouds, replay_start));
  out["breakers_dropped"] = result.moves_dropped;
  out["wall_seconds"] = to_six(result.wall_seconds);
  return out;
}

double usd_of(const PolicyResult& result) {
  return std::accumulate(result.usd_by_cause.begin(), result.usd_by_cause.end(), 0.0);
}

std::string csv_line(const std::string& policy, const SeriesPoint& p) {
  auto line = fmt::format("{},{},{},{},{},{},{},{},{},{},{}", policy, p.at, p.offered, p.served, p.refused,
                          p.expired, p.failed, p.slow, p.spilled, p.waiting, p.open);
  line += fmt::format(",{:.6g},{:.6g},{:.6g},{:.6g},{:.6g},{:.6g},{:.6g}", p.ttft.p50, p.ttft.p90, p.ttft.p99,
                      p.total.p50, p.total.p90, p.total.p99, p.usd);
  for (const auto& e : p.endpoints)
    line += fmt::format(",{},{},{:.6g},{:.6g}", e.attempts, e.failures, e.tokens, e.share);
  return line + "\n";
}

}  // namespace

Json report_json(const ReplayReport& report) {
  Json out;
  out["trace"] = report.trace;
  out["seed"] = report.seed;
  out["scale"] = report.scale;
  out["wall_seconds"] = to_six(report.wall_seconds);
  out["requests_in_trace"] = report.facts.requests;
  out["trace_seconds"] = to_six(seconds(report.facts.length));
  out["features"] = report.features;
  out["policies"] = Json::array();
  for (const auto& result : report.policies) out["policies"].push_back(policy_json(result, report));
  return out;
}

std::string report_csv(const ReplayReport& report) {
  std::string text =
      "policy,at,offered,served,refused,expired,failed,slow,spilled,waiting,open,ttft_p50,ttft_p90,ttft_p99,"
      "total_p50,total_p90,total_p99,usd";
  for (const auto& endpoint : report.clouds.config.endpoints.list)
    text += fmt::format(",{0}.attempts,{0}.failures,{0}.tokens,{0}.share", endpoint.id);
  text += "\n";
  for (const auto& result : report.policies)
    for (const auto& point : result.series) text += csv_line(result.policy, point);
  return text;
}

std::vector<std::vector<std::string>> report_rows(const ReplayReport& report) {
  std::vector<std::vector<std::string>> rows{{"policy", "offered", "served", "refused", "expired", "failed",
                                              "slow", "ttft p50", "p99", "total p50", "p99", "reserved",
                                              "spilled", "usd"}};
  for (const auto& result : report.policies) {
    auto ttft = quantiles_of(result.ttft), total = quantiles_of(result.total);
    rows.push_back({result.policy, fmt::to_string(result.offered), fmt::to_string(result.served),
                    fmt::to_string(result.refused), fmt::to_string(result.expired),
                    fmt::to_string(result.failed), fmt::to_string(result.slow),
                    fmt::format("{:.2f}", ttft.p50), fmt::format("{:.2f}", ttft.p99),
                    fmt::format("{:.2f}", total.p50), fmt::format("{:.2f}", total.p99),
                    fmt::format("{:.1f}%", 100 * result.reserved_use), fmt::to_string(result.spilled),
                    fmt::format("{:.2f}", usd_of(result))});
  }
  return rows;
}

std::vector<std::vector<std::string>> incident_rows(const ReplayReport& report) {
  std::vector<std::vector<std::string>> rows;
  if (report.clouds.incidents.empty()) return rows;
  rows.push_back({"incident", "policy", "requests", "failed", "slow", "sick primaries/request", "detected",
                  "recovered", "backups tripped"});
  auto time = [](const std::optional<double>& s) {
    return s ? fmt::format("{:.1f}s", *s) : std::string("-");
  };
  for (std::size_t i = 0; i < report.clouds.incidents.size(); ++i)
    for (const auto& result : report.policies) {
      const auto& r = result.incidents[i];
      double share = r.requests == 0 ? 0 : double(r.sick_primary) / double(r.requests);
      rows.push_back({report.clouds.incidents[i].label, result.policy, fmt::to_string(r.requests),
                      fmt::to_string(r.failed), fmt::to_string(r.slow), fmt::format("{:.3f}", share),
                      time(r.detected), time(r.recovered), fmt::to_string(r.backups_tripped)});
    }
  return rows;
}

}  // namespace troupe::replay
