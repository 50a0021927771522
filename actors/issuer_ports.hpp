// The world for credential flows: issuers over HTTP, files, programs, the environment and the time. The one
// implementation of providers::Ports.
#pragma once

#include "actors/process.hpp"
#include "providers/auth/keeper.hpp"
#include "providers/auth/ports.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/http/client.hpp"

namespace troupe::actors {

/// Who asks issuers. `secure` is the provider's client, with its certificate authorities and proxy; `plain`
/// goes straight there, since plain http is for addresses beside this machine. Both outlive the ports.
struct IssuerClients {
  http::Client* secure = nullptr;
  http::Client* plain = nullptr;
};

/// Loop thread only; files are read there, bounded and small. `skew` is its principal's and outlives it.
class IssuerPorts final : public providers::Ports {
 public:
  IssuerPorts(http::Loop& loop, IssuerClients clients, ProcessRunner& processes, Clock& clock,
              const providers::ClockSkew& skew)
      : loop_(loop), clients_(clients), processes_(processes), clock_(clock), skew_(skew) {}

  void call(providers::IssuerCall call, std::function<void(Result<http::Response>)> done) override;
  Result<std::string> read_file(const std::string& path) override;
  void run(const std::string& command, Duration timeout,
           std::function<void(Result<std::string>)> done) override;
  std::optional<std::string> variable(const std::string& name) override;
  WallTime wall() override { return skew_.correct(clock_.wall()); }

 private:
  http::Loop& loop_;
  IssuerClients clients_;
  ProcessRunner& processes_;
  Clock& clock_;
  const providers::ClockSkew& skew_;
};

}  // namespace troupe::actors
