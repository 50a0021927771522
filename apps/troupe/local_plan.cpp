// The route plan without a node: the configuration's endpoints, and what the ledger last said of them.
#include "actors/decision_record.hpp"
#include "actors/explain.hpp"
#include "actors/store.hpp"
#include "apps/troupe/command.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/config/config.hpp"
#include "runtime/journal/journal.hpp"

#include <algorithm>
#include <map>

namespace troupe::app {
namespace {

using Cooling = std::map<std::string, journal::BreakerRow>;

// Nothing has run yet: nobody is known to be ill.
Result<Cooling> last_moves(const AskerOptions& options, const Config& config) {
  Cooling last;
  auto journal = actors::open_store_readonly(config.with_state_dir(options.state_dir).values());
  if (!journal && journal.error().code == Errc::input_missing) return last;
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

std::uint64_t count_of(const Json& question, const char* key, std::int64_t otherwise) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, get_int(question, key, otherwise)));
}

policy::CallFacts call_of(const Json& question, const config::FeatureConfig& feature, Instant now) {
  policy::CallFacts call;
  call.input_tokens = count_of(question, "input_tokens", 1000);
  call.output_tokens_max = count_of(question, "output_tokens_max", 1024);
  call.output_tokens = call.output_tokens_max;
  call.deadline = now + feature.deadline;
  return call;
}

Result<Json> decision_from_state(const AskerOptions& options, const Config& config, const std::string& id) {
  auto journal = actors::open_store_readonly(config.with_state_dir(options.state_dir).values());
  if (!journal) return std::unexpected(journal.error());
  auto row = (*journal)->decision(id);
  if (!row) return std::unexpected(row.error());
  if (!*row)
    return fail(Errc::not_found, "no decision " + id + " is kept in " + options.state_dir +
                                     "; `troupe runs export RUN` names each attempt's");
  auto again = actors::make_again((*row)->body);
  if (!again) return std::unexpected(again.error());
  return std::move(again->explanation);
}

}  // namespace

Result<Json> plan_from_state(const AskerOptions& options, const Json& question) {
  auto config = config_from(options.config, {});
  if (!config) return std::unexpected(config.error());
  if (auto id = get_string(question, "decision"); !id.empty())
    return decision_from_state(options, *config, id);
  const auto& values = config->values();
  auto feature = values.features.find(get_string(question, "feature"));
  if (feature == values.features.end())
    return fail(Errc::not_found, "no feature " + get_string(question, "feature") + " is configured");
  auto last = last_moves(options, *config);
  if (!last) return std::unexpected(last.error());
  policy::Moment at{system_clock().now(), system_clock().wall()};
  policy::Dispatcher dispatcher(config::dispatch_policy(values, feature->first), 0, at.now);
  std::vector<policy::FactsPtr> facts;
  for (const auto& endpoint : values.endpoints.list)
    facts.push_back(std::make_shared<const policy::EndpointFacts>(config::endpoint_facts(endpoint)));
  dispatcher.set_endpoints(facts);
  for (std::uint32_t i = 0; i < facts.size(); ++i)
    dispatcher.set_health(i, health_of(facts[i]->id, *last, at.wall));
  auto call = call_of(question, feature->second, at.now);
  auto plan = parse_json(actors::explain_route(dispatcher.router(), call, dispatcher.explain(call, at)));
  if (plan) (*plan)["from_state"] = true;
  return plan;
}

}  // namespace troupe::app
