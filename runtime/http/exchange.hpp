// One request and its response: get a connection, write and read at once, watch the timers, say how it ended.
#pragma once

#include "runtime/http/client_core.hpp"
#include "runtime/http/opening.hpp"
#include "runtime/http/parser.hpp"
#include "runtime/http/phases.hpp"

#include <memory>
#include <optional>
#include <string>

namespace troupe::http {

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
  void on_opened(Result<std::shared_ptr<Connection>> opened);
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
  std::shared_ptr<Opening> opening_;
  std::optional<ResponseParser> parser_;
  PhaseDeadlines deadlines_;
  SteadyTimer timer_;
  std::optional<Instant> armed_for_;
  std::optional<error_code> read_error_;

  bool waiting_ = false;     // in the pool's queue
  bool holds_slot_ = false;  // owes the pool a give_back or slot_free
  bool reused_ = false;      // on a connection opened before it
  bool retried_ = false;
  bool sent_ = false;      // request bytes may have reached the server
  bool answered_ = false;  // a byte of the response has arrived
  bool paused_ = false;
  bool done_ = false;
};

}  // namespace troupe::http
