// A set of simulated clouds behind one HTTP port: routing, the control surface, and who is in flight. Pure.
#pragma once

#include "providers/simulator/control.hpp"
#include "providers/simulator/endpoint.hpp"
#include "providers/simulator/issuers.hpp"
#include "providers/simulator/response.hpp"
#include "runtime/config/simulator_config.hpp"
#include "runtime/http/message.hpp"
#include "runtime/json/json.hpp"

#include <troupe/error.hpp>
#include <troupe/time.hpp>

#include <cstdint>
#include <deque>
#include <map>
#include <string_view>
#include <vector>

namespace troupe::providers::simulator {

/// One port serves many endpoints. A call belongs to the endpoint named by the first segment of its path
/// (/NAME/v1/chat/completions, /NAME/model/ID/converse), else to the one whose `host` is its Host header;
/// with a single endpoint to that one. Before that, a path of an issuer of credentials is the issuer's.
/// Anything else is 404.
///
/// Control surface, for tests and operators: GET /control/stats gives
///   {"uptime_s", "in_flight", "endpoints": {NAME: {"calls", "by_outcome", "input_tokens", "output_tokens",
///   "usd", "in_flight"}}};
/// GET /control/calls gives the first calls_logged_max of them in the order they came, so that a test can ask
///   which request was sent twice: {"calls": [{"endpoint", "request", "status"}], "dropped"}; "request" is a
///   hash of the body, "status" the head's (0: refused without a word), "dropped" how many are not listed;
/// GET /control/requests gives the last requests_kept of them as they were received, oldest first, without
///   the values of headers that carry credentials: {"requests": [{"endpoint", "method", "target", "headers":
///   [[NAME, VALUE]], "body", "body_bytes"}]};
/// POST /control/faults replaces the schedule of an endpoint, or of every endpoint of a provider and region:
///   {"endpoint" or "provider", "region": NAME, "faults": [{"kind", "from_s", "to_s", "call_from", "call_to",
///   "share", "retry_after_s", "factor", "delay_s", "at_byte", "model"}]}, times counted from now, `to_s` 0
///   or absent: for ever. DELETE /control/faults clears them all;
/// POST /control/scale asks for instances (sagemaker_instances): {"endpoint", "instances"}; the answer says
/// how
///   many there will be;
/// GET /control/issuers counts what the issuers of credentials were asked (see Issuers); POST sets
///   {"down": BOOL, "delay_s": NUMBER}, as in an outage.
///
/// Same requests at the same instants, same answers (the seed is in the configuration). Not thread-safe.
class Simulator {
 public:
  static constexpr std::size_t calls_logged_max = 20'000;
  static constexpr std::size_t requests_kept = 256, request_body_kept = 64 * 1024;

  /// bad_config for an unknown dialect, a name twice, the name "control", or one that is no path segment.
  static Result<Simulator> make(config::SimulatorConfig config, Instant now);

  SimulatedResponse respond(const http::Request& request, Instant now, WallTime wall);
  /// The response of that `call` was sent, or its client has gone: its place in flight is free. 0 does
  /// nothing.
  void ended(std::uint64_t call, Instant now);

  Json stats(Instant now) const;
  Json call_log() const;
  Json received() const;
  /// The endpoint of that name, or nullptr.
  Endpoint* find(std::string_view name);

 private:
  struct LoggedCall {
    std::size_t endpoint = 0;
    std::uint64_t request = 0;
    int status = 0;
  };
  struct Held {
    std::size_t endpoint = 0;
    HeldAllowance allowance;
  };
  Simulator(config::SimulatorConfig config, Instant now)
      : config_(std::move(config)), started_(now), issuers_(config_.issuers, config_.seed) {}
  void log_call(const Endpoint& endpoint, const http::Request& request, const SimulatedResponse& response);
  Endpoint* route(const http::Request& request);
  SimulatedResponse control(const http::Request& request, Instant now);
  SimulatedResponse set_faults(const http::Request& request, Instant now);
  SimulatedResponse clear_faults();
  SimulatedResponse scale(const http::Request& request, Instant now);
  SimulatedResponse set_issuers(const http::Request& request);

  config::SimulatorConfig config_;
  Instant started_;
  std::vector<Endpoint> endpoints_;
  std::map<std::uint64_t, Held> held_;
  std::vector<LoggedCall> log_;
  std::deque<Json> received_;
  Issuers issuers_;
  std::uint64_t calls_ = 0, log_dropped_ = 0;
};

}  // namespace troupe::providers::simulator
