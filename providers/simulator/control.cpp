// Strict reading: a control order with a misspelt key must not look obeyed.
#include "providers/simulator/control.hpp"

#include "runtime/base/clock.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

namespace troupe::providers::simulator {
namespace {

using config::Fault;
using config::FaultKind;

constexpr std::size_t kFaultsMax = 64;
constexpr double kSecondsLimit = 1e7;
constexpr std::array kFaultKinds = {FaultKind::down,        FaultKind::throttle, FaultKind::errors,
                                    FaultKind::unavailable, FaultKind::slow,     FaultKind::late_first_token,
                                    FaultKind::cut,         FaultKind::stall,    FaultKind::malformed,
                                    FaultKind::truncated};
constexpr std::array<std::string_view, 9> kFaultKeys = {
    "kind", "from_s", "to_s", "call_from", "call_to", "share", "retry_after_s", "factor", "delay_s"};

std::optional<FaultKind> fault_kind(const std::string& name) {
  for (auto kind : kFaultKinds) {
    if (name == config::to_string(kind)) return kind;
  }
  return std::nullopt;
}

Result<Fault> read_fault(const Json& value, Duration since_start) {
  if (!value.is_object()) return fail(Errc::invalid_input, "a fault must be an object");
  for (const auto& [key, member] : value.items()) {
    bool known = std::ranges::find(kFaultKeys, key) != kFaultKeys.end();
    if (!known) return fail(Errc::invalid_input, fmt::format("unknown key \"{}\" in a fault", key));
    bool sound = key == "kind" ? member.is_string() : member.is_number() && member.get<double>() >= 0;
    if (!sound || (key != "kind" && member.get<double>() > kSecondsLimit)) {
      return fail(Errc::invalid_input,
                  fmt::format("\"{}\" must be {}", key, key == "kind" ? "a name" : "0 to 1e7"));
    }
  }
  auto kind = fault_kind(get_string(value, "kind"));
  if (!kind) return fail(Errc::invalid_input, "unknown fault kind");
  Fault fault{.kind = *kind};
  fault.from = since_start + from_seconds(get_double(value, "from_s"));
  if (auto to = get_double(value, "to_s"); to > 0) fault.to = since_start + from_seconds(to);
  fault.call_from = static_cast<std::uint64_t>(get_double(value, "call_from", 1));
  fault.call_to = static_cast<std::uint64_t>(get_double(value, "call_to"));
  fault.share = get_double(value, "share", 1);
  fault.retry_after = from_seconds(get_double(value, "retry_after_s"));
  fault.factor = get_double(value, "factor", fault.factor);
  fault.delay = from_seconds(get_double(value, "delay_s", seconds(fault.delay)));
  return fault;
}

}  // namespace

Result<FaultOrder> read_fault_order(std::string_view body, Duration since_start) {
  auto order = parse_json(body);
  if (!order) return std::unexpected(order.error());
  FaultOrder out;
  out.endpoint = get_string(*order, "endpoint");
  const auto* faults = find(*order, "faults");
  if (out.endpoint.empty() || faults == nullptr || !faults->is_array()) {
    return fail(Errc::invalid_input, "expected {\"endpoint\": NAME, \"faults\": [...]}");
  }
  if (faults->size() > kFaultsMax)
    return fail(Errc::invalid_input, fmt::format("more than {} faults", kFaultsMax));
  for (const auto& value : *faults) {
    auto fault = read_fault(value, since_start);
    if (!fault) return std::unexpected(fault.error());
    out.faults.push_back(*fault);
  }
  return out;
}

Json stats_json(const EndpointStats& stats, std::uint32_t in_flight) {
  Json out;
  out["calls"] = stats.calls;
  out["by_outcome"] = Json::object();
  for (const auto& [name, count] : stats.by_outcome) out["by_outcome"][name] = count;
  out["input_tokens"] = stats.input_tokens;
  out["output_tokens"] = stats.output_tokens;
  out["usd"] = stats.usd;
  out["in_flight"] = in_flight;
  return out;
}

http::Response json_response(int status, const Json& value) {
  return {.status = status, .headers = {{"content-type", "application/json"}}, .body = dump_json(value)};
}

}  // namespace troupe::providers::simulator
