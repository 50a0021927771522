#include "actors/wiring.hpp"

#include "providers/auth/issuer.hpp"
#include "runtime/http/proxy.hpp"

#include <fmt/format.h>

#include <cstdlib>

namespace troupe::actors {
namespace {

struct Base {
  http::Origin origin;
  std::string path;
};

// "https://HOST[:PORT][/PREFIX]"
Result<Base> parse_base_url(const std::string& text) {
  auto url = providers::parse_url(text);
  if (!url) return fail(Errc::bad_config, "base_url: " + url.error().what);
  while (url->target.ends_with('/')) url->target.pop_back();
  return Base{url->origin, std::move(url->target)};
}

std::string host_header(const http::Origin& origin) {
  auto host = origin.host.find(':') == std::string::npos ? origin.host : "[" + origin.host + "]";
  unsigned short usual = origin.tls ? 443 : 80;
  return origin.port == usual ? host : fmt::format("{}:{}", host, origin.port);
}

// Where a provider is that has no base_url (WIRE 1.1, 3, 4.1, 5.1, 5.4).
Base own_base(std::string_view dialect, const std::string& region) {
  if (dialect == "anthropic") return {{true, "api.anthropic.com", 443}, ""};
  if (dialect.starts_with("openai")) return {{true, "api.openai.com", 443}, "/v1"};
  const char* china = region.starts_with("cn-") ? ".cn" : "";
  if (dialect.starts_with("bedrock"))
    return {{true, fmt::format("bedrock-runtime.{}.amazonaws.com{}", region, china), 443}, ""};
  if (dialect.starts_with("sagemaker"))
    return {{true, fmt::format("runtime.sagemaker.{}.amazonaws.com{}", region, china), 443}, ""};
  if (region == "global") return {{true, "aiplatform.googleapis.com", 443}, ""};
  if (region == "us" || region == "eu")
    return {{true, fmt::format("aiplatform.{}.rep.googleapis.com", region), 443}, ""};
  return {{true, fmt::format("{}-aiplatform.googleapis.com", region), 443}, ""};
}

Result<Base> base_of(const config::ProviderConfig& provider, const config::EndpointConfig& endpoint,
                     const http::Origin& simulator) {
  if (provider.base_url == "simulator") {
    if (simulator.port == 0) return fail(Errc::bad_config, "base_url: simulator, but none is configured");
    return Base{simulator, "/" + endpoint.id};
  }
  if (provider.base_url.empty()) return own_base(provider.dialect, endpoint.region);
  return parse_base_url(provider.base_url);
}

}  // namespace

Result<std::shared_ptr<const Wire>> make_wire(const config::Config& config,
                                              const config::EndpointConfig& endpoint,
                                              const WireParts& parts) {
  const auto& provider = config.providers.at(endpoint.provider);
  auto wire = std::make_shared<Wire>();
  wire->endpoint = endpoint.id;
  wire->dialect = providers::find_dialect(provider.dialect);
  if (wire->dialect == nullptr) return fail(Errc::bad_config, "unknown dialect " + provider.dialect);
  auto base = base_of(provider, endpoint, parts.simulator);
  if (!base) return std::unexpected(base.error());
  wire->origin = base->origin;
  bool reserved = endpoint.kind == policy::CapacityKind::reserved;
  wire->target = {.model = endpoint.remote_model.empty() ? endpoint.model : endpoint.remote_model,
                  .base_path = base->path,
                  .host = host_header(base->origin),
                  .project = provider.project,
                  .location = endpoint.region,
                  .api_version = provider.api_version,
                  .capacity = reserved ? providers::Capacity::reserved : providers::Capacity::on_demand};
  const auto& timeouts = config.http.timeouts;
  wire->timeouts = {timeouts.connect, timeouts.header, timeouts.first_byte, timeouts.idle, timeouts.total};
  wire->first_token = timeouts.first_byte;
  wire->metrics = parts.metrics;
  auto authorizer = parts.credentials->authorizer(
      {endpoint.provider, &provider, endpoint.region, wire->dialect, parts.client});
  if (!authorizer) return std::unexpected(authorizer.error());
  wire->authorizer = std::move(*authorizer);
  return wire;
}

std::uint64_t breaker_target(const config::Config& config, const config::EndpointConfig& endpoint) {
  const auto& provider = config.providers.at(endpoint.provider);
  return policy::target_hash({endpoint.provider, provider.dialect, provider.base_url, provider.project,
                              endpoint.region, policy::to_string(endpoint.kind), endpoint.model,
                              endpoint.remote_model});
}

std::shared_ptr<policy::QuotaTree> shared_quota(const config::Config& config) {
  if (config.node.tokens_per_minute <= 0) return nullptr;
  return std::make_shared<policy::QuotaTree>(config::quota_tree_policy(config), Instant{});
}

std::vector<FeatureConfig> feature_configs(const config::Config& config,
                                           const std::shared_ptr<policy::QuotaTree>& quota) {
  auto boundaries = std::make_shared<std::map<std::string, std::string>>();
  for (const auto& [tenant, each] : config.tenants)
    if (!each.boundary.empty()) (*boundaries)[tenant] = each.boundary;
  std::vector<FeatureConfig> out;
  auto budgets = config::budget_rules(config);
  for (const auto& [name, feature] : config.features) {
    FeatureConfig each;
    each.cheaper = budgets.features.at(name).cheaper;
    each.dispatch = config::dispatch_policy(config, name);
    each.after_first_token = feature.after_first_token;
    each.choice = config::choice_rule(config, name);
    each.tenant_boundaries = boundaries;
    each.quota_tree = quota;
    each.seed = config.simulator.seed;
    out.push_back(std::move(each));
  }
  return out;
}

namespace {

std::optional<JudgeActorConfig> judge_of(const config::Config& config, const config::FeatureConfig& feature) {
  const auto& judge = feature.shadow.judge;
  if (judge.feature.empty() || judge.policy.share <= 0) return std::nullopt;
  JudgeActorConfig out;
  out.feature = judge.feature;
  out.policy = judge.policy;
  out.rubric = judge.rubric;
  out.deadline = config.features.at(judge.feature).deadline;
  out.seed = config.simulator.seed;
  return out;
}

}  // namespace

std::vector<FeatureShadow> feature_shadows(const config::Config& config) {
  std::vector<FeatureShadow> out;
  for (const auto& [name, feature] : config.features) {
    if (feature.shadow.model.empty()) continue;
    FeatureShadow shadow;
    shadow.config.feature = name;
    shadow.config.model = feature.shadow.model;
    shadow.config.policy = feature.shadow.policy;
    shadow.config.seed = config.simulator.seed;
    shadow.report = std::make_shared<Published<policy::ParityReport>>();
    shadow.shown = std::make_shared<Published<policy::TwoSides>>();
    if (shadow.config.judge = judge_of(config, feature); shadow.config.judge)
      shadow.judged = std::make_shared<Published<policy::JudgeTally>>();
    out.push_back(std::move(shadow));
  }
  return out;
}

bool lives_here(const config::Config& config, const config::EndpointConfig& endpoint) {
  return endpoint.home.empty() || endpoint.home == config.node.id;
}

std::set<std::string> named_here(const config::Config& config) {
  std::set<std::string> out;
  for (const auto& endpoint : config.endpoints.list)
    if (endpoint.home == config.node.id) out.insert(endpoint.id);
  return out;
}

std::vector<RemotePeer> remote_peers(const config::Config& config) {
  std::vector<RemotePeer> peers;
  for (const auto& entry : config.cluster.peers) {
    RemotePeer peer{entry.id, {}};
    for (const auto& endpoint : config.endpoints.list)
      if (endpoint.home == entry.id) peer.endpoints.push_back(config::endpoint_facts(endpoint));
    peers.push_back(std::move(peer));
  }
  return peers;
}

Result<http::ClientConfig> client_config(const config::Config& config,
                                         const config::ProviderConfig& provider) {
  http::ClientConfig out;
  out.idle_per_origin_max = config.http.pool.idle_per_origin_max;
  out.open_per_origin_max = config.http.pool.open_per_origin_max;
  out.idle_age_max = config.http.pool.idle_age_max;
  out.ca_file = provider.ca_file;
  auto proxy = config::read_secret(provider.proxy);
  if (!proxy) return std::unexpected(proxy.error());
  if (!proxy->empty()) {
    out.proxy = std::move(*proxy);
  } else if (provider.base_url != "simulator") {
    http::read_proxy_environment(out, [](const char* name) {
      const char* value = std::getenv(name);
      return value != nullptr ? std::optional<std::string>(value) : std::nullopt;
    });
    out.plain_proxy.emplace();
  }
  if (auto sound = http::validate(out); !sound) return std::unexpected(sound.error());
  return out;
}

std::string client_key(const config::ProviderConfig& provider) {
  // The simulator of this process is never behind the environment's proxy.
  const char* own = provider.base_url == "simulator" ? "\nown" : "";
  return provider.ca_file + "\n" + provider.proxy.reference + own;
}

Result<transport::GatewayConfig> gateway_config(const config::Config& config) {
  auto secret = config::read_secret(config.cluster.secret_key);
  if (!secret) return std::unexpected(secret.error());
  auto public_key = transport::public_key_of(*secret);
  if (!public_key) return std::unexpected(public_key.error());
  transport::GatewayConfig out;
  out.id = config.node.id;
  out.region = config.node.region;
  out.listen = config.cluster.listen;
  out.keys = {*public_key, *secret};
  for (const auto& peer : config.cluster.peers) out.peers.push_back({peer.id, peer.address, peer.public_key});
  out.client_keys = config.cluster.client_keys;
  for (const auto& client : config.cluster.clients) out.client_keys.push_back(client.public_key);
  return out;
}

}  // namespace troupe::actors
