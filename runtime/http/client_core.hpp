// What the exchanges of one client share: how connections are opened, kept and kept warm, and who is running.
#pragma once

#include "runtime/http/client.hpp"
#include "runtime/http/opening.hpp"
#include "runtime/http/pool.hpp"
#include "runtime/http/warm.hpp"

#include <memory>
#include <unordered_map>

namespace troupe::http {

class RunningExchange;

/// Loop thread only, but for its construction.
class ClientCore final : public LoopGuest, public std::enable_shared_from_this<ClientCore> {
 public:
  ClientCore(std::shared_ptr<Loop::Impl> loop, ClientConfig config);
  std::shared_ptr<Exchange> start(const Origin& origin, Request request, const Timeouts& timeouts,
                                  std::shared_ptr<ExchangeSink> sink);
  /// Ends every exchange with `cancelled`.
  void close();
  void let_go() override;
  void forget(const RunningExchange* exchange) { running_.erase(exchange); }
  void warm(const Origin& origin, std::size_t count);
  Client::Stats stats() const;

  const std::shared_ptr<Loop::Impl> loop;
  const ClientConfig config;
  const std::shared_ptr<Connector> connector;
  const std::shared_ptr<Pool> pool;
  const std::shared_ptr<Warmer> warmer;

 private:
  std::unordered_map<const RunningExchange*, std::shared_ptr<RunningExchange>> running_;
};

}  // namespace troupe::http
