#include "runtime/http/client.hpp"

#include "runtime/http/exchange.hpp"

#include <cassert>

namespace troupe::http {

ClientCore::ClientCore(std::shared_ptr<Loop::Impl> given_loop, ClientConfig given_config)
    : loop(std::move(given_loop)),
      config(std::move(given_config)),
      connector(std::make_shared<Connector>(loop, config)),
      pool(std::make_shared<Pool>(loop, config)),
      warmer(std::make_shared<Warmer>(connector, pool)) {}

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

void ClientCore::warm(const Origin& origin, std::size_t count) {
  assert(loop->here());
  if (loop->welcome(shared_from_this())) warmer->want(origin, count);
}

Client::Stats ClientCore::stats() const {
  auto stats = pool->stats();
  stats.resumed_total = connector->resumed_total;
  return stats;
}

void ClientCore::close() {
  // Cancelling takes them out of running_.
  while (!running_.empty()) std::shared_ptr(running_.begin()->second)->cancel();
  warmer->close();
  pool->close();
  loop->farewell(this);
}

void ClientCore::let_go() {
  auto running = std::exchange(running_, {});
  for (auto& [key, exchange] : running) exchange->drop();
  warmer->close();
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

void Client::warm(const Origin& origin, std::size_t count) { core_->warm(origin, count); }
std::size_t Client::idle(const Origin& origin) const { return core_->pool->idle_count(origin); }
Client::Stats Client::stats() const { return core_->stats(); }

Result<void> validate(const ClientConfig& config) {
  for (const auto& url : {config.proxy, config.plain_proxy.value_or("")})
    if (!url.empty())
      if (auto proxy = parse_proxy(url); !proxy) return std::unexpected(proxy.error());
  return {};
}

}  // namespace troupe::http
