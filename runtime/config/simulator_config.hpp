// What the simulated clouds are like: speed, limits, prices, credentials and the faults they will have. Plain
// values.
#pragma once

#include "runtime/policy/quota.hpp"
#include "runtime/policy/route.hpp"

#include <troupe/time.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace troupe::config {

/// Time to first token and between tokens, both log-normal: exp(N(ln median, sigma)). tools/fit_latency.py
/// fits the figures by matching p50 and p90 (sigma = ln(p90/p50)/1.2816).
struct LatencyLaw {
  Duration ttft_median = std::chrono::milliseconds(400);
  double ttft_sigma = 0.3;
  /// Added to the median for each 1,000 input tokens.
  Duration ttft_per_1k_input{};
  /// Per token of 4 characters. One draw per answer: the spread is between requests, not between tokens.
  Duration inter_token_median = std::chrono::milliseconds(15);
  double inter_token_sigma = 0.2;
};

/// What can be wrong with a cloud. Each is shaped in the dialect's own words.
enum class FaultKind {
  down,              ///< the connection is closed without an answer
  throttle,          ///< 429; with a Retry-After hint when `retry_after` is set
  errors,            ///< 500
  unavailable,       ///< 503
  slow,              ///< everything takes `factor` times as long
  late_first_token,  ///< the first token comes `delay` later
  cut,               ///< the connection is reset in the middle of the answer
  stall,             ///< bytes stop in the middle of the answer, the connection stays open
  malformed,         ///< an event in the middle is garbage (a bad checksum, broken JSON)
  truncated,         ///< the body ends cleanly, but the final events are missing
};
const char* to_string(FaultKind kind);

/// Active when both windows hold the call: since the simulator's start, and by the endpoint's own call
/// number.
struct Fault {
  FaultKind kind = FaultKind::errors;
  /// [from, to) since the simulator's start; `to` zero: for ever.
  Duration from{}, to{};
  /// First and last call concerned, counted from 1 per endpoint; `call_to` zero: no end.
  std::uint64_t call_from = 1, call_to = 0;
  /// Share of the calls concerned that have the fault, drawn with the endpoint's seed.
  double share = 1;
  /// For throttle; zero: no hint is given.
  Duration retry_after{};
  /// For slow.
  double factor = 3;
  /// For late_first_token. Not scaled.
  Duration delay = std::chrono::seconds(30);
};

/// Who may call. All empty: anyone. Bedrock checks SigV4 with the key pair (or the api key as a bearer
/// token), OpenAI the api key.
struct SimulatedCredentials {
  bool verify = false;
  std::string access_key_id, secret_access_key, api_key;
};

/// The published example keys of AWS's SigV4 documentation and a bearer key of ours. Not secret: they open
/// the simulator only. What `auth: {kind: simulated}` signs with and `verify: true` checks.
SimulatedCredentials simulated_credentials();

struct SimulatedEndpoint {
  /// Also its path prefix: requests go to /NAME/....
  std::string name;
  /// One of provider_dialects().
  std::string dialect = "openai";
  /// Another way to be found: the Host header. Empty: by path only.
  std::string host;
  /// Model ids it answers to; another one is not_found. Empty: any.
  std::vector<std::string> models;
  /// Of the credential scope (SigV4).
  std::string region = "us-east-1";
  LatencyLaw latency;
  /// Over the limit: 429 in the dialect's words.
  policy::QuotaPolicy limits;
  policy::Price price;
  /// A longer prompt is refused as the dialect refuses it.
  std::uint32_t context_tokens_max = 200'000;
  /// Capacity is usable only from then on, since the simulator's start: until then model_not_ready (A4).
  Duration ready_after{};
  SimulatedCredentials credentials;
  std::vector<Fault> faults;
};

struct SimulatorConfig {
  /// "HOST:PORT"; port 0: any free one.
  std::string listen = "127.0.0.1:0";
  std::uint64_t seed = 1;
  /// Multiplies every modelled latency; 0: answers come at once.
  double scale = 1;
  /// Calls answered at once, all endpoints together; the next is refused as overloaded.
  std::uint32_t in_flight_max = 4096;
  std::vector<SimulatedEndpoint> endpoints;
};

}  // namespace troupe::config
