#include "runtime/http/client.hpp"

#include "runtime/http/exchange.hpp"

#include <cassert>

namespace troupe::http {

ClientCore::ClientCore(std::shared_ptr<Loop::Impl> given_loop, ClientConfig given_config)
    : loop(std::move(given_loop)),
      config(std::move(given_config)),
      pool(std::make_shared<Pool>(loop, config)) {}

std::shared_ptr<Exchange> ClientCore::start(const Origin& origin, Request request, const Timeouts& timeouts,
                                            std::shared_ptr<ExchangeSink> sink) {
  assert(loop->here());
  auto exchange = std::make_shared<RunningExchange>(shared_from_this(), origin, timeouts, std::move(sink));
  // Registered again with every start: cheap, and the core may have been made on another thread.
  if (!loop->welcome(shared_from_this())) {
    exchange->drop();
    return exchange;
  }
  running_.emplace(exchange.get(), exchange);
  exchange->start(std::move(request));
  return exchange;
}

const Result<TlsContext>& ClientCore::tls() {
  if (!tls_) tls_.emplace(client_tls(config.ca_file));
  return *tls_;
}

void ClientCore::close() {
  // Cancelling takes them out of running_.
  while (!running_.empty()) std::shared_ptr(running_.begin()->second)->cancel();
  pool->close();
  loop->farewell(this);
}

void ClientCore::let_go() {
  auto running = std::exchange(running_, {});
  for (auto& [key, exchange] : running) exchange->drop();
  pool->close();
}

Client::Client(Loop& loop, ClientConfig config)
    : core_(std::make_shared<ClientCore>(loop.impl(), std::move(config))) {}

Client::~Client() {
  auto loop = core_->loop;
  if (loop->here())
    core_->close();
  else
    loop->post([core = std::move(core_)] { core->close(); });
}

std::shared_ptr<Exchange> Client::start(const Origin& origin, Request request, const Timeouts& timeouts,
                                        std::shared_ptr<ExchangeSink> sink) {
  return core_->start(origin, std::move(request), timeouts, std::move(sink));
}

Client::Stats Client::stats() const { return core_->pool->stats(); }

}  // namespace troupe::http
