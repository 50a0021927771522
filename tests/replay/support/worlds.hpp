// Small worlds to replay in: two providers, three endpoints of one model, one feature.
#pragma once

#include "replay/driver.hpp"
#include "replay/policies.hpp"

#include <cstdlib>

namespace troupe::replay {

/// `count` requests, `every` apart, all alike.
class SteadyTrace final : public TraceSource {
 public:
  SteadyTrace(std::uint32_t count, Duration every, std::uint32_t input = 1000, std::uint32_t output = 100)
      : count_(count), every_(every), input_(input), output_(output) {}
  Result<bool> next(TraceRow& row) override {
    if (given_ == count_) return false;
    row.at = every_ * given_++;
    row.input_tokens = input_;
    row.output_tokens = output_;
    row.blocks.clear();
    return true;
  }

 private:
  std::uint32_t count_;
  Duration every_;
  std::uint32_t input_, output_, given_ = 0;
};

inline config::SimulatedEndpoint quick_model(const std::string& name) {
  config::SimulatedEndpoint model;
  model.name = name;
  model.latency = {.ttft_median = std::chrono::milliseconds(400),
                   .ttft_sigma = 0.1,
                   .inter_token_median = std::chrono::milliseconds(10),
                   .inter_token_sigma = 0.05};
  return model;
}

inline config::EndpointConfig plain_endpoint(const std::string& id, const std::string& provider) {
  config::EndpointConfig endpoint;
  endpoint.id = id;
  endpoint.provider = provider;
  endpoint.region = provider + "-region";
  endpoint.model = "large";
  endpoint.price = {.input = 1, .output = 1};
  return endpoint;
}

/// a-east (the first), b-west and b-south, each a failure domain. No limits.
inline config::Config three_endpoints() {
  config::Config config;
  config.endpoints.list = {plain_endpoint("a-east", "a"), plain_endpoint("b-west", "b"),
                           plain_endpoint("b-south", "b")};
  config.endpoints.list[2].region = "b-south-region";
  config.features["chat"].hierarchy = {"large"};
  config.features["chat"].admission.running_max = 0;
  for (const auto& endpoint : config.endpoints.list)
    config.simulator.endpoints.push_back(quick_model(endpoint.id));
  return config;
}

inline config::Fault fault_of(config::FaultKind kind, int from, int to) {
  config::Fault fault;
  fault.kind = kind;
  fault.from = std::chrono::seconds(from);
  fault.to = std::chrono::seconds(to);
  return fault;
}

struct WorldRun {
  std::string policy = "round-robin";
  std::uint32_t count = 3000;
  Duration every = std::chrono::milliseconds(100);
  LoadOptions load;
  DriverOptions driver;
};

/// Replays `run` over `config` with the arrivals of `trace`; a failure ends the test program, for it would be
/// a bug of the test.
inline PolicyResult replay_trace(const config::Config& config, WorldRun run, TracePtr trace) {
  auto clouds = make_clouds(config);
  if (!clouds) std::abort();
  if (run.load.mix.empty()) run.load.mix = {{"chat", 1}};
  std::vector<std::string> features;
  for (const auto& part : run.load.mix) features.push_back(part.feature);
  auto policy = make_policy(run.policy, *clouds, features, run.load.seed, replay_start, replay_wall);
  if (!policy) std::abort();
  run.driver.seed = run.load.seed;
  Driver driver(*clouds, features, run.driver);
  Arrivals arrivals(std::move(trace), run.load);
  auto result = driver.run(arrivals, **policy, run.every * run.count);
  if (!result) {
    std::fprintf(stderr, "%s\n", result.error().what.c_str());
    std::abort();
  }
  result->policy = run.policy;
  return std::move(*result);
}

inline PolicyResult replay_world(const config::Config& config, WorldRun run) {
  auto trace = std::make_unique<SteadyTrace>(run.count, run.every);
  return replay_trace(config, std::move(run), std::move(trace));
}

}  // namespace troupe::replay
