// Finding the endpoint of a call, and keeping count of what is in flight.
#include "providers/simulator/simulator.hpp"

#include "providers/dialect.hpp"
#include "providers/serve.hpp"
#include "providers/simulator/control.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/base/rng.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

namespace troupe::providers::simulator {
namespace {

bool is_segment(std::string_view name) {
  auto plain = [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '_' || c == '.'; };
  return !name.empty() && name.size() <= 128 && name != "control" && std::ranges::all_of(name, plain);
}

std::string_view first_segment(std::string_view target) {
  target = target.substr(0, target.find('?'));
  if (target.starts_with('/')) target.remove_prefix(1);
  return target.substr(0, target.find('/'));
}

// What the issuers gave out opens the endpoints' doors.
class IssuedTokens final : public TokenAuthority {
 public:
  explicit IssuedTokens(const Issuers& issuers) : issuers_(issuers) {}
  Result<void> check_bearer(std::string_view token, std::string_view dialect, WallTime wall) const override {
    if (dialect.starts_with("azure")) return issuers_.check_bearer(token, Audience::azure, wall);
    if (dialect.starts_with("vertex")) return issuers_.check_bearer(token, Audience::google, wall);
    return fail(Errc::auth, "the api key is missing or wrong");
  }
  Result<void> check_signed(const http::Request& request, std::string_view region,
                            WallTime wall) const override {
    return issuers_.check_signed(request, {std::string(region), ""}, wall);
  }

 private:
  const Issuers& issuers_;
};

SimulatedResponse control_error(int status, const std::string& what) {
  return at_once(json_response(status, Json{{"error", what}}));
}

}  // namespace

Result<Simulator> Simulator::make(config::SimulatorConfig config, Instant now) {
  Simulator out(std::move(config), now);
  for (auto& endpoint : out.config_.endpoints) {
    for (const auto& shared : out.config_.faults) {
      Selector where{.provider = shared.provider, .region = shared.region};
      if (where.matches(endpoint)) endpoint.faults.push_back(shared.fault);
    }
    const auto* dialect = find_dialect_server(endpoint.dialect);
    if (dialect == nullptr) {
      return fail(Errc::bad_config,
                  fmt::format("simulated endpoint {}: no dialect is called \"{}\"; there are {}",
                              endpoint.name, endpoint.dialect, fmt::join(dialect_names(), ", ")));
    }
    if (!is_segment(endpoint.name) || out.find(endpoint.name) != nullptr) {
      return fail(Errc::bad_config,
                  fmt::format("simulated endpoint name \"{}\" must be unique, of letters, digits and "
                              "._-, and not \"control\"",
                              endpoint.name));
    }
    out.endpoints_.emplace_back(endpoint, *dialect, out.config_.seed, now);
  }
  return out;
}

Endpoint* Simulator::find(std::string_view name) {
  auto it =
      std::ranges::find_if(endpoints_, [&](const Endpoint& endpoint) { return endpoint.name() == name; });
  return it == endpoints_.end() ? nullptr : &*it;
}

Endpoint* Simulator::route(const http::Request& request) {
  if (auto* named = find(first_segment(request.target))) return named;
  if (const auto* host = http::find_header(request.headers, "host")) {
    for (auto& endpoint : endpoints_) {
      if (!endpoint.host().empty() && http::same_header_name(endpoint.host(), *host)) return &endpoint;
    }
  }
  return endpoints_.size() == 1 ? &endpoints_.front() : nullptr;
}

SimulatedResponse Simulator::respond(const http::Request& request, Instant now, WallTime wall) {
  if (first_segment(request.target) == "control") return control(request, now);
  bool named = find(first_segment(request.target)) != nullptr;
  if (!named)
    if (auto issued = issuers_.respond(request, wall)) return at_once(std::move(*issued), issuers_.delay());
  auto* endpoint = route(request);
  if (endpoint == nullptr) return control_error(404, "no simulated endpoint for this path and host");
  if (held_.size() >= config_.in_flight_max) return control_error(503, "the simulator is full");
  std::optional<HeldAllowance> allowance;
  IssuedTokens authority(issuers_);
  CallContext context{.now = now,
                      .wall = wall,
                      .authority = &authority,
                      .since_start = now - started_,
                      .scale = config_.scale};
  auto response = endpoint->respond(request, context, allowance);
  log_call(*endpoint, request, response);
  if (!allowance) return response;
  response.call = ++calls_;
  held_[response.call] = {static_cast<std::size_t>(endpoint - endpoints_.data()), *allowance};
  return response;
}

void Simulator::ended(std::uint64_t call, Instant now) {
  auto held = held_.extract(call);
  if (held) endpoints_[held.mapped().endpoint].release(held.mapped().allowance, now);
}

Json Simulator::stats(Instant now) const {
  Json out;
  out["uptime_s"] = seconds(now - started_);
  out["in_flight"] = held_.size();
  out["endpoints"] = Json::object();
  for (const auto& endpoint : endpoints_) {
    out["endpoints"][endpoint.name()] = stats_json(endpoint.stats(), endpoint.in_flight());
  }
  return out;
}

void Simulator::log_call(const Endpoint& endpoint, const http::Request& request,
                         const SimulatedResponse& response) {
  if (received_.size() >= requests_kept) received_.pop_front();
  received_.push_back(request_json(endpoint.name(), request, request_body_kept));
  if (log_.size() >= calls_logged_max) {
    ++log_dropped_;
    return;
  }
  int status = response.ending == Ending::refuse ? 0 : response.head.status;
  log_.push_back(
      {static_cast<std::size_t>(&endpoint - endpoints_.data()), stable_hash(request.body), status});
}

Json Simulator::call_log() const {
  Json out = {{"calls", Json::array()}, {"dropped", log_dropped_}};
  for (const auto& call : log_) {
    out["calls"].push_back({{"endpoint", endpoints_[call.endpoint].name()},
                            {"request", fmt::format("{:016x}", call.request)},
                            {"status", call.status}});
  }
  return out;
}

Json Simulator::received() const {
  Json out = {{"requests", Json::array()}};
  for (const auto& request : received_) out["requests"].push_back(request);
  return out;
}

SimulatedResponse Simulator::control(const http::Request& request, Instant now) {
  const auto& target = request.target;
  if (request.method == "GET" && target == "/control/stats") return at_once(json_response(200, stats(now)));
  if (request.method == "GET" && target == "/control/calls") return at_once(json_response(200, call_log()));
  if (request.method == "GET" && target == "/control/requests")
    return at_once(json_response(200, received()));
  if (request.method == "POST" && target == "/control/faults") return set_faults(request, now);
  if (request.method == "DELETE" && target == "/control/faults") return clear_faults();
  if (request.method == "POST" && target == "/control/scale") return scale(request, now);
  if (request.method == "GET" && target == "/control/issuers")
    return at_once(json_response(200, issuers_.stats()));
  if (request.method == "POST" && target == "/control/issuers") return set_issuers(request);
  return control_error(404,
                       "there are GET /control/stats, /control/calls and /control/requests, POST and DELETE "
                       "/control/faults, POST /control/scale, and GET and POST /control/issuers");
}

SimulatedResponse Simulator::set_faults(const http::Request& request, Instant now) {
  auto order = read_fault_order(request.body, now - started_);
  if (!order) return control_error(400, order.error().what);
  Json names = Json::array();
  for (auto& endpoint : endpoints_) {
    if (!order->where.matches(endpoint.config())) continue;
    endpoint.set_faults(order->faults);
    names.push_back(endpoint.name());
  }
  if (names.empty()) return control_error(404, "no endpoint of that name, provider or region");
  return at_once(json_response(200, Json{{"endpoints", names}, {"faults", order->faults.size()}}));
}

SimulatedResponse Simulator::set_issuers(const http::Request& request) {
  auto order = read_issuers_order(request.body);
  if (!order) return control_error(400, order.error().what);
  issuers_.set_down(order->down);
  issuers_.set_delay(order->delay);
  return at_once(json_response(200, issuers_.stats()));
}

SimulatedResponse Simulator::clear_faults() {
  for (auto& endpoint : endpoints_) endpoint.set_faults({});
  return at_once(json_response(200, Json{{"faults", 0}}));
}

SimulatedResponse Simulator::scale(const http::Request& request, Instant now) {
  auto order = read_scale_order(request.body);
  if (!order) return control_error(400, order.error().what);
  auto* endpoint = find(order->endpoint);
  if (endpoint == nullptr) return control_error(404, "no endpoint of that name");
  auto granted = endpoint->scale(order->instances, now);
  if (!granted) return control_error(400, granted.error().what);
  Json told{{"endpoint", order->endpoint}, {"instances", *granted}};
  if (*granted < order->instances) told["reason"] = "InsufficientInstanceCapacity";
  return at_once(json_response(200, told));
}

}  // namespace troupe::providers::simulator
