// What single values cannot show: references, ranges between values, doubles, and backups that would fail
// together.
#include "runtime/config/validate_auth.hpp"
#include "runtime/config/words.hpp"
#include "runtime/policy/price_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace troupe::config {
namespace {

// Can the host be made from the region (or is there only one)?
bool has_own_host(const ProviderConfig& provider) {
  if (provider.dialect == "anthropic" || provider.dialect.starts_with("openai")) return true;
  return provider.dialect != "azure_openai" && !provider.region.empty();
}

template <class T>
std::vector<std::string> names_in(const std::map<std::string, T>& values) {
  std::vector<std::string> out;
  for (const auto& [name, value] : values) out.push_back(name);
  return out;
}

/// Collects problems below a path.
class ConfigCheck {
 public:
  explicit ConfigCheck(const Config& config) : config_(config), leads_(lead_rules_of(config)) {}
  std::vector<Problem> run();

 private:
  void add(std::string path, std::string what) { problems_.push_back({std::move(path), std::move(what)}); }
  void add_if(const std::string& path, const std::optional<std::string>& what) {
    if (what) add(path, *what);
  }
  void one_of(const std::string& path, const std::string& value, const std::vector<std::string>& words) {
    if (std::ranges::find(words, value) != words.end()) return;
    add(path,
        fmt::format("\"{}\" is none of {}{}", value, fmt::join(words, ", "), did_you_mean(value, words)));
  }
  void known_name(const std::string& path, const char* what, const std::string& name,
                  const std::vector<std::string>& names) {
    if (std::ranges::find(names, name) != names.end()) return;
    auto hint = did_you_mean(name, names);
    if (hint.empty())
      hint = names.empty() ? "; there are none" : fmt::format("; there are {}", fmt::join(names, ", "));
    add(path, fmt::format("there is no {} \"{}\"{}", what, name, hint));
  }

  void check_node();
  void check_cluster();
  void check_provider(const std::string& path, const ProviderConfig& provider);
  void check_endpoint(const std::string& path, const EndpointConfig& endpoint);
  void check_feature(const std::string& name, const FeatureConfig& feature);
  void check_choice(const std::string& path, const FeatureConfig& feature);
  void check_backup(const std::string& name, const FeatureConfig& feature);
  bool on_trial(const std::string& name, const FeatureConfig& feature, const std::string& model) const;
  void check_simulated(const std::string& path, const SimulatedEndpoint& endpoint);
  void check_fault(const std::string& path, const Fault& fault);
  void check_capacity(const std::string& path, const SimulatedCapacity& capacity);
  void check_issuers(const std::string& path, const SimulatedIssuers& issuers);

  const Config& config_;
  const policy::LeadRules leads_;
  std::vector<Problem> problems_;
  std::set<std::string> endpoint_ids_, simulated_names_;
};

// As "postgresql://user:secret@host" has.
bool has_user_password(std::string_view url) {
  auto at = url.find("://");
  if (at == std::string_view::npos) return false;
  auto authority = url.substr(at + 3, url.find_first_of("/?", at + 3) - at - 3);
  auto user = authority.substr(0, std::min(authority.rfind('@'), authority.size()));
  return user.size() < authority.size() && user.find(':') != std::string_view::npos;
}

void ConfigCheck::check_node() {
  if (config_.node.id.empty()) add("node.id", "must not be empty");
  const auto& shares = config_.node.concentration;
  for (auto [key, share] : {std::pair("provider_share_max", shares.provider_share_max),
                            std::pair("region_share_max", shares.region_share_max)})
    if (!(share > 0 && share <= 1))
      add(std::string("node.concentration.") + key, "is a share: above 0, at most 1 (1: no warning)");
  one_of("store.kind", config_.store.kind, {"sqlite", "postgres"});
  if (config_.store.kind == "postgres" && config_.store.url.empty())
    add("store.url",
        "is needed where store.kind is postgres; a libpq connection string such as "
        "\"host=db.internal dbname=troupe\"");
  if (config_.store.url.find("password") != std::string::npos || has_user_password(config_.store.url))
    add("store.url", "holds a password; use PGPASSFILE or PGPASSWORD instead");
  if (config_.store.path.empty()) add("store.path", "must not be empty");
  for (const auto& [workflow, durability] : config_.store.durability)
    if (durability == Durability::power && !config_.store.power_safe)
      add("store.durability." + workflow, "cannot be power where store.power_safe is false");
  for (const auto& [schedule, rule] : config_.schedules)
    if (rule.durability == Durability::power && !config_.store.power_safe)
      add("schedules." + schedule + ".durability", "cannot be power where store.power_safe is false");
  one_of("telemetry.log_level", config_.telemetry.log_level, {"debug", "info", "warn", "error", "off"});
}

void ConfigCheck::check_cluster() {
  const auto& cluster = config_.cluster;
  auto is_address = [](const std::string& text) { return text.empty() || text.starts_with("tcp://"); };
  auto is_key = [](const std::string& text) { return text.size() == 40; };
  constexpr const char* address_form = "must be tcp://HOST:PORT";
  constexpr const char* key_form = "must be a public key of 40 characters, as `troupe keygen` prints it";
  if (!is_address(cluster.listen)) add("cluster.listen", address_form);
  bool joined = !cluster.listen.empty() || !cluster.peers.empty();
  if (joined && cluster.secret_key.empty()) {
    add("cluster", "a node with a listen address or peers needs secret_key; `troupe keygen` makes one");
  }
  std::set<std::string> ids{config_.node.id};
  for (std::size_t i = 0; i < cluster.peers.size(); ++i) {
    const auto& peer = cluster.peers[i];
    auto path = fmt::format("cluster.peers[{}]", i);
    if (!ids.insert(peer.id).second) add(path + ".id", fmt::format("node id \"{}\" is there twice", peer.id));
    if (!is_address(peer.address)) add(path + ".address", address_form);
    if (!is_key(peer.public_key)) add(path + ".public_key", key_form);
  }
  for (std::size_t i = 0; i < cluster.client_keys.size(); ++i) {
    if (!is_key(cluster.client_keys[i])) add(fmt::format("cluster.client_keys[{}]", i), key_form);
  }
  // By so much of their keys clients are told apart (transport/gateway.hpp).
  std::set<std::string> known;
  for (const auto& key : cluster.client_keys) known.insert(key.substr(0, 12));
  for (std::size_t i = 0; i < cluster.clients.size(); ++i) {
    const auto& client = cluster.clients[i];
    auto path = fmt::format("cluster.clients[{}]", i);
    if (!is_key(client.public_key)) add(path + ".public_key", key_form);
    if (client.principal.empty()) add(path + ".principal", "says who it is in the corpora's access lists");
    if (!known.insert(client.public_key.substr(0, 12)).second)
      add(path + ".public_key", "begins like another client's key");
  }
}

void ConfigCheck::check_provider(const std::string& path, const ProviderConfig& provider) {
  one_of(path + ".dialect", provider.dialect, provider_dialects());
  const auto& url = provider.base_url;
  bool web = url.starts_with("https://") || url.starts_with("http://");
  if (!web && url != "simulator" && !(url.empty() && has_own_host(provider))) {
    add(path + ".base_url",
        "must be https://HOST[:PORT][/PREFIX] or simulator; who has one host may leave it out, and give a "
        "region where there are several");
  }
  if (web && url.substr(0, url.find('/', url.find("//") + 2)).find('@') != std::string::npos)
    add(path + ".base_url", "holds a user or a password; use auth");
  bool developer_api = provider.dialect == "vertex_gemini" && web;
  if (provider.dialect.starts_with("vertex") && provider.project.empty() && !developer_api)
    add(path + ".project", "a Vertex provider needs the Google Cloud project");
  for (auto& problem : validate_auth(path + ".auth", provider)) problems_.push_back(std::move(problem));
}

void ConfigCheck::check_endpoint(const std::string& path, const EndpointConfig& endpoint) {
  if (endpoint.id.empty()) add(path, "an endpoint needs an id");
  if (!endpoint.id.empty() && !endpoint_ids_.insert(endpoint.id).second) {
    add(path + ".id", fmt::format("endpoint id \"{}\" is there twice", endpoint.id));
  }
  known_name(path + ".provider", "provider", endpoint.provider, names_in(config_.providers));
  known_name(path + ".model", "model", endpoint.model, names_in(config_.models));
  if (!endpoint.home.empty() && endpoint.home != config_.node.id) {
    std::vector<std::string> nodes{config_.node.id};
    for (const auto& peer : config_.cluster.peers) nodes.push_back(peer.id);
    known_name(path + ".home", "node", endpoint.home, nodes);
  }
  add_if(path + ".limits", policy::validate(endpoint.limits));
  add_if(path + ".capacity", policy::validate(guard_policy(endpoint, false)));
  add_if(path + ".breaker", policy::validate(endpoint.breaker));
  if (endpoint.context_tokens_max == 0) add(path + ".context_tokens_max", "must be above 0");
  if (endpoint.output_tokens_max == 0) add(path + ".output_tokens_max", "must be above 0");
  auto provider = config_.providers.find(endpoint.provider);
  if (provider == config_.providers.end() || provider->second.base_url != "simulator") return;
  std::vector<std::string> simulated;
  for (const auto& cloud : config_.simulator.endpoints) simulated.push_back(cloud.name);
  known_name(path + ".id", "simulated endpoint", endpoint.id, simulated);
}

// Of the hierarchy, but for its first, which serves already (B5).
bool ConfigCheck::on_trial(const std::string& name, const FeatureConfig& feature,
                           const std::string& model) const {
  auto is_it = [&](const auto& each) { return each.feature == name && each.model == model; };
  return model != feature.hierarchy.front() &&
         (std::ranges::any_of(leads_.rollouts, is_it) || std::ranges::any_of(leads_.shadowed, is_it));
}

// C10: one cloud in one region is one failure domain; a feature must outlive any of them. A model that is
// only tried out is no backup to count on.
void ConfigCheck::check_backup(const std::string& name, const FeatureConfig& feature) {
  auto path = "features." + name + ".hierarchy";
  std::set<std::pair<std::string, std::string>> domains;
  std::string tried;
  for (const auto& endpoint : config_.endpoints.list) {
    bool listed = std::ranges::find(feature.hierarchy, endpoint.model) != feature.hierarchy.end();
    bool allowed = feature.boundary.empty() || endpoint.boundary == feature.boundary;
    if (!listed || !allowed) continue;
    if (on_trial(name, feature, endpoint.model))
      tried = fmt::format(", but for model {}, which is only tried out", endpoint.model);
    else
      domains.emplace(endpoint.provider, endpoint.region);
  }
  if (domains.empty()) return add(path, "no endpoint serves any of these models within the boundary" + tried);
  if (domains.size() > 1) return;
  add(path, fmt::format("every endpoint is in one failure domain (provider {}, region {}){}; add a backup "
                        "model or an endpoint of another provider or region",
                        domains.begin()->first, domains.begin()->second, tried));
}

void ConfigCheck::check_feature(const std::string& name, const FeatureConfig& feature) {
  auto path = "features." + name;
  if (feature.hierarchy.empty()) return add(path + ".hierarchy", "a feature needs at least one model");
  auto models = names_in(config_.models);
  auto before = problems_.size();
  for (std::size_t i = 0; i < feature.hierarchy.size(); ++i) {
    const auto& model = feature.hierarchy[i];
    auto entry = fmt::format("{}.hierarchy[{}]", path, i);
    known_name(entry, "model", model, models);
    bool served = std::ranges::find(config_.endpoints.list, model, &EndpointConfig::model) !=
                  config_.endpoints.list.end();
    if (config_.models.contains(model) && !served)
      add(entry, fmt::format("no endpoint serves model \"{}\"", model));
  }
  if (problems_.size() == before) check_backup(name, feature);
  check_choice(path, feature);
  if (feature.deadline <= Duration{}) add(path + ".deadline", "must be above 0");
  add_if(path + ".route", policy::validate(feature.route));
  add_if(path + ".retry", policy::validate(feature.retry));
  add_if(path + ".admission", policy::validate(feature.admission));
  add_if(path + ".hedge", policy::validate(feature.hedge));
}

void ConfigCheck::check_choice(const std::string& path, const FeatureConfig& feature) {
  for (std::size_t i = 0; i < feature.quality.size(); ++i) {
    const auto& score = feature.quality[i];
    auto entry = fmt::format("{}.quality[{}]", path, i);
    known_name(entry + ".model", "model of the hierarchy", score.model, feature.hierarchy);
    if (!(score.lower >= 0 && score.lower <= 1)) add(entry + ".lower", "must be from 0 to 1");
    if (!policy::is_date(score.expires))
      add(entry + ".expires", "must be a date, yyyy-mm-dd: a score that never ends would outlive its model");
  }
  for (std::size_t i = 0; i < feature.diverts.size(); ++i) {
    auto entry = fmt::format("{}.diverts[{}]", path, i);
    known_name(entry + ".model", "model of the hierarchy", feature.diverts[i].model, feature.hierarchy);
    if (feature.diverts[i].input_tokens_min > feature.diverts[i].input_tokens_max)
      add(entry, "no request is that large and that small");
  }
}

void ConfigCheck::check_fault(const std::string& path, const Fault& fault) {
  if (fault.share > 1) add(path + ".share", "is a share, from 0 to 1");
  if (fault.to != Duration{} && fault.to <= fault.from)
    add(path + ".to", "must be after `from`, or 0 for ever");
  if (fault.every != Duration{} && (fault.to == Duration{} || fault.every < fault.to - fault.from))
    add(path + ".every", "must not be shorter than from `from` to `to`, or 0 for once");
  if (fault.call_from == 0) add(path + ".call_from", "calls are counted from 1");
  bool backward = fault.call_to != 0 && fault.call_to < fault.call_from;
  if (backward) add(path + ".call_to", "must not be below call_from, or 0 for no end");
  if (fault.factor <= 0) add(path + ".factor", "must be above 0");
}

void ConfigCheck::check_capacity(const std::string& path, const SimulatedCapacity& capacity) {
  auto positive = [&](const char* key, double value) {
    if (!(value > 0)) add(path + "." + key, "must be above 0");
  };
  positive("units", capacity.units);
  positive("gsus", capacity.gsus);
  positive("gsu_tokens_per_second", capacity.gsu_tokens_per_second);
  positive("window", static_cast<double>(capacity.window.count()));
  positive("others_period", static_cast<double>(capacity.others_period.count()));
  if (capacity.others_mean < 0 || capacity.others_mean > 1)
    add(path + ".others_mean", "is a share, from 0 to 1");
  if (capacity.instances > capacity.instances_max)
    add(path + ".instances", "must not be above instances_max");
  if (capacity.instance_calls == 0) add(path + ".instance_calls", "must be above 0");
}

void ConfigCheck::check_simulated(const std::string& path, const SimulatedEndpoint& endpoint) {
  if (endpoint.name.empty() || endpoint.name == "control")
    add(path + ".name", "must be a name other than \"control\"");
  if (!endpoint.name.empty() && !simulated_names_.insert(endpoint.name).second) {
    add(path + ".name", fmt::format("simulated endpoint \"{}\" is there twice", endpoint.name));
  }
  one_of(path + ".dialect", endpoint.dialect, provider_dialects());
  add_if(path + ".limits", policy::validate(endpoint.limits));
  check_capacity(path + ".capacity", endpoint.capacity);
  if (endpoint.context_tokens_max == 0) add(path + ".context_tokens_max", "must be above 0");
  if (endpoint.replay.tail_share > 1) add(path + ".replay.tail_share", "is a share, from 0 to 1");
  for (std::size_t i = 0; i < endpoint.faults.size(); ++i) {
    check_fault(fmt::format("{}.faults[{}]", path, i), endpoint.faults[i]);
  }
}

void ConfigCheck::check_issuers(const std::string& path, const SimulatedIssuers& issuers) {
  if (issuers.token_lifetime < std::chrono::seconds(1))
    add(path + ".token_lifetime", "must be 1s or more: issuers count in whole seconds");
  if (issuers.issued_max == 0) add(path + ".issued_max", "must be above 0");
}

std::vector<Problem> ConfigCheck::run() {
  check_node();
  check_cluster();
  for (const auto& [name, provider] : config_.providers) check_provider("providers." + name, provider);
  add_if("endpoints.defaults.limits", policy::validate(config_.endpoints.defaults.limits));
  add_if("endpoints.defaults.breaker", policy::validate(config_.endpoints.defaults.breaker));
  for (std::size_t i = 0; i < config_.endpoints.list.size(); ++i) {
    check_endpoint(fmt::format("endpoints.list[{}]", i), config_.endpoints.list[i]);
  }
  for (const auto& [name, feature] : config_.features) check_feature(name, feature);
  if (config_.simulator.in_flight_max == 0) add("simulator.in_flight_max", "must be above 0");
  for (std::size_t i = 0; i < config_.simulator.endpoints.size(); ++i) {
    check_simulated(fmt::format("simulator.endpoints[{}]", i), config_.simulator.endpoints[i]);
  }
  for (std::size_t i = 0; i < config_.simulator.faults.size(); ++i) {
    check_fault(fmt::format("simulator.faults[{}]", i), config_.simulator.faults[i].fault);
  }
  check_issuers("simulator.issuers", config_.simulator.issuers);
  for (auto& problem : validate_lead(config_)) problems_.push_back(std::move(problem));
  for (auto& problem : validate_judges(config_)) problems_.push_back(std::move(problem));
  for (auto& problem : validate_choices(config_)) problems_.push_back(std::move(problem));
  for (auto& problem : validate_money(config_)) problems_.push_back(std::move(problem));
  for (auto& problem : validate_tools(config_)) problems_.push_back(std::move(problem));
  return std::move(problems_);
}

}  // namespace

std::vector<Problem> validate(const Config& config) { return ConfigCheck(config).run(); }

}  // namespace troupe::config
