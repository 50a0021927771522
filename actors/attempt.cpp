#include "actors/attempt.hpp"

#include "providers/classify.hpp"
#include "providers/rate_limits.hpp"
#include "providers/transport_error.hpp"
#include "runtime/base/log.hpp"
#include "runtime/base/tokens.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::actors {
namespace {

constexpr Duration kRoomRecheck = std::chrono::milliseconds(10);

class Attempt final : public HttpAttempt,
                      public http::ExchangeSink,
                      public std::enable_shared_from_this<Attempt> {
 public:
  Attempt(std::shared_ptr<const Wire> wire, const RunAttempt& order, http::Loop& loop, http::Client& client,
          Clock& clock, Ended ended)
      : wire_(std::move(wire)),
        order_(order),
        loop_(loop),
        client_(client),
        clock_(clock),
        ended_(std::move(ended)) {
    result_->record.endpoint = wire_->endpoint;
    result_->record.cause = order_.cause;
    result_->record.started = clock_.wall();
    began_ = clock_.now();
  }

  void begin() {
    auto request = wire_->dialect->encode(*order_.request, wire_->target);
    if (!request) return end_later(request.error());
    request_ = std::move(*request);
    if (order_.deadline <= began_) return end_unbegun();
    if (!wire_->authorizer || wire_->authorizer->ready()) return send_first();
    wait_for_credential();
  }

  bool answering() const override { return result_ && result_->content_seen; }
  void cancel() override { abort(make_error(Errc::cancelled, "cancelled by the caller")); }

  void on_head(const http::ResponseHead& head) override {
    response_.status = head.status;
    response_.headers = head.headers;
    if (!order_.on_hints) return;
    auto hints = providers::read_rate_limits(head.headers, clock_.wall());
    if (!hints.empty()) order_.on_hints(hints);
  }

  void on_body(std::string_view bytes) override {
    if (overruled_) return;
    answering_ = true;
    if (response_.status != 200 || !decoder_) {
      response_.body += bytes;
      return;
    }
    auto fed = decoder_->feed(bytes, events_);
    pass_on();
    if (!fed) abort(fed.error());
  }

  void on_end(Result<void> ended) override {
    exchange_.reset();
    if (overruled_) {
      // What was cancelled before a byte of the request went out cannot have been billed.
      if (!ended && !result_->content_seen) overruled_->maybe_billed = ended.error().maybe_billed;
      return finish(std::move(overruled_));
    }
    if (!ended) return finish(transport_error(ended.error()));
    if (response_.status != 200) return refused();
    if (decoder_) {
      auto closed = decoder_->finish(events_);
      pass_on();
      return finish(closed ? std::nullopt : std::optional(closed.error()));
    }
    auto whole = wire_->dialect->decode(response_);
    if (!whole) return finish(whole.error());
    result_->record.ttft = clock_.now() - began_;
    result_->completion = std::move(*whole);
    finish(std::nullopt);
  }

 private:
  void end_later(Error error) {
    loop_.post([self = shared_from_this(), error = std::move(error)] { self->finish(error); });
  }

  void end_unbegun() {
    auto error = make_error(Errc::deadline_exceeded, "no time left to begin");
    error.maybe_billed = false;
    end_later(std::move(error));
  }

  // The caller's deadline runs while we wait for a credential; the authorizer may answer after our end.
  void wait_for_credential() {
    waiting_ = true;
    credential_late_ = loop_.after(order_.deadline - clock_.now(), [weak = weak_from_this()] {
      auto late =
          make_error(Errc::deadline_exceeded, "the caller's deadline passed before a credential came");
      late.maybe_billed = false;
      if (auto self = weak.lock(); self && std::exchange(self->waiting_, false)) self->finish(late);
    });
    wire_->authorizer->when_ready([weak = weak_from_this()](Result<void> ready) {
      if (auto self = weak.lock(); self && self->waiting_)
        self->loop_.post([self, ready] { self->on_credential(ready); });
    });
  }

  // Posted, since `ended` is never called within `start`.
  void on_credential(const Result<void>& ready) {
    if (!std::exchange(waiting_, false)) return;
    credential_late_.reset();
    if (!ready) return finish(unsent(ready.error()));
    if (auto sent = send(); !sent) finish(unsent(sent.error()));
  }

  // Without a credential nothing leaves, and going elsewhere is free; after a refusal something had left.
  Error unsent(const Error& error) {
    result_->not_sent = error.code == Errc::auth && !tried_again_;
    return error;
  }

  void send_first() {
    if (auto sent = send(); !sent) end_later(unsent(sent.error()));
  }

  // The request as encoded is kept, so that a second one can be signed anew.
  Result<void> send() {
    auto request = request_;
    if (wire_->authorizer) {
      auto stamp = wire_->authorizer->authorize(request, clock_.wall());
      if (!stamp) return std::unexpected(stamp.error());
      stamp_ = *stamp;
    }
    auto timeouts = wire_->timeouts;
    auto left = order_.deadline - clock_.now();
    if (left <= Duration::zero()) left = std::chrono::milliseconds(1);
    timeouts.total = timeouts.total == Duration::zero() ? left : std::min<Duration>(timeouts.total, left);
    deadline_bound_ = timeouts.total == left;
    total_max_ = timeouts.total;
    if (order_.request->stream) decoder_ = wire_->dialect->stream_decoder();
    arm_first_token();
    exchange_ = client_.start(wire_->origin, std::move(request), timeouts, shared_from_this());
    return {};
  }

  void refused() {
    auto error = wire_->dialect->classify(response_, clock_.wall());
    bool again = error.code == Errc::auth && wire_->authorizer && !std::exchange(tried_again_, true) &&
                 clock_.now() < order_.deadline &&
                 wire_->authorizer->rejected(stamp_, response_, clock_.wall());
    // AWS explains a wrong signature by quoting what was signed, the session token included.
    if (error.code == Errc::auth) error.vendor_text.clear();
    if (!again) return finish(std::move(error));
    if (wire_->metrics) wire_->metrics->auth_retried(wire_->endpoint);
    first_token_.reset();
    response_ = {};
    answering_ = false;
    wait_for_credential();
  }

  void arm_first_token() {
    if (wire_->first_token == Duration::zero() || !decoder_) return;
    first_token_ = loop_.after(wire_->first_token, [weak = weak_from_this()] {
      if (auto self = weak.lock())
        self->abort(make_error(Errc::timeout,
                               fmt::format("first token later than {}", to_human(self->wire_->first_token))));
    });
  }

  // Ours overrules whatever the closed exchange will say.
  void abort(Error error) {
    if (overruled_ || !ended_) return;
    // Nothing is on its way while a credential is waited for.
    error.maybe_billed = !waiting_;
    overruled_ = std::move(error);
    if (exchange_) return exchange_->cancel();
    if (!std::exchange(waiting_, false)) return;
    credential_late_.reset();
    end_later(*overruled_);
  }

  // A total timer that was really the caller's deadline says nothing about the endpoint.
  Error transport_error(const Error& error) const {
    bool theirs = error.code != Errc::timeout || !deadline_bound_ || clock_.now() < order_.deadline;
    if (theirs)
      return providers::transport_error(
          error, {.sent = error.maybe_billed, .answering = answering_ && clock_.now() - began_ < total_max_});
    auto late = make_error(Errc::deadline_exceeded, "the caller's deadline passed");
    late.maybe_billed = error.maybe_billed;
    return late;
  }

  void pass_on() {
    if (events_.empty()) return;
    for (const auto& event : events_) {
      if (is_content(event)) on_content();
      builder_.add(event);
    }
    if (order_.sink) order_.sink->on_events(events_);
    events_.clear();
    wait_for_room();
  }

  // Back-pressure from whoever listens to the socket: nobody's memory grows.
  void wait_for_room() {
    if (!exchange_ || !order_.sink || !order_.sink->full()) return;
    exchange_->pause();
    room_ = loop_.after(kRoomRecheck, [weak = weak_from_this()] {
      if (auto self = weak.lock()) self->look_for_room();
    });
  }

  void look_for_room() {
    room_.reset();
    wait_for_room();
    if (!room_ && exchange_) exchange_->resume();
  }

  void on_content() {
    if (std::exchange(result_->content_seen, true)) return;
    result_->record.ttft = clock_.now() - began_;
    first_token_.reset();
  }

  // Words our tables lack are counted, so that someone adds them.
  void count_surprises(const std::optional<Error>& error) {
    const auto& stop = result_->completion.unrecognised_stop;
    if (!stop.empty()) {
      log::debug("attempt", fmt::format("{} stopped for a reason we do not know: {}", wire_->endpoint,
                                        providers::printable_type(stop)));
    }
    if (!wire_->metrics) return;
    if (!stop.empty()) wire_->metrics->unrecognised(wire_->endpoint, "stop");
    if (error && error->unrecognised) wire_->metrics->unrecognised(wire_->endpoint, "error");
  }

  void finish(std::optional<Error> error) {
    if (!ended_) return;
    first_token_.reset();
    credential_late_.reset();
    room_.reset();
    if (decoder_) result_->completion = std::move(builder_).take();
    auto& usage = result_->completion.usage;
    bool told = usage.input_total() + usage.output > 0;
    bool owed = !error || error->maybe_billed || result_->content_seen;
    if (!told && owed) usage = estimate_usage(*order_.request, result_->completion);
    auto& record = result_->record;
    record.total = clock_.now() - began_;
    record.usage = result_->completion.usage;
    if (error) record.error = to_string(error->code);
    count_surprises(error);
    result_->error = std::move(error);
    auto ended = std::exchange(ended_, {});
    ended(std::move(result_));
  }

  std::shared_ptr<const Wire> wire_;
  RunAttempt order_;
  http::Loop& loop_;
  http::Client& client_;
  Clock& clock_;
  Ended ended_;
  Instant began_;
  Duration total_max_{};
  bool deadline_bound_ = false, answering_ = false, waiting_ = false, tried_again_ = false;
  http::Request request_;
  Authorizer::Stamp stamp_;
  std::unique_ptr<http::Loop::Timer> credential_late_;
  std::shared_ptr<http::Exchange> exchange_;
  std::unique_ptr<providers::StreamDecoder> decoder_;
  std::unique_ptr<http::Loop::Timer> first_token_, room_;
  http::Response response_;
  std::vector<StreamEvent> events_;
  CompletionBuilder builder_;
  std::optional<Error> overruled_;
  std::shared_ptr<AttemptResult> result_ = std::make_shared<AttemptResult>();
};

}  // namespace

std::shared_ptr<HttpAttempt> HttpAttempt::start(std::shared_ptr<const Wire> wire, const RunAttempt& order,
                                                http::Loop& loop, http::Client& client, Clock& clock,
                                                Ended ended) {
  auto attempt = std::make_shared<Attempt>(std::move(wire), order, loop, client, clock, std::move(ended));
  attempt->begin();
  return attempt;
}

}  // namespace troupe::actors
