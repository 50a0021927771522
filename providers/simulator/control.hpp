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

struct FaultOrder {
  std::string endpoint;
  std::vector<config::Fault> faults;
};

/// Reads the body of POST /control/faults. Its times count from now; `since_start` turns them into the
/// schedule's. invalid_input naming what is wrong: an unknown kind or key, a number out of range, more than
/// 64 faults.
Result<FaultOrder> read_fault_order(std::string_view body, Duration since_start);

Json stats_json(const EndpointStats& stats, std::uint32_t in_flight);

/// {"error": what} or `value`, as a response.
http::Response json_response(int status, const Json& value);

}  // namespace troupe::providers::simulator
