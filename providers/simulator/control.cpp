// Strict reading: a control order with a misspelt key must not look obeyed.
#include "providers/simulator/control.hpp"

#include "runtime/base/clock.hpp"
#include "runtime/config/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace troupe::providers::simulator {
namespace {

using config::Fault;
using config::FaultKind;

constexpr std::size_t kFaultsMax = 64;
constexpr double kSecondsLimit = 1e7;
constexpr std::array<std::string_view, 11> kFaultKeys = {"kind",    "from_s",  "to_s",          "call_from",
                                                         "call_to", "share",   "retry_after_s", "factor",
                                                         "delay_s", "at_byte", "model"};

// Their names are kept, so that a test sees they were there.
constexpr std::array<std::string_view, 7> kSecretHeaders = {"authorization",
                                                            "x-api-key",
                                                            "api-key",
                                                            "x-goog-api-key",
                                                            "x-amz-security-token",
                                                            "proxy-authorization",
                                                            "x-aws-ec2-metadata-token"};

bool is_word(std::string_view key) { return key == "kind" || key == "model"; }

Result<Fault> read_fault(const Json& value, Duration since_start) {
  if (!value.is_object()) return fail(Errc::invalid_input, "a fault must be an object");
  for (const auto& [key, member] : value.items()) {
    bool known = std::ranges::find(kFaultKeys, key) != kFaultKeys.end();
    if (!known) return fail(Errc::invalid_input, fmt::format("unknown key \"{}\" in a fault", key));
    bool sound = is_word(key) ? member.is_string() : member.is_number() && member.get<double>() >= 0;
    if (!sound || (!is_word(key) && member.get<double>() > kSecondsLimit)) {
      return fail(Errc::invalid_input,
                  fmt::format("\"{}\" must be {}", key, is_word(key) ? "a name" : "0 to 1e7"));
    }
  }
  auto kind = config::read_word<FaultKind>(get_string(value, "kind"));
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
  fault.at_byte = static_cast<std::uint64_t>(get_double(value, "at_byte"));
  fault.model = get_string(value, "model");
  return fault;
}

}  // namespace

bool Selector::matches(const config::SimulatedEndpoint& other) const {
  if (!endpoint.empty()) return other.name == endpoint;
  bool here = region.empty() || other.region == region;
  return here && (provider.empty() || config::provider_of(other) == provider);
}

Result<ScaleOrder> read_scale_order(std::string_view body) {
  auto order = parse_json(body);
  if (!order) return std::unexpected(order.error());
  ScaleOrder out{.endpoint = get_string(*order, "endpoint")};
  auto instances = get_int(*order, "instances", -1);
  if (out.endpoint.empty() || instances < 0 || instances > 1'000'000)
    return fail(Errc::invalid_input, "expected {\"endpoint\": NAME, \"instances\": 0 to 1e6}");
  out.instances = static_cast<std::uint32_t>(instances);
  return out;
}

Result<IssuersOrder> read_issuers_order(std::string_view body) {
  auto order = parse_json(body);
  if (!order) return std::unexpected(order.error());
  auto delay = get_double(*order, "delay_s");
  if (!order->is_object() || delay < 0 || delay > kSecondsLimit)
    return fail(Errc::invalid_input, "expected {\"down\": true or false, \"delay_s\": 0 to 1e7}");
  return IssuersOrder{get_bool(*order, "down"), from_seconds(delay)};
}

Json request_json(const std::string& endpoint, const http::Request& request, std::size_t body_bytes_max) {
  Json headers = Json::array();
  for (const auto& [name, value] : request.headers) {
    bool secret = std::ranges::any_of(
        kSecretHeaders, [&](std::string_view one) { return http::same_header_name(one, name); });
    headers.push_back({name, secret ? "(not kept)" : value});
  }
  Json out{{"endpoint", endpoint}, {"method", request.method}, {"target", request.target}};
  out["headers"] = std::move(headers);
  out["body"] = request.body.substr(0, body_bytes_max);
  out["body_bytes"] = request.body.size();
  return out;
}

Result<FaultOrder> read_fault_order(std::string_view body, Duration since_start) {
  auto order = parse_json(body);
  if (!order) return std::unexpected(order.error());
  FaultOrder out;
  out.where = {get_string(*order, "endpoint"), get_string(*order, "provider"), get_string(*order, "region")};
  const auto* faults = find(*order, "faults");
  bool nowhere = out.where.endpoint.empty() && out.where.provider.empty() && out.where.region.empty();
  if (nowhere || faults == nullptr || !faults->is_array()) {
    return fail(Errc::invalid_input,
                "expected {\"endpoint\" or \"provider\" or \"region\": NAME, \"faults\": [...]}");
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
