// How a client comes by a connection: addresses, attempts, the proxy's tunnel, the TLS handshake.
#pragma once

#include "runtime/http/client.hpp"
#include "runtime/http/connection.hpp"
#include "runtime/http/dial.hpp"
#include "runtime/http/lookups.hpp"
#include "runtime/http/parser.hpp"
#include "runtime/http/proxy.hpp"
#include "runtime/http/tls.hpp"
#include "runtime/http/tls_sessions.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace troupe::http {

/// Ready to be spoken HTTP on, or why not. Its errors are never maybe_billed.
using Opened = std::function<void(Result<std::shared_ptr<Connection>>)>;

/// What the openings of one client share. Loop thread only, but for its construction.
class Connector {
 public:
  Connector(std::shared_ptr<Loop::Impl> loop, const ClientConfig& config);
  /// Made at the first use, since most tests and simulators never need one.
  const Result<TlsContext>& tls();

  const std::shared_ptr<Loop::Impl> loop;
  const ClientConfig config;
  const std::shared_ptr<Lookups> lookups;
  const std::shared_ptr<TlsSessions> sessions;
  std::size_t resumed_total = 0;

 private:
  std::optional<Result<TlsContext>> tls_;
};

/// One connection being opened. Loop thread only.
class Opening final : private ResponseParts, public std::enable_shared_from_this<Opening> {
 public:
  Opening(std::shared_ptr<Connector> connector, Origin origin, Opened done);
  /// `done` is called once, not from within. `limit`: of the whole, ends with `timeout`; zero: none, whoever
  /// waits stops it.
  void start(Duration limit);
  /// Closes everything; `done` is not called any more.
  void stop();

 private:
  void resolve();
  void dial(const Result<std::vector<std::string>>& addresses);
  void on_connected(error_code ec, std::optional<Socket> socket);
  void ask_proxy();
  void write_to_proxy();
  void read_from_proxy();
  void on_proxy_input(error_code ec, std::size_t n);
  void on_response_head(ResponseHead head) override { proxy_status_ = head.status; }
  void on_response_body(std::string_view) override {}
  void judge_proxy();
  void handshake();
  void on_handshaken(SSL* ssl, error_code ec);
  void fail(Error error);
  void fail(Errc code, std::string what) { fail(make_error(code, std::move(what))); }
  void end(Result<std::shared_ptr<Connection>> opened);
  std::string describe_target() const;

  const std::shared_ptr<Connector> connector_;
  const Origin origin_;
  Opened done_;
  std::optional<Proxy> proxy_;
  std::shared_ptr<Dial> dial_;
  std::shared_ptr<Connection> connection_;
  std::optional<SteadyTimer> limit_;

  std::string to_proxy_;
  std::size_t written_ = 0;
  std::optional<ResponseParser> from_proxy_;
  int proxy_status_ = 0;
};

}  // namespace troupe::http
