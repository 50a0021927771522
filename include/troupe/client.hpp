// Asks a node over the wire, from another process or machine.
#pragma once

#include <troupe/error.hpp>
#include <troupe/request.hpp>

#include <chrono>
#include <memory>
#include <string>

namespace troupe {

struct ClientOptions {
  /// "tcp://HOST:PORT" of the node.
  std::string address;
  /// The node's public key and our secret key, Z85. The node must list our public key among its client keys.
  std::string server_key, secret_key;
  Duration answer_within = std::chrono::seconds(10);
};

/// One connection. Not thread-safe.
class Client {
 public:
  /// unreachable when the node does not answer in time; auth when it refuses our key.
  static Result<std::unique_ptr<Client>> connect(ClientOptions options);
  virtual ~Client() = default;
  /// The verbs of Node::ask. `unreachable` when no answer came: whether the node acted is then unknown.
  virtual Result<JsonText> ask(const std::string& verb, const JsonText& input) = 0;
};

}  // namespace troupe
