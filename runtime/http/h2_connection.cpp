#include "runtime/http/h2_connection.hpp"

#include "runtime/http/message_text.hpp"

#include <algorithm>
#include <utility>

namespace troupe::http {
namespace {

// Frames made at a time: what is behind them still counts as unsent, and can still be overtaken.
constexpr std::size_t h2_write_bytes = 64 * 1024;
// How much we listen to a client that takes nothing of what we write: each of its frames may ask for one of
// ours. It need not be nothing, since a client may well write all it has before it reads.
constexpr std::size_t h2_read_during_write_bytes_max = 4 * 1024 * 1024;
// As for HTTP/1.1: closing with bytes unread would destroy our last words on the way.
constexpr Duration h2_drain_max = std::chrono::seconds(1);
constexpr std::size_t h2_drain_bytes_max = 4 * 1024 * 1024;

class StreamResponder final : public Responder {
 public:
  StreamResponder(std::weak_ptr<H2Connection> connection, std::shared_ptr<H2Answer> answer)
      : connection_(std::move(connection)), answer_(std::move(answer)) {}
  ~StreamResponder() override {
    auto connection = mine();
    if (!connection) return;
    if (answer_->begun)
      connection->finish(*answer_, Ending::cut);
    else
      connection->send(*answer_, {500, plain_head(500).headers, "no answer was given\n"});
  }
  void send(const Response& response) override {
    auto connection = mine();
    if (connection && !answer_->begun) connection->send(*answer_, response);
  }
  void begin(const ResponseHead& head) override {
    auto connection = mine();
    if (connection && !answer_->begun) connection->begin(*answer_, head);
  }
  void write(std::string_view bytes) override {
    auto connection = mine();
    if (connection && answer_->begun) connection->write(*answer_, bytes);
  }
  void finish(Ending ending) override {
    if (auto connection = mine()) connection->finish(*answer_, ending);
  }
  bool gone() const override { return answer_->gone || connection_.expired(); }
  void on_gone(std::function<void()> hook) override {
    if (mine())
      answer_->gone_hook = std::move(hook);
    else if (gone() && hook)
      hook();
  }

 private:
  std::shared_ptr<H2Connection> mine() const {
    return answer_->ended || answer_->gone ? nullptr : connection_.lock();
  }
  std::weak_ptr<H2Connection> connection_;
  std::shared_ptr<H2Answer> answer_;
};

H2Limits h2_limits(const ServerConfig& config) {
  return {config.head_bytes_max, config.body_bytes_max, config.streams_per_connection_max};
}

}  // namespace

H2Connection::H2Connection(std::shared_ptr<ServerCore> core, Socket socket)
    : core_(std::move(core)),
      stream_(std::move(socket)),
      session_(h2_limits(core_->config)),
      timer_(core_->loop->io) {}

void H2Connection::start(std::string_view received) {
  look_again();
  if (!session_.feed(received)) broken_ = true;
  advance();
  read();
}

void H2Connection::read() {
  bool flooded = write_under_way_ && read_during_write_bytes_ > h2_read_during_write_bytes_max;
  if (reading_ || closed_ || flooded) return;
  reading_ = true;
  stream_.read_some(input_.room(), [self = shared_from_this()](error_code ec, std::size_t n) {
    self->reading_ = false;
    if (!self->closed_) self->on_read(ec, n);
  });
}

void H2Connection::on_read(error_code ec, std::size_t n) {
  input_.filled(n);
  if (draining_) {
    drained_bytes_ += n;
    input_.taken(input_.bytes().size());
    if (ec || drained_bytes_ > h2_drain_bytes_max) return close();
    return read();
  }
  if (ec) return close();
  if (write_under_way_) read_during_write_bytes_ += n;
  if (!broken_ && !session_.feed(input_.bytes())) broken_ = true;
  input_.taken(input_.bytes().size());
  advance();
  read();
}

// Everything that follows from what has been fed and submitted. Handlers and hooks called on the way call
// back here through their responders; the outermost call then does their work too.
void H2Connection::advance() {
  if (closed_ || draining_ || std::exchange(advancing_, true)) return;
  auto self = shared_from_this();
  take_turn();
  advancing_ = false;
  if (closed_) return;
  if (!writing_.empty()) return write_out();
  if (!write_under_way_ && (broken_ || session_.over())) drain();
}

void H2Connection::take_turn() {
  while (!closed_) {
    auto events = session_.take_events();
    for (auto& event : events) {
      if (closed_) return;
      event.kind == H2Event::Kind::request ? on_request(event.stream, event.request)
                                           : on_stream_closed(event.stream);
    }
    // Pulling closes streams, which makes events.
    auto before = writing_.size();
    if (!closed_ && !write_under_way_ && !session_.pull(writing_, h2_write_bytes)) broken_ = true;
    if (events.empty() && writing_.size() == before) return;
  }
}

void H2Connection::on_request(std::int32_t stream, const Request& request) {
  busy_ = true;
  auto answer = std::make_shared<H2Answer>();
  answer->stream = stream;
  answer->to_head = request.method == "HEAD";
  answers_.emplace(stream, answer);
  core_->handler(request, std::make_shared<StreamResponder>(weak_from_this(), std::move(answer)));
}

void H2Connection::on_stream_closed(std::int32_t stream) {
  busy_ = true;
  auto found = answers_.extract(stream);
  if (!found || found.mapped()->ended) return;
  auto answer = std::move(found.mapped());
  answer->gone = true;
  if (auto hook = std::exchange(answer->gone_hook, {})) hook();
}

bool H2Connection::put_head(H2Answer& answer, const ResponseHead& head, std::optional<std::size_t> length,
                            bool body) {
  answer.begun = true;
  if (check_response_head(head)) {
    session_.begin(answer.stream, head, length, body);
    if (asks_to_close(head.headers)) session_.shut();
    return true;
  }
  session_.begin(answer.stream, plain_head(500), 0, false);
  finish(answer, Ending::complete);
  return false;
}

void H2Connection::send(H2Answer& answer, const Response& response) {
  bool bodiless = response.status == 204 || response.status == 304;
  auto length = bodiless ? std::nullopt : std::optional(response.body.size());
  bool body = !bodiless && !answer.to_head && !response.body.empty();
  if (!put_head(answer, {response.status, response.headers}, length, body)) return;
  if (body) session_.write(answer.stream, response.body);
  finish(answer, Ending::complete);
}

void H2Connection::begin(H2Answer& answer, const ResponseHead& head) {
  bool bodiless = head.status == 204 || head.status == 304 || answer.to_head;
  put_head(answer, head, std::nullopt, !bodiless);
  advance();
}

void H2Connection::write(H2Answer& answer, std::string_view bytes) {
  if (session_.unsent_bytes() + writing_.size() - written_ > core_->config.unsent_bytes_max) {
    session_.reset(answer.stream);
    answer.gone = true;
    // Called by its responder: the hook must not run within its own call.
    if (auto hook = std::exchange(answer.gone_hook, {})) core_->loop->post(std::move(hook));
  } else {
    session_.write(answer.stream, bytes);
  }
  advance();
}

void H2Connection::finish(H2Answer& answer, Ending ending) {
  if (!answer.begun && ending == Ending::complete) return send(answer, {500, {}, ""});
  session_.finish(answer.stream, ending);
  answer.ended = true;
  // It often holds the responder, which must not be kept by its own connection.
  auto hook = std::exchange(answer.gone_hook, {});
  advance();
}

void H2Connection::write_out() {
  if (std::exchange(write_under_way_, true)) return;
  stream_.write_some(asio::buffer(writing_) + written_,
                     [self = shared_from_this()](error_code ec, std::size_t n) {
                       self->write_under_way_ = false;
                       if (!self->closed_) self->on_written(ec, n);
                     });
}

void H2Connection::on_written(error_code ec, std::size_t n) {
  if (ec) return close();
  busy_ = true;
  written_ += n;
  if (written_ < writing_.size()) return write_out();
  writing_.clear();
  written_ = read_during_write_bytes_ = 0;
  advance();
  read();
}

void H2Connection::drain() {
  if (std::exchange(draining_, true)) return;
  // Nobody will be answered any more.
  for (auto& [stream, answer] : std::exchange(answers_, {})) {
    answer->gone = true;
    if (auto hook = std::exchange(answer->gone_hook, {}); hook && !answer->ended)
      core_->loop->post(std::move(hook));
  }
  error_code ignored;
  stream_.socket().shutdown(Tcp::socket::shutdown_send, ignored);
  timer_.expires_after(std::min(h2_drain_max, core_->config.idle_age_max));
  timer_.async_wait([self = shared_from_this()](error_code ec) {
    if (!ec && !self->closed_) self->close();
  });
  read();
}

void H2Connection::look_again() {
  timer_.expires_after(core_->config.idle_age_max);
  timer_.async_wait([self = shared_from_this()](error_code ec) {
    if (!ec && !self->closed_ && !self->draining_) self->on_look();
  });
}

void H2Connection::on_look() {
  bool busy = std::exchange(busy_, false);
  // The client takes nothing at all; a GOAWAY would not reach it either.
  if (!busy && write_under_way_) return close();
  session_.reset_stalled();
  if (!busy && !session_.has_streams()) session_.shut();
  look_again();
  advance();
}

void H2Connection::close() {
  if (std::exchange(closed_, true)) return;
  timer_.cancel();
  stream_.close();
  auto self = shared_from_this();
  core_->forget(this);
  for (auto& [stream, answer] : std::exchange(answers_, {})) {
    answer->gone = true;
    if (auto hook = std::exchange(answer->gone_hook, {}); hook && !answer->ended) hook();
  }
}

void H2Connection::drop() {
  closed_ = true;
  timer_.cancel();
  stream_.close();
  for (auto& [stream, answer] : std::exchange(answers_, {})) {
    answer->gone = true;
    auto hook = std::exchange(answer->gone_hook, {});
  }
}

}  // namespace troupe::http
