#include "runtime/http/exchange.hpp"

#include "runtime/http/message_text.hpp"

#include <fmt/format.h>

namespace troupe::http {
namespace {

Instant read_clock() { return std::chrono::steady_clock::now(); }

Duration limit_of(Phase phase, const Timeouts& timeouts) {
  switch (phase) {
    case Phase::connect: return timeouts.connect;
    case Phase::header: return timeouts.header;
    case Phase::first_byte: return timeouts.first_byte;
    case Phase::idle: return timeouts.idle;
    case Phase::total: return timeouts.total;
  }
  return Duration::zero();
}

// A wrong proxy is left for the opening to complain of.
RequestForm form_for(const ClientConfig& config, const Origin& origin) {
  if (origin.tls) return {};
  auto proxy = choose_proxy(config, origin);
  if (!proxy || !*proxy) return {};
  return {.absolute = true, .proxy_authorization = (*proxy)->authorization};
}

}  // namespace

RunningExchange::RunningExchange(std::shared_ptr<ClientCore> core, Origin origin, const Timeouts& timeouts,
                                 std::shared_ptr<ExchangeSink> sink)
    : core_(std::move(core)),
      origin_(std::move(origin)),
      timeouts_(timeouts),
      sink_(std::move(sink)),
      timer_(core_->loop->io) {}

void RunningExchange::start(Request request) {
  auto wire = request_text(origin_, request, form_for(core_->config, origin_));
  if (!wire) return fail_soon(wire.error());
  wire_ = std::move(*wire);
  to_head_ = request.method == "HEAD";
  deadlines_.set(Phase::total, read_clock(), timeouts_.total);
  arm();
  waiting_ = true;
  if (!core_->pool->ask(origin_, shared_from_this()))
    fail_soon(make_error(Errc::refused,
                         fmt::format("too many requests wait for a connection to {}", describe(origin_))));
}

void RunningExchange::on_connection(std::shared_ptr<Connection> idle) {
  waiting_ = false;
  holds_slot_ = true;
  reused_ = true;
  connection_ = std::move(idle);
  speak();
}

void RunningExchange::on_slot() {
  waiting_ = false;
  holds_slot_ = true;
  reused_ = false;
  connection_.reset();
  deadlines_.set(Phase::connect, read_clock(), timeouts_.connect);
  arm();
  opening_ = std::make_shared<Opening>(core_->connector, origin_,
                                       [weak = weak_from_this()](Result<std::shared_ptr<Connection>> opened) {
                                         auto self = weak.lock();
                                         if (self && !self->done_) self->on_opened(std::move(opened));
                                       });
  opening_->start(Duration::zero());
}

void RunningExchange::on_opened(Result<std::shared_ptr<Connection>> opened) {
  opening_.reset();
  if (!opened) {
    // It was sent before, perhaps, on the connection this one replaces.
    opened.error().maybe_billed = sent_;
    return finish(std::unexpected(opened.error()));
  }
  connection_ = std::move(*opened);
  speak();
}

// Reading begins with writing: a server may refuse a long request before it has all of it.
void RunningExchange::speak() {
  deadlines_.clear(Phase::connect);
  ParseLimits limits{core_->config.head_bytes_max, core_->config.body_bytes_max};
  parser_.emplace(static_cast<ResponseParts&>(*this), limits, to_head_);
  written_ = 0;
  sent_ = true;
  connection_->user = weak_from_this();
  await_answer();
  write();
  if (!paused_) connection_->read();
}

void RunningExchange::await_answer() {
  auto now = read_clock();
  deadlines_.set(Phase::header, now, timeouts_.header);
  deadlines_.set(Phase::first_byte, now, timeouts_.first_byte);
  arm();
}

void RunningExchange::write() {
  auto rest = asio::buffer(wire_) + written_;
  connection_->stream.write_some(rest,
                                 [self = shared_from_this(), c = connection_](error_code ec, std::size_t n) {
                                   if (self->connection_ == c && !self->done_) self->on_written(ec, n);
                                 });
}

void RunningExchange::on_written(error_code ec, std::size_t n) {
  // The read that is under way says what became of it, perhaps with an answer such as 413.
  if (ec) return;
  written_ += n;
  if (!parser_->head_seen()) await_answer();
  if (written_ < wire_.size()) write();
}

void RunningExchange::on_input(Connection&, error_code ec) {
  if (ec) read_error_ = ec;
  if (!done_ && !paused_) go_on();
}

// Each step may have been the sink's last wish, or its wish to pause.
void RunningExchange::go_on() {
  if (!connection_->input.bytes().empty()) {
    answered_ = true;
    parse();
  }
  if (done_ || paused_) return;
  if (read_error_) return on_peer_closed(*read_error_);
  connection_->read();
}

void RunningExchange::pause() {
  if (done_ || std::exchange(paused_, true)) return;
  deadlines_.hold(read_clock());
}

void RunningExchange::resume() {
  if (done_ || !std::exchange(paused_, false)) return;
  deadlines_.release(read_clock());
  arm();
  core_->loop->post([self = shared_from_this()] {
    // Before the request is written there is nothing to go on with.
    if (!self->done_ && !self->paused_ && self->parser_) self->go_on();
  });
}

void RunningExchange::parse() {
  auto& input = connection_->input;
  auto taken = parser_->feed(input.bytes());
  // The sink may have cancelled; then the connection is gone.
  if (done_) return;
  input.taken(taken);
  switch (parser_->problem()) {
    case ParseProblem::none: break;
    case ParseProblem::head_too_large: {
      auto error = error_of(Errc::transient_server,
                            fmt::format("response head over {} bytes", core_->config.head_bytes_max));
      error.retryable = false;
      return finish(std::unexpected(std::move(error)));
    }
    case ParseProblem::body_too_large:
      return fail_answer(fmt::format("response body over {} bytes", core_->config.body_bytes_max));
    default: return fail_answer("the answer is not HTTP/1.1");
  }
  if (parser_->done()) finish({});
}

void RunningExchange::on_peer_closed(error_code ec) {
  if (may_retry()) return retry();
  // Without TLS's own goodbye anyone on the way could have cut the body short: stream_truncated is not an
  // end.
  if (ec == asio::error::eof) parser_->end_of_input();
  if (parser_->done()) return finish({});
  auto how = ec == asio::error::eof ? std::string("closed the connection") : "broke off: " + ec.message();
  fail_answer(fmt::format("{} {} {}", describe(origin_), how,
                          parser_->head_seen() ? "before the body was whole" : "without an answer"));
}

bool RunningExchange::may_retry() const { return reused_ && !answered_ && !retried_; }

void RunningExchange::retry() {
  retried_ = true;
  deadlines_.clear(Phase::header);
  deadlines_.clear(Phase::first_byte);
  connection_->close();
  parser_.reset();
  read_error_.reset();
  // The slot stays ours: a fresh connection takes the dead one's place.
  core_->pool->reopened();
  on_slot();
}

void RunningExchange::on_response_head(ResponseHead head) {
  if (done_) return;
  deadlines_.clear(Phase::header);
  sink_->on_head(head);
}

void RunningExchange::on_response_body(std::string_view bytes) {
  if (done_ || bytes.empty()) return;
  deadlines_.clear(Phase::first_byte);
  deadlines_.set(Phase::idle, read_clock(), timeouts_.idle);
  arm();
  sink_->on_body(bytes);
}

// Re-armed only when the next deadline moved nearer: most moves are away, and the timer then finds nothing
// expired.
void RunningExchange::arm() {
  auto next = deadlines_.next();
  if (!next || (armed_for_ && *armed_for_ <= *next)) return;
  armed_for_ = next;
  timer_.expires_at(*next);
  timer_.async_wait([self = shared_from_this()](error_code ec) {
    if (!ec && !self->done_) self->on_timer();
  });
}

void RunningExchange::on_timer() {
  armed_for_.reset();
  auto phase = deadlines_.expired(read_clock());
  if (!phase) return arm();
  auto limit = std::chrono::duration_cast<std::chrono::milliseconds>(limit_of(*phase, timeouts_));
  finish(std::unexpected(error_of(Errc::timeout, fmt::format("{} from {} within {} ms", describe(*phase),
                                                             describe(origin_), limit.count()))));
}

Error RunningExchange::error_of(Errc code, std::string what) const {
  auto error = make_error(code, std::move(what));
  error.maybe_billed = sent_;
  return error;
}

void RunningExchange::fail_answer(std::string what) {
  auto code = parser_->head_seen() ? Errc::stream_broken : Errc::transient_server;
  finish(std::unexpected(error_of(code, std::move(what))));
}

void RunningExchange::fail_soon(Error error) {
  core_->loop->post(
      [self = shared_from_this(), failed = std::move(error)] { self->finish(std::unexpected(failed)); });
}

void RunningExchange::cancel() {
  if (done_) return;
  auto loop = core_->loop;
  auto error = error_of(Errc::cancelled, "cancelled by its caller");
  loop->post([sink = leave(), cancelled = std::move(error)] { sink->on_end(std::unexpected(cancelled)); });
}

void RunningExchange::finish(Result<void> ended) {
  if (done_) return;
  // Before the sink hears of it: an exchange started from on_end should find the connection idle.
  leave()->on_end(std::move(ended));
}

bool RunningExchange::connection_reusable() const {
  return parser_ && parser_->keeps_connection() && written_ == wire_.size() &&
         connection_->input.bytes().empty();
}

std::shared_ptr<ExchangeSink> RunningExchange::leave() {
  done_ = true;
  timer_.cancel();
  if (opening_) opening_->stop();
  auto& pool = *core_->pool;
  if (waiting_) pool.withdraw(origin_, this);
  if (holds_slot_) {
    bool reusable = connection_reusable();
    auto connection = std::exchange(connection_, {});
    if (connection && !reusable) connection->close();
    if (connection) connection->served = true;
    reusable ? pool.give_back(std::move(connection)) : pool.slot_free(origin_);
  }
  // Handles may be kept long after; requests are large. Unless still being written, perhaps.
  if (written_ == wire_.size()) std::string().swap(wire_);
  core_->forget(this);
  return std::move(sink_);
}

void RunningExchange::drop() {
  done_ = true;
  timer_.cancel();
  if (opening_) opening_->stop();
  if (connection_) connection_->close();
  // Its destructor may reach back here through cancel().
  auto sink = std::move(sink_);
}

}  // namespace troupe::http
