#include "runtime/http/server_connection.hpp"

#include "runtime/http/h2_connection.hpp"
#include "runtime/http/message_text.hpp"

#include <algorithm>

namespace troupe::http {
namespace {

// What a client may pipeline while its response is being made; beyond it we stop reading.
constexpr std::size_t pipelined_bytes_max = 64 * 1024;
// How long, and for how much, we listen to a client we have told to go, so that it gets to read why: closing
// with bytes unread would reset the connection and destroy our last words on the way.
constexpr Duration drain_max = std::chrono::seconds(1);
constexpr std::size_t drain_bytes_max = 4 * 1024 * 1024;

class TurnResponder final : public Responder {
 public:
  TurnResponder(std::weak_ptr<ServerConnection> connection, std::uint64_t turn)
      : connection_(std::move(connection)), turn_(turn) {}
  ~TurnResponder() override {
    auto connection = mine();
    if (!connection) return;
    if (connection->begun())
      connection->finish(Ending::cut);
    else
      connection->send({500, plain_head(500).headers, "no answer was given\n"});
  }
  void send(const Response& response) override {
    auto connection = mine();
    if (connection && !connection->begun()) connection->send(response);
  }
  void begin(const ResponseHead& head) override {
    auto connection = mine();
    if (connection && !connection->begun()) connection->begin(head);
  }
  void write(std::string_view bytes) override {
    auto connection = mine();
    if (connection && connection->begun()) connection->write(bytes);
  }
  void finish(Ending ending) override {
    if (auto connection = mine()) connection->finish(ending);
  }
  bool gone() const override {
    auto connection = connection_.lock();
    return !connection || connection->closed();
  }
  void on_gone(std::function<void()> hook) override {
    if (auto connection = mine()) return connection->on_gone(std::move(hook));
    if (gone() && hook) hook();
  }

 private:
  std::shared_ptr<ServerConnection> mine() const {
    auto connection = connection_.lock();
    return connection && connection->has_turn(turn_) ? connection : nullptr;
  }
  std::weak_ptr<ServerConnection> connection_;
  std::uint64_t turn_;
};

}  // namespace

ResponseHead plain_head(int status) { return {status, {{"Content-Type", "text/plain"}}}; }

bool asks_to_close(const Headers& headers) {
  const auto* connection = find_header(headers, "connection");
  return connection && same_header_name(*connection, "close");
}

ServerConnection::ServerConnection(std::shared_ptr<ServerCore> core, Socket socket)
    : core_(std::move(core)),
      stream_(std::move(socket)),
      parser_(ParseLimits{core_->config.head_bytes_max, core_->config.body_bytes_max}),
      timer_(core_->loop->io) {}

void ServerConnection::start() {
  stream_.send_at_once();
  if (!core_->tls) return next_request();
  set_deadline(core_->config.idle_age_max);
  stream_.use_tls(*core_->tls);
  stream_.handshake(asio::ssl::stream_base::server, [self = shared_from_this()](error_code ec) {
    if (self->closed_) return;
    ec ? self->close(false) : self->next_request();
  });
}

void ServerConnection::next_request() {
  responding_ = begun_ = ended_ = false;
  parser_ = RequestParser(ParseLimits{core_->config.head_bytes_max, core_->config.body_bytes_max});
  set_deadline(core_->config.idle_age_max);
  consume();
  read();
}

void ServerConnection::read() {
  if (reading_ || closed_ || (responding_ && input_.bytes().size() >= pipelined_bytes_max)) return;
  reading_ = true;
  stream_.read_some(input_.room(), [self = shared_from_this()](error_code ec, std::size_t n) {
    self->reading_ = false;
    if (!self->closed_) self->on_read(ec, n);
  });
}

void ServerConnection::on_read(error_code ec, std::size_t n) {
  input_.filled(n);
  if (draining_) {
    drained_bytes_ += n;
    input_.taken(input_.bytes().size());
    if (ec || drained_bytes_ > drain_bytes_max) return close(false);
    return read();
  }
  if (ec) return client_gone();
  consume();
  read();
}

// HTTP/2 with prior knowledge (RFC 9113 3.3) shares our plain port: its preface is no HTTP/1.1 request. Over
// TLS it would be agreed on in the handshake, where we offer HTTP/1.1 alone.
bool ServerConnection::decide_protocol() {
  auto bytes = input_.bytes();
  auto compared = std::min(bytes.size(), h2_preface.size());
  if (stream_.tls() || bytes.substr(0, compared) != h2_preface.substr(0, compared)) return http1_ = true;
  if (compared == h2_preface.size()) become_h2();
  return false;
}

void ServerConnection::become_h2() {
  closed_ = true;
  timer_.cancel();
  auto self = shared_from_this();
  auto h2 = std::make_shared<H2Connection>(core_, std::move(stream_.socket()));
  core_->replace(this, h2);
  h2->start(input_.bytes());
}

void ServerConnection::consume() {
  if (responding_ || draining_ || (!http1_ && !decide_protocol())) return;
  input_.taken(parser_.feed(input_.bytes()));
  if (parser_.problem() != ParseProblem::none) return refuse(parser_.problem());
  // A client that did not wait for our word has sent body bytes already; it needs none (RFC 9110 10.1.1).
  if (parser_.take_expectation()) {
    out_ += "HTTP/1.1 100 Continue\r\n\r\n";
    flush();
  }
  if (parser_.done()) dispatch();
}

void ServerConnection::dispatch() {
  responding_ = true;
  deadline_.reset();
  keep_alive_ = parser_.keeps_connection();
  chunks_understood_ = parser_.chunks_understood();
  auto request = parser_.take();
  head_request_ = request.method == "HEAD";
  auto responder = std::make_shared<TurnResponder>(weak_from_this(), ++turn_);
  core_->handler(request, std::move(responder));
}

void ServerConnection::refuse(ParseProblem problem) {
  responding_ = true;
  ++turn_;
  keep_alive_ = head_request_ = false;
  auto status = problem == ParseProblem::head_too_large   ? 431
                : problem == ParseProblem::body_too_large ? 413
                                                          : 400;
  send({status, plain_head(status).headers, "the request was refused: malformed or too large\n"});
}

bool ServerConnection::put_head(const ResponseHead& head, std::optional<std::size_t> content_length) {
  if (asks_to_close(head.headers)) keep_alive_ = false;
  auto text = response_head_text(head, {content_length, chunked_, keep_alive_});
  begun_ = true;
  if (text) {
    put(*text);
    return true;
  }
  chunked_ = body_wanted_ = false;
  put(*response_head_text(plain_head(500), {.content_length = 0, .keep_alive = keep_alive_}));
  ended_ = true;
  return false;
}

void ServerConnection::send(const Response& response) {
  chunked_ = false;
  body_wanted_ = !bodiless(response.status);
  bool says_length = body_wanted_ || head_request_;
  auto length = says_length ? std::optional(response.body.size()) : std::nullopt;
  if (put_head({response.status, response.headers}, length) && body_wanted_) put(response.body);
  finish(Ending::complete);
}

void ServerConnection::begin(const ResponseHead& head) {
  body_wanted_ = !bodiless(head.status);
  chunked_ = body_wanted_ && chunks_understood_;
  if (body_wanted_ && !chunked_) keep_alive_ = false;
  put_head(head, std::nullopt);
  flush();
}

void ServerConnection::write(std::string_view bytes) {
  if (!body_wanted_) return;
  if (out_.size() + writing_.size() - written_ > core_->config.unsent_bytes_max) return give_up();
  chunked_ ? append_chunk(out_, bytes) : put(bytes);
  flush();
}

void ServerConnection::finish(Ending ending) {
  if (!begun_ && ending == Ending::complete) return send({500, {}, ""});
  if (ending == Ending::cut)
    cut_ = true;
  else if (chunked_)
    put(last_chunk);
  ended_ = true;
  // It often holds the responder, which must not be kept by its own connection.
  auto hook = std::exchange(gone_hook_, {});
  flush();
}

void ServerConnection::put(std::string_view bytes) { out_ += bytes; }

void ServerConnection::flush() {
  if (write_under_way_ || closed_) return;
  if (out_.empty()) return on_flushed();
  writing_.swap(out_);
  out_.clear();
  written_ = 0;
  write_under_way_ = true;
  write_more();
}

void ServerConnection::write_more() {
  if (responding_) set_deadline(core_->config.idle_age_max);
  stream_.write_some(asio::buffer(writing_) + written_,
                     [self = shared_from_this()](error_code ec, std::size_t n) {
                       if (!self->closed_) self->on_written(ec, n);
                     });
}

void ServerConnection::on_written(error_code ec, std::size_t n) {
  if (ec) return client_gone();
  written_ += n;
  if (written_ < writing_.size()) return write_more();
  write_under_way_ = false;
  writing_.clear();
  written_ = 0;
  if (responding_) deadline_.reset();
  flush();
}

void ServerConnection::on_flushed() {
  if (!responding_ || !ended_) return;
  if (cut_) return close(true);
  keep_alive_ ? next_request() : drain();
}

void ServerConnection::drain() {
  if (std::exchange(draining_, true)) return;
  error_code ignored;
  stream_.socket().shutdown(Tcp::socket::shutdown_send, ignored);
  input_.taken(input_.bytes().size());
  set_deadline(std::min(drain_max, core_->config.idle_age_max));
  read();
}

void ServerConnection::set_deadline(Duration limit) {
  deadline_ = std::chrono::steady_clock::now() + limit;
  // A later deadline leaves the timer as it is: it finds nothing due and goes on waiting.
  if (!armed_ || *deadline_ < timer_.expiry()) arm(*deadline_);
}

void ServerConnection::arm(Instant when) {
  armed_ = true;
  timer_.expires_at(when);
  timer_.async_wait([self = shared_from_this()](error_code ec) {
    if (ec || self->closed_) return;
    self->armed_ = false;
    if (!self->deadline_) return;
    if (std::chrono::steady_clock::now() < *self->deadline_) return self->arm(*self->deadline_);
    self->client_gone();
  });
}

void ServerConnection::client_gone() {
  auto hook = std::exchange(gone_hook_, {});
  bool unfinished = responding_ && !ended_;
  close(false);
  if (hook && unfinished) hook();
}

// Called by a responder: its hook must not run within its own call.
void ServerConnection::give_up() {
  auto hook = std::exchange(gone_hook_, {});
  close(true);
  if (hook) core_->loop->post(std::move(hook));
}

void ServerConnection::close(bool reset) {
  if (std::exchange(closed_, true)) return;
  timer_.cancel();
  reset ? stream_.reset() : stream_.close();
  core_->forget(this);
}

void ServerConnection::drop() {
  closed_ = true;
  timer_.cancel();
  stream_.close();
  auto hook = std::exchange(gone_hook_, {});
}

}  // namespace troupe::http
