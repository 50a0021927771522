#include "runtime/http/opening.hpp"

#include "runtime/http/message_text.hpp"

#include <fmt/format.h>

#include <utility>

namespace troupe::http {
namespace {

// A tunnel refused. Most of what a proxy says in the 400s it will say again.
Error proxy_refusal(const Proxy& proxy, const Origin& origin, int status) {
  auto code = status == 407 ? Errc::auth : Errc::transient_server;
  auto error = make_error(
      code, fmt::format("proxy {} answered {} to CONNECT {}", describe(proxy), status, describe(origin)));
  if (status / 100 == 4 && status != 408 && status != 429) error.retryable = false;
  return error;
}

}  // namespace

Connector::Connector(std::shared_ptr<Loop::Impl> given_loop, const ClientConfig& given_config)
    : loop(std::move(given_loop)),
      config(given_config),
      lookups(std::make_shared<Lookups>(loop, config.resolve)),
      sessions(std::make_shared<TlsSessions>(config.tls_sessions_max)) {}

const Result<TlsContext>& Connector::tls() {
  if (tls_) return *tls_;
  tls_.emplace(client_tls(config.ca_file));
  if (*tls_) TlsSessions::listen((**tls_)->native_handle());
  return *tls_;
}

Opening::Opening(std::shared_ptr<Connector> connector, Origin origin, Opened done)
    : connector_(std::move(connector)), origin_(std::move(origin)), done_(std::move(done)) {}

void Opening::start(Duration limit) {
  if (limit > Duration::zero()) {
    limit_.emplace(connector_->loop->io, limit);
    limit_->async_wait([self = shared_from_this()](error_code ec) {
      if (!ec && self->done_)
        self->fail(Errc::timeout, fmt::format("no connection to {} in time", describe(self->origin_)));
    });
  }
  // Posted, since a configuration or a resolver may fail at once.
  connector_->loop->post([self = shared_from_this()] {
    if (self->done_) self->resolve();
  });
}

void Opening::resolve() {
  auto proxy = choose_proxy(connector_->config, origin_);
  if (!proxy) return fail(proxy.error());
  proxy_ = std::move(*proxy);
  // Weak: a look-up cannot be interrupted, and must not keep what nobody waits for.
  connector_->lookups->find(proxy_ ? proxy_->host : origin_.host,
                            [weak = weak_from_this()](Result<std::vector<std::string>> addresses) {
                              auto self = weak.lock();
                              // A resolver that answers twice is heard once.
                              if (self && self->done_ && !self->dial_) self->dial(addresses);
                            });
}

void Opening::dial(const Result<std::vector<std::string>>& addresses) {
  if (!addresses) return fail(addresses.error());
  Endpoints endpoints;
  for (const auto& text : *addresses) {
    error_code ec;
    auto address = asio::ip::make_address(text, ec);
    if (!ec) endpoints.emplace_back(address, proxy_ ? proxy_->port : origin_.port);
  }
  const auto& config = connector_->config;
  dial_ = std::make_shared<Dial>(connector_->loop->io, interleaved(endpoints, config.addresses_max),
                                 config.attempt_delay,
                                 [weak = weak_from_this()](error_code ec, std::optional<Socket> socket) {
                                   auto self = weak.lock();
                                   if (self && self->done_) self->on_connected(ec, std::move(socket));
                                 });
  dial_->start();
}

void Opening::on_connected(error_code ec, std::optional<Socket> socket) {
  if (ec)
    return fail(Errc::transient_server,
                fmt::format("cannot connect to {}: {}", describe_target(), ec.message()));
  connection_ = std::make_shared<Connection>(std::move(*socket), origin_);
  connection_->stream.send_at_once();
  if (!origin_.tls) return end(std::move(connection_));
  proxy_ ? ask_proxy() : handshake();
}

// RFC 9110 9.3.6.
void Opening::ask_proxy() {
  auto text = connect_text(origin_, proxy_->authorization);
  if (!text) return fail(text.error());
  to_proxy_ = std::move(*text);
  // As to HEAD: whatever the answer says of its length, no body is ours to read.
  ParseLimits limits{connector_->config.head_bytes_max, 0};
  from_proxy_.emplace(static_cast<ResponseParts&>(*this), limits, true);
  write_to_proxy();
  read_from_proxy();
}

void Opening::write_to_proxy() {
  connection_->stream.write_some(asio::buffer(to_proxy_) + written_,
                                 [self = shared_from_this()](error_code ec, std::size_t n) {
                                   self->written_ += n;
                                   // What became of a failed write the read says.
                                   if (ec || !self->done_ || self->written_ == self->to_proxy_.size()) return;
                                   self->write_to_proxy();
                                 });
}

void Opening::read_from_proxy() {
  connection_->stream.read_some(connection_->input.room(),
                                [self = shared_from_this()](error_code ec, std::size_t n) {
                                  if (self->done_) self->on_proxy_input(ec, n);
                                });
}

void Opening::on_proxy_input(error_code ec, std::size_t n) {
  auto& input = connection_->input;
  input.filled(n);
  input.taken(from_proxy_->feed(input.bytes()));
  if (from_proxy_->problem() != ParseProblem::none)
    return fail(Errc::transient_server,
                fmt::format("proxy {} answered CONNECT with what is not HTTP/1.1", describe(*proxy_)));
  if (from_proxy_->done()) return judge_proxy();
  if (ec)
    return fail(Errc::transient_server, fmt::format("proxy {} closed the connection during CONNECT {}",
                                                    describe(*proxy_), describe(origin_)));
  read_from_proxy();
}

void Opening::judge_proxy() {
  if (proxy_status_ / 100 != 2) return fail(proxy_refusal(*proxy_, origin_, proxy_status_));
  // In TLS the client speaks first.
  if (!connection_->input.bytes().empty() || written_ != to_proxy_.size())
    return fail(Errc::transient_server, fmt::format("proxy {} spoke before its turn", describe(*proxy_)));
  handshake();
}

void Opening::handshake() {
  const auto& context = connector_->tls();
  if (!context) return fail(context.error());
  auto* ssl = connection_->stream.use_tls(**context);
  if (auto ok = expect_host(ssl, origin_.host); !ok) return fail(ok.error());
  connector_->sessions->attach(ssl, origin_);
  connection_->stream.handshake(asio::ssl::stream_base::client,
                                [self = shared_from_this(), ssl](error_code ec) {
                                  if (self->done_) self->on_handshaken(ssl, ec);
                                });
}

void Opening::on_handshaken(SSL* ssl, error_code ec) {
  if (!ec) {
    if (tls_resumed(ssl)) ++connector_->resumed_total;
    return end(std::move(connection_));
  }
  auto why = explain_handshake(ssl, ec);
  auto error = make_error(Errc::transient_server,
                          fmt::format("TLS with {} failed: {}", describe(origin_), why.reason));
  if (why.untrusted) error.retryable = false;
  fail(std::move(error));
}

std::string Opening::describe_target() const {
  return proxy_ ? "proxy " + describe(*proxy_) : describe(origin_);
}

void Opening::fail(Error error) { end(std::unexpected(std::move(error))); }

void Opening::end(Result<std::shared_ptr<Connection>> opened) {
  auto self = shared_from_this();
  auto done = std::exchange(done_, {});
  stop();
  if (done) done(std::move(opened));
}

void Opening::stop() {
  auto gone = std::exchange(done_, {});
  if (limit_) limit_->cancel();
  if (dial_) dial_->stop();
  // The handshake under way refers to it: closed now, destroyed with the last handler.
  if (connection_) connection_->close();
}

}  // namespace troupe::http
