// One open connection of a client: its stream, the bytes it holds, and who hears what arrives on it.
#pragma once

#include "runtime/http/message.hpp"
#include "runtime/http/stream.hpp"

#include <troupe/time.hpp>

#include <memory>

namespace troupe::http {

struct Connection;

/// Holds a connection, as an exchange does while it runs and the pool while nobody needs it.
class ConnectionUser {
 public:
  virtual ~ConnectionUser() = default;
  /// A read has ended: more is in the connection's input, or `ec` says why nothing more comes, or both.
  virtual void on_input(Connection& connection, error_code ec) = 0;
};

/// Loop thread only.
struct Connection : std::enable_shared_from_this<Connection> {
  Connection(Socket socket, Origin to) : origin(std::move(to)), stream(std::move(socket)) {}
  /// Starts a read unless one is under way. What it brings goes to whoever is the user by then, so that a
  /// connection watched while idle changes hands without its read being interrupted.
  void read();
  /// Between exchanges: as far as can be seen the peer has neither closed it nor said anything.
  bool usable();
  /// Nobody hears of it any more.
  void close();

  const Origin origin;
  Stream stream;
  InputBuffer input;
  std::weak_ptr<ConnectionUser> user;
  Instant idle_since{};
  /// It has carried a whole exchange.
  bool served = false;

 private:
  bool reading_ = false;
};

}  // namespace troupe::http
