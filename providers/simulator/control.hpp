// The control surface's JSON: counters out, fault schedules in.
#pragma once

#include "providers/simulator/endpoint.hpp"
#include "runtime/config/simulator_config.hpp"
#include "runtime/http/message.hpp"
#include "runtime/json/json.hpp"

#include <troupe/error.hpp>
#include <troupe/time.hpp>

#include <string>
#include <vector>

namespace troupe::providers::simulator {

/// Which endpoints an order is for: the one named, else all of a provider, a region, or both.
struct Selector {
  std::string endpoint, provider, region;
  bool matches(const config::SimulatedEndpoint& endpoint) const;
};

struct FaultOrder {
  Selector where;
  std::vector<config::Fault> faults;
};

struct ScaleOrder {
  std::string endpoint;
  std::uint32_t instances = 0;
};

/// Reads the body of POST /control/faults. Its times count from now; `since_start` turns them into the
/// schedule's. invalid_input naming what is wrong: an unknown kind or key, a number out of range, more than
/// 64 faults.
Result<FaultOrder> read_fault_order(std::string_view body, Duration since_start);
struct IssuersOrder {
  bool down = false;
  Duration delay{};
};
/// {"down": BOOL, "delay_s": NUMBER}, both optional; invalid_input otherwise.
Result<IssuersOrder> read_issuers_order(std::string_view body);
/// {"endpoint": NAME, "instances": N}; invalid_input otherwise.
Result<ScaleOrder> read_scale_order(std::string_view body);

/// A request as /control/requests lists it. Values of headers that carry credentials are left out.
Json request_json(const std::string& endpoint, const http::Request& request, std::size_t body_bytes_max);

Json stats_json(const EndpointStats& stats, std::uint32_t in_flight);

/// {"error": what} or `value`, as a response.
http::Response json_response(int status, const Json& value);

}  // namespace troupe::providers::simulator
