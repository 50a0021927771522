// Timers that write chunks, and clients that leave early.
#include "providers/simulator/server.hpp"

#include "providers/simulator/simulator.hpp"

#include <fmt/format.h>

#include <charconv>
#include <map>
#include <utility>

namespace troupe::providers::simulator {
/// Lives on the loop thread; the server's handler and every timer keep it alive.
struct SimulatorServer::Stage : std::enable_shared_from_this<SimulatorServer::Stage> {
  /// One answer on its way out.
  struct Play {
    std::shared_ptr<http::Responder> responder;
    SimulatedResponse response;
    Instant started;
    std::size_t next = 0;
    bool begun = false;
    std::unique_ptr<http::Loop::Timer> timer;
  };

  Stage(http::Loop& on_loop, const Clock& with_clock, Simulator with_simulator)
      : loop(on_loop), clock(with_clock), simulator(std::move(with_simulator)) {}

  void on_request(const http::Request& request, std::shared_ptr<http::Responder> responder);
  void advance(std::uint64_t id);
  void wait(std::uint64_t id, Play& play, Duration at, Duration elapsed);
  void end(std::uint64_t id, bool complete);
  void gone(std::uint64_t id);

  http::Loop& loop;
  const Clock& clock;
  Simulator simulator;
  std::map<std::uint64_t, Play> plays;
  std::uint64_t plays_started = 0;
};

void SimulatorServer::Stage::on_request(const http::Request& request,
                                        std::shared_ptr<http::Responder> responder) {
  auto now = clock.now();
  auto id = ++plays_started;
  responder->on_gone([weak = weak_from_this(), id] {
    if (auto self = weak.lock()) self->gone(id);
  });
  auto& play = plays[id];
  play.responder = std::move(responder);
  play.response = simulator.respond(request, now, clock.wall());
  play.started = now;
  advance(id);
}

void SimulatorServer::Stage::advance(std::uint64_t id) {
  auto it = plays.find(id);
  if (it == plays.end()) return;
  auto& play = it->second;
  auto& response = play.response;
  if (response.ending == Ending::refuse) return end(id, false);
  if (response.ending == Ending::silence) return;  // until the client leaves
  auto elapsed = clock.now() - play.started;
  if (!play.begun && elapsed < response.head_after) return wait(id, play, response.head_after, elapsed);
  if (!response.streamed) {
    std::string body = response.body.empty() ? std::string() : std::move(response.body.front().bytes);
    play.responder->send({response.head.status, response.head.headers, std::move(body)});
    return end(id, true);
  }
  if (!std::exchange(play.begun, true)) play.responder->begin(response.head);
  std::string due;
  while (play.next < response.body.size() && response.body[play.next].after_start <= elapsed) {
    due += response.body[play.next++].bytes;
  }
  auto responder = play.responder;
  if (!due.empty()) responder->write(due);
  // Writing may have found the client gone, and with it this play.
  if (!plays.contains(id)) return;
  if (play.next < response.body.size()) return wait(id, play, response.body[play.next].after_start, elapsed);
  if (response.ending == Ending::stall) return;  // until the client leaves
  end(id, response.ending == Ending::complete);
}

void SimulatorServer::Stage::wait(std::uint64_t id, Play& play, Duration at, Duration elapsed) {
  play.timer = loop.after(at - elapsed, [weak = weak_from_this(), id] {
    if (auto self = weak.lock()) self->advance(id);
  });
}

void SimulatorServer::Stage::end(std::uint64_t id, bool complete) {
  auto play = plays.extract(id);
  auto& ended = play.mapped();
  simulator.ended(ended.response.call, clock.now());
  if (ended.response.streamed || !complete) {
    ended.responder->finish(complete ? http::Ending::complete : http::Ending::cut);
  }
}

void SimulatorServer::Stage::gone(std::uint64_t id) {
  auto play = plays.extract(id);
  if (!play) return;
  simulator.ended(play.mapped().response.call, clock.now());
}

Result<http::Origin> read_listen_address(const std::string& listen) {
  auto colon = listen.rfind(':');
  http::Origin origin;
  if (colon != std::string::npos) {
    origin.host = listen.substr(0, colon);
    if (origin.host.starts_with('[') && origin.host.ends_with(']')) {
      origin.host = origin.host.substr(1, origin.host.size() - 2);
    }
    const char* end = listen.data() + listen.size();
    auto read = std::from_chars(listen.data() + colon + 1, end, origin.port);
    if (read.ec == std::errc{} && read.ptr == end && !origin.host.empty()) return origin;
  }
  return fail(Errc::bad_config,
              fmt::format("\"{}\" is no address; write HOST:PORT, e.g. 127.0.0.1:0", listen));
}

Result<std::unique_ptr<SimulatorServer>> SimulatorServer::start(http::Loop& loop, const Clock& clock,
                                                                config::SimulatorConfig config) {
  auto address = read_listen_address(config.listen);
  if (!address) return std::unexpected(address.error());
  auto simulator = Simulator::make(std::move(config), clock.now());
  if (!simulator) return std::unexpected(simulator.error());
  auto stage = std::make_shared<Stage>(loop, clock, std::move(*simulator));
  http::ServerConfig listen;
  listen.host = address->host;
  listen.port = address->port;
  auto server = http::Server::listen(loop, std::move(listen), [stage](const auto& request, auto responder) {
    stage->on_request(request, std::move(responder));
  });
  if (!server) return std::unexpected(server.error());
  return std::unique_ptr<SimulatorServer>(
      new SimulatorServer(std::move(stage), std::move(*server), std::move(address->host)));
}

SimulatorServer::SimulatorServer(std::shared_ptr<Stage> stage, std::unique_ptr<http::Server> server,
                                 std::string host)
    : stage_(std::move(stage)), server_(std::move(server)), host_(std::move(host)) {}

SimulatorServer::~SimulatorServer() {
  server_.reset();
  // Timers belong to the loop's thread, so the stage ends there.
  auto& loop = stage_->loop;
  loop.post([stage = std::move(stage_)] { stage->plays.clear(); });
}

unsigned short SimulatorServer::port() const { return server_->port(); }

http::Origin SimulatorServer::origin() const {
  return {.tls = false, .host = host_, .port = server_->port()};
}

}  // namespace troupe::providers::simulator
