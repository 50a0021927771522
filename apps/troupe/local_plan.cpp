// The route plan without a node: the configuration's endpoints, and what the ledger last said of them.
#include "actors/explain.hpp"
#include "apps/troupe/command.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/config/config.hpp"
#include "runtime/journal/journal.hpp"

#include <algorithm>
#include <filesystem>
#include <map>

namespace troupe::app {
namespace {

using Cooling = std::map<std::string, journal::BreakerRow>;

// Nothing has run yet: nobody is known to be ill.
Result<Cooling> last_moves(const AskerOptions& options, const Config& config) {
  Cooling last;
  auto path = std::filesystem::path(options.state_dir) / config.values().store.path;
  if (!std::filesystem::exists(path)) return last;
  auto journal = journal::open_sqlite_readonly(path.string());
  if (!journal) return std::unexpected(journal.error());
  auto rows = (*journal)->breakers({});
  if (!rows) return std::unexpected(rows.error());
  for (auto& row : *rows) last[row.endpoint] = row;
  return last;
}

std::shared_ptr<const policy::HealthView> health_of(const std::string& endpoint, const Cooling& last,
                                                    WallTime now) {
  auto view = std::make_shared<policy::HealthView>();
  view->endpoint = endpoint;
  auto it = last.find(endpoint);
  if (it == last.end() || it->second.to != "open" || it->second.cool_until.ms <= now.ms) return view;
  view->state = policy::BreakerState::open;
  view->cool_until = it->second.cool_until;
  view->share = 0;
  return view;
}

policy::RouteRequest request_of(const Json& question, const config::FeatureConfig& feature) {
  policy::RouteRequest wish;
  wish.feature = get_string(question, "feature");
  wish.hierarchy = feature.hierarchy;
  wish.boundary = feature.boundary;
  wish.input_tokens =
      static_cast<std::uint64_t>(std::max<std::int64_t>(0, get_int(question, "input_tokens", 1000)));
  wish.output_tokens =
      static_cast<std::uint64_t>(std::max<std::int64_t>(0, get_int(question, "output_tokens_max", 1024)));
  wish.deadline = feature.deadline;
  wish.draw = 1;  // outside every trial's share: the plan of most requests
  return wish;
}

}  // namespace

Result<Json> plan_from_state(const AskerOptions& options, const Json& question) {
  auto config = config_from(options.config, {});
  if (!config) return std::unexpected(config.error());
  const auto& values = config->values();
  auto feature = values.features.find(get_string(question, "feature"));
  if (feature == values.features.end())
    return fail(Errc::not_found, "no feature " + get_string(question, "feature") + " is configured");
  auto last = last_moves(options, *config);
  if (!last) return std::unexpected(last.error());
  auto now = system_clock().wall();
  std::vector<policy::EndpointFacts> facts;
  for (const auto& endpoint : values.endpoints.list) facts.push_back(config::endpoint_facts(endpoint));
  std::vector<policy::Candidate> candidates;
  for (const auto& each : facts) candidates.push_back({&each, health_of(each.id, *last, now)});
  auto wish = request_of(question, feature->second);
  auto plan = policy::plan_route(wish, candidates, now, feature->second.route);
  return parse_json(actors::explain_route(wish, candidates, plan));
}

}  // namespace troupe::app
