// Reaches a host that has several addresses: one attempt after another, without waiting for the slow (Happy
// Eyeballs, RFC 8305).
#pragma once

#include "runtime/http/asio.hpp"

#include <troupe/time.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace troupe::http {

using Endpoints = std::vector<Tcp::endpoint>;

/// The families by turns, beginning with the first one's, each in the order given (RFC 8305 4); at most
/// `max`.
Endpoints interleaved(const Endpoints& endpoints, std::size_t max);

/// Begins an attempt when the one before has failed, or has taken `attempt_delay`; the first to connect wins
/// and the others are closed. Loop thread only. It has no limit of its own: whoever waits stops it.
class Dial : public std::enable_shared_from_this<Dial> {
 public:
  /// The socket, or why the last address failed.
  using Done = std::function<void(error_code, std::optional<Socket>)>;
  Dial(asio::io_context& io, Endpoints endpoints, Duration attempt_delay, Done done);
  void start();
  /// Closes everything; `done` is not called any more.
  void stop();

 private:
  void attempt();
  void on_attempt(std::size_t index, error_code ec);
  void end(error_code ec, std::optional<Socket> won);

  asio::io_context& io_;
  const Endpoints endpoints_;
  const Duration attempt_delay_;
  Done done_;
  std::vector<Socket> sockets_;  // one for each attempt begun
  std::size_t under_way_ = 0;
  SteadyTimer delay_;
};

}  // namespace troupe::http
