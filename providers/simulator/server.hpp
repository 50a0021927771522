// The simulated clouds on a real socket: what Simulator decides, sent when it says.
#pragma once

#include "runtime/base/clock.hpp"
#include "runtime/config/simulator_config.hpp"
#include "runtime/http/loop.hpp"
#include "runtime/http/message.hpp"
#include "runtime/http/server.hpp"

#include <troupe/error.hpp>

#include <memory>

namespace troupe::providers::simulator {

class Simulator;

/// Always reached through HTTP, also by the process it runs in. Construct and destroy on any thread but the
/// loop's, and before the loop: what is being sent is then cut.
class SimulatorServer {
 public:
  /// Listens on `config.listen` ("HOST:PORT"). bad_config when the address is malformed or taken, or the
  /// configuration is unsound (see Simulator::make). `loop` and `clock` outlive it.
  static Result<std::unique_ptr<SimulatorServer>> start(http::Loop& loop, const Clock& clock,
                                                        config::SimulatorConfig config);
  ~SimulatorServer();
  unsigned short port() const;
  /// Where the endpoints are: http://HOST:PORT/ENDPOINT-NAME/....
  http::Origin origin() const;

 private:
  struct Stage;
  explicit SimulatorServer(std::shared_ptr<Stage> stage, std::unique_ptr<http::Server> server,
                           std::string host);
  std::shared_ptr<Stage> stage_;
  std::unique_ptr<http::Server> server_;
  std::string host_;
};

/// "127.0.0.1:8080" or "[::1]:0" as host and port; bad_config otherwise.
Result<http::Origin> read_listen_address(const std::string& listen);

}  // namespace troupe::providers::simulator
