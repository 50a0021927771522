// Who this node is to each provider: principals that keep a credential fresh, and authorizers that put it on
// requests.
#pragma once

#include "actors/authorizer.hpp"
#include "actors/issuer_ports.hpp"
#include "providers/auth/keeper.hpp"
#include "providers/dialect.hpp"
#include "runtime/config/config.hpp"
#include "runtime/telemetry/metrics.hpp"

#include <troupe/task.hpp>

#include <map>
#include <memory>
#include <string>

namespace troupe::actors {

/// One credential that lives and is renewed: one fetch at a time however many requests wait, ahead of its
/// expiry, traffic or none (D8, D9). Loop thread only; made and destroyed on any, as long as it has never
/// been tended, the loop has stopped by then, or the destroyer is the loop.
class Principal : public std::enable_shared_from_this<Principal> {
 public:
  using Grant = Result<providers::Expiring<providers::Secret>>;
  using Fetch = std::function<Task<Grant>(providers::Ports& ports)>;
  struct Parts {
    /// "PROVIDER REGION": for logs and metrics.
    std::string name;
    Fetch fetch;
    providers::KeeperPolicy policy;
    http::Loop* loop = nullptr;
    Clock* clock = nullptr;
    IssuerClients clients;
    ProcessRunner* processes = nullptr;
    std::shared_ptr<telemetry::Metrics> metrics;  ///< may be null
  };

  explicit Principal(Parts parts);
  /// Fetches what is due, and comes back by itself when something will be.
  void tend();
  bool ready() const;
  void when_ready(providers::Keeper::Waiter waiter);
  const providers::Secret* secret() const { return keeper_.secret(parts_.clock->now()); }
  WallTime corrected(WallTime wall) const { return skew_.correct(wall); }
  Authorizer::Stamp stamp() const { return {keeper_.generation(), skew_.offset_ms()}; }
  bool rejected(const Authorizer::Stamp& stamp, const http::Response& response, WallTime wall);

 private:
  void on_fetched(Grant grant);

  Parts parts_;
  providers::Keeper keeper_;
  providers::ClockSkew skew_;
  IssuerPorts ports_;
  std::unique_ptr<http::Loop::Timer> timer_;
  std::optional<Task<Grant>> flow_;
};

/// What all endpoints of a node share. Made before the endpoints, destroyed after the loop has stopped.
class Credentials {
 public:
  Credentials(http::Loop& loop, Clock& clock, std::shared_ptr<telemetry::Metrics> metrics);
  ~Credentials();

  struct Place {
    std::string provider;  ///< its key in the configuration
    const config::ProviderConfig* config = nullptr;
    std::string region;
    const providers::Dialect* dialect = nullptr;
    http::Client* client = nullptr;  ///< for issuers over TLS
  };
  /// One principal for each provider and region, whatever the number of endpoints; each region's is its own
  /// (A2). Null for kind none. Fails with bad_config (a secret that cannot be read, a region that is
  /// missing, a name that had other credentials before a reload); issuers are asked later.
  Result<std::shared_ptr<Authorizer>> authorizer(const Place& place);
  /// Principals made since the last of these two calls: they stay; or nobody will use them, and their names
  /// are free again. One thread at a time with `authorizer` and `prefetch`.
  void keep_new();
  void drop_new();
  /// Fetches every credential now, before the first request wants it (D8).
  void prefetch();

 private:
  Result<std::shared_ptr<Principal>> principal(const Place& place);

  http::Loop& loop_;
  Clock& clock_;
  std::shared_ptr<telemetry::Metrics> metrics_;
  http::Client plain_;
  ProcessRunner processes_;
  struct Known {
    std::string auth;  // the options it was made by
    std::shared_ptr<Principal> principal;
    bool kept = false;
  };
  std::map<std::pair<std::string, std::string>, Known> principals_;  // by provider and region
};

}  // namespace troupe::actors
