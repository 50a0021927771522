#include "actors/wiring.hpp"

#include "providers/auth/sigv4.hpp"

#include <fmt/format.h>

#include <charconv>

namespace troupe::actors {
namespace {

class BearerAuthorizer final : public Authorizer {
 public:
  explicit BearerAuthorizer(std::string key) : value_("Bearer " + std::move(key)) {}
  Result<void> authorize(http::Request& request, WallTime) override {
    http::set_header(request.headers, "authorization", value_);
    return {};
  }

 private:
  std::string value_;
};

class SigV4Authorizer final : public Authorizer {
 public:
  SigV4Authorizer(providers::AwsCredentials credentials, providers::SigningScope scope)
      : credentials_(std::move(credentials)), scope_(std::move(scope)) {}
  Result<void> authorize(http::Request& request, WallTime now) override {
    return providers::sign(request, credentials_, scope_, now);
  }

 private:
  providers::AwsCredentials credentials_;
  providers::SigningScope scope_;
};

struct Base {
  http::Origin origin;
  std::string path;
};

// "https://HOST[:PORT][/PREFIX]"; config::validate has refused what is malformed, this reads what is left.
Result<Base> parse_base_url(const std::string& url) {
  Base base;
  std::string_view rest = url;
  if (rest.starts_with("https://")) {
    base.origin.tls = true;
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  } else {
    return fail(Errc::bad_config, "base_url must begin with http:// or https://: " + url);
  }
  auto slash = rest.find('/');
  auto authority = rest.substr(0, slash);
  if (slash != std::string_view::npos) base.path = rest.substr(slash);
  while (base.path.ends_with('/')) base.path.pop_back();
  base.origin.port = base.origin.tls ? 443 : 80;
  auto colon = authority.rfind(':');
  if (colon != std::string_view::npos && authority.find(']', colon) == std::string_view::npos) {
    auto digits = authority.substr(colon + 1);
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), base.origin.port);
    if (error != std::errc() || end != digits.data() + digits.size())
      return fail(Errc::bad_config, "base_url has a bad port: " + url);
    authority = authority.substr(0, colon);
  }
  if (authority.empty()) return fail(Errc::bad_config, "base_url has no host: " + url);
  base.origin.host = authority;
  return base;
}

std::string host_header(const http::Origin& origin) {
  unsigned short usual = origin.tls ? 443 : 80;
  return origin.port == usual ? origin.host : fmt::format("{}:{}", origin.host, origin.port);
}

// Where a provider is that has no base_url (WIRE 1.1, 3, 4.1, 5.1, 5.4).
Base own_base(std::string_view dialect, const std::string& region) {
  if (dialect == "anthropic") return {{true, "api.anthropic.com", 443}, ""};
  if (dialect.starts_with("openai")) return {{true, "api.openai.com", 443}, "/v1"};
  if (dialect.starts_with("bedrock"))
    return {{true, fmt::format("bedrock-runtime.{}.amazonaws.com", region), 443}, ""};
  if (dialect.starts_with("sagemaker"))
    return {{true, fmt::format("runtime.sagemaker.{}.amazonaws.com", region), 443}, ""};
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

Result<std::shared_ptr<Authorizer>> aws(const config::AuthConfig& auth, const std::string& region) {
  Result<providers::AwsCredentials> credentials;
  if (auth.kind == config::AuthKind::aws_env) {
    credentials = providers::credentials_from_environment();
  } else {
    auto id = config::read_secret(auth.access_key_id);
    auto secret = config::read_secret(auth.secret_access_key);
    auto token = config::read_secret(auth.session_token);
    for (const auto* each : {&id, &secret, &token})
      if (!*each) return std::unexpected(each->error());
    credentials = providers::AwsCredentials{*id, *secret, *token};
  }
  if (!credentials) return std::unexpected(credentials.error());
  return std::make_shared<SigV4Authorizer>(std::move(*credentials),
                                           providers::SigningScope{region, "bedrock"});
}

Result<std::shared_ptr<Authorizer>> simulated(const config::ProviderConfig& provider,
                                              const std::string& region) {
  auto keys = config::simulated_credentials();
  if (provider.dialect != "bedrock") return std::make_shared<BearerAuthorizer>(keys.api_key);
  providers::AwsCredentials credentials{keys.access_key_id, keys.secret_access_key, {}};
  return std::make_shared<SigV4Authorizer>(std::move(credentials),
                                           providers::SigningScope{region, "bedrock"});
}

Result<std::shared_ptr<Authorizer>> make_authorizer(const config::ProviderConfig& provider,
                                                    const std::string& region) {
  switch (provider.auth.kind) {
    case config::AuthKind::none: return std::shared_ptr<Authorizer>();
    case config::AuthKind::simulated: return simulated(provider, region);
    case config::AuthKind::aws_env:
    case config::AuthKind::aws_static: return aws(provider.auth, region);
    case config::AuthKind::bearer: break;
  }
  auto key = config::read_secret(provider.auth.api_key);
  if (!key) return std::unexpected(key.error());
  return std::make_shared<BearerAuthorizer>(std::move(*key));
}

}  // namespace

Result<std::shared_ptr<const Wire>> make_wire(const config::Config& config,
                                              const config::EndpointConfig& endpoint,
                                              const http::Origin& simulator, Clock&) {
  const auto& provider = config.providers.at(endpoint.provider);
  auto wire = std::make_shared<Wire>();
  wire->endpoint = endpoint.id;
  wire->dialect = providers::find_dialect(provider.dialect);
  if (wire->dialect == nullptr) return fail(Errc::bad_config, "unknown dialect " + provider.dialect);
  auto base = base_of(provider, endpoint, simulator);
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
  auto authorizer = make_authorizer(provider, endpoint.region);
  if (!authorizer) return std::unexpected(authorizer.error());
  wire->authorizer = std::move(*authorizer);
  return wire;
}

std::vector<FeatureConfig> feature_configs(const config::Config& config) {
  std::vector<FeatureConfig> out;
  for (const auto& [name, feature] : config.features) {
    FeatureConfig each;
    each.name = name;
    each.hierarchy = feature.hierarchy;
    each.work_class = feature.work_class;
    each.boundary = feature.boundary;
    each.route = feature.route;
    each.retry = feature.retry;
    each.admission = feature.admission;
    each.seed = config.simulator.seed;
    out.push_back(std::move(each));
  }
  return out;
}

bool lives_here(const config::Config& config, const config::EndpointConfig& endpoint) {
  return endpoint.home.empty() || endpoint.home == config.node.id;
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

http::ClientConfig client_config(const config::Config& config, const std::string& ca_file) {
  http::ClientConfig out;
  out.idle_per_origin_max = config.http.pool.idle_per_origin_max;
  out.open_per_origin_max = config.http.pool.open_per_origin_max;
  out.idle_age_max = config.http.pool.idle_age_max;
  out.ca_file = ca_file;
  return out;
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
  return out;
}

}  // namespace troupe::actors
