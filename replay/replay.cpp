#include "replay/replay.hpp"

#include <algorithm>

namespace troupe::replay {
namespace {

Result<TraceFacts> facts_of(const ReplayOptions& options) {
  auto trace = open_trace(options.trace, options.synthetic);
  if (!trace) return std::unexpected(trace.error());
  return measure_trace(**trace);
}

Result<Clouds> clouds_of(const ReplayOptions& options, const TraceFacts& facts) {
  if (options.clouds.empty()) return demo_clouds(facts);
  auto config = config::load_config(options.clouds);
  if (!config) return std::unexpected(config.error());
  return make_clouds(std::move(*config));
}

// Of those that somebody waits for the most patient: a trace's answers may be longer than an impatient one
// has time for.
std::string usual_feature(const config::Config& config) {
  auto patience = [](const auto& each) {
    bool waits = each.second.work_class == policy::WorkClass::interactive;
    return std::pair(waits, each.second.deadline);
  };
  return std::ranges::max_element(config.features, {}, patience)->first;
}

Result<void> check_features(const LoadOptions& load, const Clouds& clouds) {
  auto known = [&](const std::string& name) -> Result<void> {
    if (clouds.config.features.contains(name)) return {};
    return fail(Errc::bad_config, "no feature " + name + " is configured");
  };
  for (const auto& part : load.mix)
    if (auto there = known(part.feature); !there) return there;
  for (const auto& surge : load.surges)
    if (!surge.feature.empty())
      if (auto there = known(surge.feature); !there) return there;
  return {};
}

Result<PolicyResult> run_policy(const std::string& name, const ReplayOptions& options,
                                const ReplayReport& report, const Clock& clock) {
  auto began = clock.now();
  auto trace = open_trace(options.trace, options.synthetic);
  if (!trace) return std::unexpected(trace.error());
  auto policy =
      make_policy(name, report.clouds, report.features, options.load.seed, replay_start, replay_wall);
  if (!policy) return std::unexpected(policy.error());
  auto driver_options = options.driver;
  driver_options.seed = options.load.seed;
  Driver driver(report.clouds, report.features, driver_options);
  Arrivals arrivals(std::move(*trace), options.load);
  auto result = driver.run(arrivals, **policy, report.facts.length);
  if (!result) return result;
  result->policy = name;
  result->wall_seconds = seconds(clock.now() - began);
  return result;
}

}  // namespace

Result<ReplayReport> run_replay(const ReplayOptions& given, const Clock& clock) {
  auto options = given;
  ReplayReport report;
  report.trace = options.trace;
  report.seed = options.load.seed;
  report.scale = options.load.scale;
  auto began = clock.now();
  auto facts = facts_of(options);
  if (!facts) return std::unexpected(facts.error());
  report.facts = *facts;
  auto clouds = clouds_of(options, *facts);
  if (!clouds) return std::unexpected(clouds.error());
  report.clouds = std::move(*clouds);
  if (options.load.mix.empty()) options.load.mix = {{usual_feature(report.clouds.config), 1}};
  if (auto wrong = validate(options.load)) return fail(Errc::invalid_input, *wrong);
  if (auto known = check_features(options.load, report.clouds); !known) return std::unexpected(known.error());
  for (const auto& part : options.load.mix) report.features.push_back(part.feature);
  for (const auto& name : options.policies) {
    auto result = run_policy(name, options, report, clock);
    if (!result) return std::unexpected(result.error());
    report.policies.push_back(std::move(*result));
  }
  report.wall_seconds = seconds(clock.now() - began);
  return report;
}

}  // namespace troupe::replay
