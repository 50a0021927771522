// What the simulated clouds are like: speed, limits, prices, credentials and the faults they will have. Plain
// values.
#pragma once

#include "runtime/config/simulated_issuers.hpp"
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
  down,              ///< the connection is closed without an answer (HTTP/2: the stream is reset)
  half_open,         ///< the request is taken and nothing ever comes back
  slow_head,         ///< the response head comes `delay` later
  throttle,          ///< 429; with a Retry-After hint when `retry_after` is set
  errors,            ///< 500
  unavailable,       ///< no capacity for anyone: 503, or 529 where the dialect says it so
  model_error,       ///< the model's container failed: 424 on Bedrock and SageMaker, 500 elsewhere
  slow,              ///< everything takes `factor` times as long
  late_first_token,  ///< the first token comes `delay` later
  in_stream_error,   ///< an error event in the middle of a stream, after the 200; 503 for a whole answer
  cut,               ///< the connection is reset in the middle of the answer, or after `at_byte` of its body
  stall,             ///< bytes stop in the middle of the answer, the connection stays open
  malformed,         ///< an event in the middle is garbage (a bad checksum, broken JSON)
  truncated,         ///< the body ends cleanly, but the final events are missing
  poor_quality,  ///< quick, whole and useless answers: only feedback tells. `troupe replay` alone has users
};
const char* to_string(FaultKind kind);

/// Active when both windows hold the call: since the simulator's start, and by the endpoint's own call
/// number.
struct Fault {
  FaultKind kind = FaultKind::errors;
  /// [from, to) since the simulator's start; `to` zero: for ever.
  Duration from{}, to{};
  /// Repeats with this period, as long as [from, to) each time: flapping. Zero: once.
  Duration every{};
  /// First and last call concerned, counted from 1 per endpoint; `call_to` zero: no end.
  std::uint64_t call_from = 1, call_to = 0;
  /// Share of the calls concerned that have the fault, drawn with the endpoint's seed.
  double share = 1;
  /// For throttle; zero: no hint is given.
  Duration retry_after{};
  /// For slow.
  double factor = 3;
  /// For late_first_token and slow_head. Not scaled.
  Duration delay = std::chrono::seconds(30);
  /// For cut; zero: in the middle.
  std::uint64_t at_byte = 0;
  /// Only calls of this model; empty: of any.
  std::string model;
};

/// A fault of more than one endpoint at once: a region goes dark, a provider throttles everyone. What is not
/// empty must match; both empty: every endpoint.
struct SharedFault {
  std::string provider, region;
  Fault fault;
};

/// How a cloud hands out its capacity.
enum class CapacityLaw {
  limits,               ///< the endpoint's `limits` alone
  bedrock_on_demand,    ///< one token quota; max_tokens reserved up front, output burns `output_burndown`
                        ///< (WIRE 1.9)
  bedrock_provisioned,  ///< model units: input and output tokens apart; never spills (WIRE 1.9)
  vertex_provisioned,  ///< GSUs estimated at arrival and reconciled; spills to the pool by default (WIRE 4.4)
  vertex_shared,       ///< the pool alone: dynamic shared quota
  sagemaker_instances,  ///< instances that serve so many calls at once, and take time to start
};
const char* to_string(CapacityLaw law);

/// Only what the law needs is read. Tokens are quota tokens.
struct SimulatedCapacity {
  CapacityLaw law = CapacityLaw::limits;
  /// bedrock_on_demand, besides limits.input_tokens_per_minute. Zero: unlimited.
  double tokens_per_day = 0;
  /// bedrock_provisioned: model units and what one is worth.
  double units = 1, unit_input_tokens_per_minute = 100'000, unit_output_tokens_per_minute = 10'000;
  /// vertex_provisioned: units, throughput of one, weights of output and cached tokens against input.
  double gsus = 1, gsu_tokens_per_second = 2690, output_weight = 9, cached_weight = 0.1;
  /// vertex_provisioned: how far use may run ahead of the rate.
  Duration window = std::chrono::seconds(30);
  /// The pool of a Vertex model. Other customers take `others_mean` of it, give or take `others_swing`, in a
  /// wave of `others_period`. Zero tokens: unlimited.
  double pool_tokens_per_minute = 0, others_mean = 0.5, others_swing = 0.4;
  Duration others_period = std::chrono::minutes(10);
  /// sagemaker_instances: started at first, to be had at most, calls at once on each.
  std::uint32_t instances = 1, instances_max = 4, instance_calls = 8;
  /// From asking for an instance until it serves. The first ones serve after `ready_after`.
  Duration start_up = std::chrono::minutes(5);
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

/// What `troupe replay` models of an endpoint besides; the simulator behind HTTP takes no notice.
struct ReplayModel {
  /// Calls served at once; the next wait for a place, first come first served. Zero: no limit.
  std::uint32_t slots = 0;
  /// A share of calls whose first token follows another log-normal law: heavy tails and grey failures.
  double tail_share = 0;
  Duration tail_ttft_median = std::chrono::seconds(30);
  double tail_ttft_sigma = 0.5;
};

struct SimulatedEndpoint {
  /// Also its path prefix: requests go to /NAME/....
  std::string name;
  /// One of provider_dialects().
  std::string dialect = "openai";
  /// The cloud it belongs to, for faults of a whole provider. Empty: the dialect's first word.
  std::string provider;
  /// Another way to be found: the Host header. Empty: by path only.
  std::string host;
  /// Model ids it answers to; another one is not_found. Empty: any.
  std::vector<std::string> models;
  /// Of the credential scope (SigV4).
  std::string region = "us-east-1";
  LatencyLaw latency;
  /// Over the limit: refused in the dialect's words, whatever the law.
  policy::QuotaPolicy limits;
  SimulatedCapacity capacity;
  policy::Price price;
  /// A longer prompt is refused as the dialect refuses it.
  std::uint32_t context_tokens_max = 200'000;
  /// Capacity is usable only from then on, since the simulator's start: until then model_not_ready (A4).
  Duration ready_after{};
  SimulatedCredentials credentials;
  std::vector<Fault> faults;
  ReplayModel replay;
};

/// `provider`, or the dialect's first word.
std::string provider_of(const SimulatedEndpoint& endpoint);

struct SimulatorConfig {
  /// "HOST:PORT"; port 0: any free one.
  std::string listen = "127.0.0.1:0";
  std::uint64_t seed = 1;
  /// Multiplies every modelled latency; 0: answers come at once.
  double scale = 1;
  /// Calls answered at once, all endpoints together; the next is refused as overloaded.
  std::uint32_t in_flight_max = 4096;
  std::vector<SimulatedEndpoint> endpoints;
  /// Besides the endpoints' own.
  std::vector<SharedFault> faults;
  SimulatedIssuers issuers;
};

}  // namespace troupe::config
