// From configuration values to what the cast is spawned with. Pure but for reading secrets.
#pragma once

#include "actors/supervisor.hpp"
#include "runtime/config/config.hpp"
#include "runtime/http/client.hpp"

namespace troupe::actors {

/// How each endpoint of `config` that lives on this node is reached. `simulator` answers for providers whose
/// base_url is "simulator". Fails with bad_config (a bad URL, an unknown dialect, a secret that cannot be
/// read).
Result<std::shared_ptr<const Wire>> make_wire(const config::Config& config,
                                              const config::EndpointConfig& endpoint,
                                              const http::Origin& simulator, Clock& clock);

std::vector<FeatureConfig> feature_configs(const config::Config& config);
/// Endpoints of other nodes, by their home.
std::vector<RemotePeer> remote_peers(const config::Config& config);
/// Does this node own the endpoint?
bool lives_here(const config::Config& config, const config::EndpointConfig& endpoint);
/// The provider's CA file decides which HTTP client serves it.
http::ClientConfig client_config(const config::Config& config, const std::string& ca_file);
Result<transport::GatewayConfig> gateway_config(const config::Config& config);

}  // namespace troupe::actors
