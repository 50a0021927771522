#include "runtime/http/dial.hpp"

#include <algorithm>
#include <utility>

namespace troupe::http {

Endpoints interleaved(const Endpoints& endpoints, std::size_t max) {
  Endpoints first, second, out;
  for (const auto& endpoint : endpoints)
    (endpoint.protocol() == endpoints.front().protocol() ? first : second).push_back(endpoint);
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    if (i < first.size()) out.push_back(first[i]);
    if (i < second.size()) out.push_back(second[i]);
  }
  if (out.size() > max) out.resize(max);
  return out;
}

Dial::Dial(asio::io_context& io, Endpoints endpoints, Duration attempt_delay, Done done)
    : io_(io),
      endpoints_(std::move(endpoints)),
      attempt_delay_(attempt_delay),
      done_(std::move(done)),
      delay_(io) {
  // Attempts refer to their sockets: these must stay where they are.
  sockets_.reserve(endpoints_.size());
}

void Dial::start() {
  if (endpoints_.empty()) {
    asio::post(io_, [self = shared_from_this()] { self->end(asio::error::host_not_found, std::nullopt); });
    return;
  }
  attempt();
}

void Dial::attempt() {
  auto index = sockets_.size();
  if (index == endpoints_.size()) return;
  auto& socket = sockets_.emplace_back(io_);
  ++under_way_;
  socket.async_connect(endpoints_[index], [self = shared_from_this(), index](error_code ec) {
    if (self->done_) self->on_attempt(index, ec);
  });
  if (sockets_.size() == endpoints_.size()) return;
  delay_.expires_after(attempt_delay_);
  delay_.async_wait([self = shared_from_this(), begun = sockets_.size()](error_code ec) {
    // An expiry already queued cannot be cancelled; then another attempt has begun since.
    if (!ec && self->done_ && self->sockets_.size() == begun) self->attempt();
  });
}

void Dial::on_attempt(std::size_t index, error_code ec) {
  --under_way_;
  if (!ec) return end(ec, std::move(sockets_[index]));
  error_code ignored;
  sockets_[index].close(ignored);
  if (sockets_.size() < endpoints_.size()) return attempt();
  if (under_way_ == 0) end(ec, std::nullopt);
}

void Dial::end(error_code ec, std::optional<Socket> won) {
  auto done = std::exchange(done_, {});
  stop();
  if (done) done(ec, std::move(won));
}

void Dial::stop() {
  auto gone = std::exchange(done_, {});
  delay_.cancel();
  error_code ignored;
  for (auto& socket : sockets_) socket.close(ignored);
}

}  // namespace troupe::http
