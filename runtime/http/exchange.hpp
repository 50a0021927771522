// One request and its response: connect, write and read at once, watch the timers, say how it ended.
#pragma once

#include "runtime/http/client.hpp"
#include "runtime/http/parser.hpp"
#include "runtime/http/phases.hpp"
#include "runtime/http/pool.hpp"
#include "runtime/http/tls.hpp"

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

namespace troupe::http {

class RunningExchange;

/// What the exchanges of one client share. Loop thread only.
class ClientCore final : public LoopGuest, public std::enable_shared_from_this<ClientCore> {
 public:
  ClientCore(std::shared_ptr<Loop::Impl> loop, ClientConfig config);
  std::shared_ptr<Exchange> start(const Origin& origin, Request request, const Timeouts& timeouts,
                                  std::shared_ptr<ExchangeSink> sink);
  /// Ends every exchange with `cancelled`.
  void close();
  void let_go() override;
  void forget(const RunningExchange* exchange) { running_.erase(exchange); }
  /// Made at the first use, since most tests and simulators never need one.
  const Result<TlsContext>& tls();

  const std::shared_ptr<Loop::Impl> loop;
  const ClientConfig config;
  const std::shared_ptr<Pool> pool;

 private:
  std::optional<Result<TlsContext>> tls_;
  std::unordered_map<const RunningExchange*, std::shared_ptr<RunningExchange>> running_;
};

class RunningExchange final : public Exchange,
                              public PoolUser,
                              public ConnectionUser,
                              private ResponseParts,
                              public std::enable_shared_from_this<RunningExchange> {
 public:
  RunningExchange(std::shared_ptr<ClientCore> core, Origin origin, const Timeouts& timeouts,
                  std::shared_ptr<ExchangeSink> sink);
  void start(Request request);
  void cancel() override;
  void pause() override;
  void resume() override;
  bool reused_connection() const override { return reused_; }
  /// The loop stops: lets go of everything, silently.
  void drop();

  void on_connection(std::shared_ptr<Connection> idle) override;
  void on_slot() override;
  void on_input(Connection& connection, error_code ec) override;

 private:
  using Endpoints = std::vector<Tcp::endpoint>;

  void resolve();
  void connect(const Endpoints& endpoints);
  void on_connected(error_code ec);
  void handshake();
  void on_handshaken(SSL* ssl, error_code ec);

  void speak();
  void write();
  void on_written(error_code ec, std::size_t n);
  void go_on();
  void parse();
  void on_peer_closed(error_code ec);
  bool may_retry() const;
  void retry();
  void on_response_head(ResponseHead head) override;
  void on_response_body(std::string_view bytes) override;

  void arm();
  void on_timer();
  void await_answer();

  void fail_soon(Error error);
  void fail_answer(std::string what);
  Error error_of(Errc code, std::string what) const;
  void finish(Result<void> ended);
  /// Gives back or closes the connection, stops timers, leaves the client. The sink is the caller's to tell.
  std::shared_ptr<ExchangeSink> leave();
  bool connection_reusable() const;

  std::shared_ptr<ClientCore> core_;
  const Origin origin_;
  const Timeouts timeouts_;
  std::shared_ptr<ExchangeSink> sink_;
  std::string wire_;
  std::size_t written_ = 0;
  bool to_head_ = false;

  std::shared_ptr<Connection> connection_;
  std::optional<Resolver> resolver_;
  std::optional<ResponseParser> parser_;
  PhaseDeadlines deadlines_;
  SteadyTimer timer_;
  std::optional<Instant> armed_for_;
  std::optional<error_code> read_error_;

  bool waiting_ = false;     // in the pool's queue
  bool holds_slot_ = false;  // owes the pool a give_back or slot_free
  bool reused_ = false;      // on a connection that had served before
  bool retried_ = false;
  bool sent_ = false;      // request bytes may have reached the server
  bool answered_ = false;  // a byte of the response has arrived
  bool paused_ = false;
  bool done_ = false;
};

}  // namespace troupe::http
