// From configuration values to what the cast is spawned with. Pure but for reading secrets.
#pragma once

#include "actors/credentials.hpp"
#include "actors/supervisor.hpp"
#include "runtime/config/config.hpp"
#include "runtime/http/client.hpp"

#include <set>
#include <string>

namespace troupe::actors {

/// What the wires of a node share.
struct WireParts {
  /// Answers for providers whose base_url is "simulator".
  http::Origin simulator;
  Credentials* credentials = nullptr;
  /// The provider's client, for its issuers.
  http::Client* client = nullptr;
  std::shared_ptr<telemetry::Metrics> metrics;  ///< may be null
};

/// How each endpoint of `config` that lives on this node is reached. Fails with bad_config (a bad URL, an
/// unknown dialect, a secret that cannot be read).
Result<std::shared_ptr<const Wire>> make_wire(const config::Config& config,
                                              const config::EndpointConfig& endpoint, const WireParts& parts);

/// Of the provider, the place, the kind of capacity and the model behind an endpoint: whether what its
/// breaker remembers is about what it serves now.
std::uint64_t breaker_target(const config::Config& config, const config::EndpointConfig& endpoint);

/// What the node's features use together (C6); null: as much as they like.
std::shared_ptr<policy::QuotaTree> shared_quota(const config::Config& config);
/// `quota` may be null, and is shared by all of them.
std::vector<FeatureConfig> feature_configs(const config::Config& config,
                                           const std::shared_ptr<policy::QuotaTree>& quota);

std::vector<FeatureShadow> feature_shadows(const config::Config& config);
/// Endpoints of other nodes, by their home.
std::vector<RemotePeer> remote_peers(const config::Config& config);
/// Does this node own the endpoint?
bool lives_here(const config::Config& config, const config::EndpointConfig& endpoint);
/// Endpoints that the configuration gives to this node by name, and to no other.
std::set<std::string> named_here(const config::Config& config);
/// The HTTP client of a provider: its certificate authorities and its proxy, which the variables HTTPS_PROXY
/// and NO_PROXY decide when it names none. Plain http and the simulator of this process are reached through a
/// proxy only when the provider names one. Fails with bad_config.
Result<http::ClientConfig> client_config(const config::Config& config,
                                         const config::ProviderConfig& provider);
/// Providers with equal keys share a client.
std::string client_key(const config::ProviderConfig& provider);
Result<transport::GatewayConfig> gateway_config(const config::Config& config);

}  // namespace troupe::actors
