#include "runtime/http/server.hpp"

#include "runtime/http/server_connection.hpp"

#include <fmt/format.h>

#include <cassert>
#include <future>

namespace troupe::http {
namespace {

// After a failed accept, usually for want of file descriptors: trying at once would spin.
constexpr Duration accept_backoff = std::chrono::milliseconds(50);

Result<Tcp::endpoint> endpoint_of(asio::io_context& io, const ServerConfig& config) {
  error_code ec;
  auto address = asio::ip::make_address(config.host, ec);
  if (!ec) return Tcp::endpoint(address, config.port);
  Resolver resolver(io);
  auto found = resolver.resolve(config.host, std::to_string(config.port), Resolver::numeric_service, ec);
  if (ec || found.empty())
    return fail(Errc::bad_config,
                fmt::format("cannot resolve {} to listen on: {}", config.host, ec.message()));
  return found.begin()->endpoint();
}

}  // namespace

ServerCore::ServerCore(std::shared_ptr<Loop::Impl> given_loop, ServerConfig given_config,
                       RequestHandler given_handler)
    : loop(std::move(given_loop)),
      config(std::move(given_config)),
      handler(std::move(given_handler)),
      acceptor_(loop->io),
      backoff_(loop->io) {}

Result<void> ServerCore::bind() {
  if (config.certificate_file.empty() != config.key_file.empty())
    return fail(Errc::bad_config, "TLS needs both a certificate and a key file");
  if (!config.certificate_file.empty()) {
    auto context = server_tls(config.certificate_file, config.key_file);
    if (!context) return std::unexpected(context.error());
    tls = *context;
  }
  auto endpoint = endpoint_of(loop->io, config);
  if (!endpoint) return std::unexpected(endpoint.error());
  error_code ec;
  acceptor_.open(endpoint->protocol(), ec);
  if (!ec) acceptor_.set_option(Acceptor::reuse_address(true), ec);
  if (!ec) acceptor_.bind(*endpoint, ec);
  if (!ec) acceptor_.listen(Acceptor::max_listen_connections, ec);
  if (ec)
    return fail(Errc::bad_config,
                fmt::format("cannot listen on {}:{}: {}", config.host, config.port, ec.message()));
  port_ = acceptor_.local_endpoint(ec).port();
  return {};
}

void ServerCore::accept() {
  if (closed_ || accepting_ || connections_.size() >= config.connections_max) return;
  accepting_ = true;
  acceptor_.async_accept([self = shared_from_this()](error_code ec, Socket socket) {
    self->accepting_ = false;
    if (!self->closed_) self->on_accepted(ec, std::move(socket));
  });
}

void ServerCore::on_accepted(error_code ec, Socket socket) {
  if (ec) return accept_later();
  auto connection = std::make_shared<ServerConnection>(shared_from_this(), std::move(socket));
  connections_.emplace(connection.get(), connection);
  connection->start();
  accept();
}

void ServerCore::accept_later() {
  accepting_ = true;
  backoff_.expires_after(accept_backoff);
  backoff_.async_wait([self = shared_from_this()](error_code) {
    self->accepting_ = false;
    self->accept();
  });
}

void ServerCore::replace(const ServedConnection* old, std::shared_ptr<ServedConnection> by) {
  connections_.erase(old);
  const auto* key = by.get();
  connections_.emplace(key, std::move(by));
}

void ServerCore::forget(const ServedConnection* connection) {
  connections_.erase(connection);
  accept();
}

void ServerCore::close() {
  if (std::exchange(closed_, true)) return;
  error_code ignored;
  acceptor_.close(ignored);
  backoff_.cancel();
  auto connections = std::exchange(connections_, {});
  for (auto& [key, connection] : connections) connection->drop();
  loop->farewell(this);
  // Destroyed here, on the loop: what it holds was used here.
  auto gone = std::exchange(handler, {});
}

Result<std::unique_ptr<Server>> Server::listen(Loop& loop, ServerConfig config, RequestHandler handler) {
  auto core = std::make_shared<ServerCore>(loop.impl(), std::move(config), std::move(handler));
  if (auto bound = core->bind(); !bound) return std::unexpected(bound.error());
  loop.post([core] {
    if (core->loop->welcome(core)) return core->accept();
    core->close();
  });
  return std::unique_ptr<Server>(new Server(std::move(core)));
}

Server::Server(std::shared_ptr<ServerCore> core) : core_(std::move(core)) {}

Server::~Server() {
  assert(!core_->loop->here());
  // Ready when the work has run, and also when a stopping loop destroys it unrun.
  auto closed = std::make_shared<std::promise<void>>();
  auto waiting = closed->get_future();
  core_->loop->post([core = core_, done = std::move(closed)] {
    core->close();
    done->set_value();
  });
  waiting.wait();
}

unsigned short Server::port() const { return core_->port(); }

}  // namespace troupe::http
