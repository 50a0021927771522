#include "actors/attempt.hpp"

#include "runtime/base/tokens.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::actors {
namespace {

class Attempt final : public HttpAttempt,
                      public http::ExchangeSink,
                      public std::enable_shared_from_this<Attempt> {
 public:
  Attempt(std::shared_ptr<const Wire> wire, const RunAttempt& order, http::Loop& loop, Clock& clock,
          Ended ended)
      : wire_(std::move(wire)), order_(order), loop_(loop), clock_(clock), ended_(std::move(ended)) {
    result_->record.endpoint = wire_->endpoint;
    result_->record.cause = order_.cause;
    result_->record.started = clock_.wall();
    began_ = clock_.now();
  }

  void begin(http::Client& client) {
    auto request = wire_->dialect->encode(*order_.request, wire_->target);
    if (request && wire_->authorizer) {
      if (auto signed_ok = wire_->authorizer->authorize(*request, clock_.wall()); !signed_ok)
        request = std::unexpected(signed_ok.error());
    }
    if (!request) return end_later(request.error());
    auto timeouts = wire_->timeouts;
    auto left = order_.deadline - began_;
    if (left <= Duration::zero()) return end_unbegun();
    timeouts.total = timeouts.total == Duration::zero() ? left : std::min<Duration>(timeouts.total, left);
    deadline_bound_ = timeouts.total == left;
    if (order_.request->stream) decoder_ = wire_->dialect->stream_decoder();
    arm_first_token();
    exchange_ = client.start(wire_->origin, std::move(*request), timeouts, shared_from_this());
  }

  void cancel() override { abort(make_error(Errc::cancelled, "cancelled by the caller")); }

  void on_head(const http::ResponseHead& head) override {
    response_.status = head.status;
    response_.headers = head.headers;
  }

  void on_body(std::string_view bytes) override {
    if (overruled_) return;
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
    if (response_.status != 200) return finish(wire_->dialect->classify(response_, clock_.wall()));
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
    error.maybe_billed = true;
    overruled_ = std::move(error);
    if (exchange_) exchange_->cancel();
  }

  // A total timer that was really the caller's deadline says nothing about the endpoint.
  Error transport_error(const Error& error) const {
    if (error.code != Errc::timeout || !deadline_bound_ || clock_.now() < order_.deadline) return error;
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
  }

  void on_content() {
    if (std::exchange(result_->content_seen, true)) return;
    result_->record.ttft = clock_.now() - began_;
    first_token_.reset();
  }

  void finish(std::optional<Error> error) {
    if (!ended_) return;
    first_token_.reset();
    if (decoder_) result_->completion = std::move(builder_).take();
    auto& usage = result_->completion.usage;
    bool told = usage.input + usage.output + usage.cache_read + usage.cache_write > 0;
    bool owed = !error || error->maybe_billed || result_->content_seen;
    if (!told && owed) usage = estimate_usage(*order_.request, result_->completion);
    auto& record = result_->record;
    record.total = clock_.now() - began_;
    record.usage = result_->completion.usage;
    if (error) record.error = to_string(error->code);
    result_->error = std::move(error);
    auto ended = std::exchange(ended_, {});
    ended(std::move(result_));
  }

  std::shared_ptr<const Wire> wire_;
  RunAttempt order_;
  http::Loop& loop_;
  Clock& clock_;
  Ended ended_;
  Instant began_;
  bool deadline_bound_ = false;
  std::shared_ptr<http::Exchange> exchange_;
  std::unique_ptr<providers::StreamDecoder> decoder_;
  std::unique_ptr<http::Loop::Timer> first_token_;
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
  auto attempt = std::make_shared<Attempt>(std::move(wire), order, loop, clock, std::move(ended));
  attempt->begin(client);
  return attempt;
}

}  // namespace troupe::actors
