// Who may connect: ZeroMQ's authentication requests (ZAP, RFC 27) answered from the list of known keys.
#pragma once

#include "runtime/transport/gateway.hpp"
#include "runtime/transport/zmq_socket.hpp"

#include <map>

namespace troupe::transport {

/// Where ZeroMQ sends its requests, and the domain our sockets name.
inline constexpr const char* kZapAddress = "inproc://zeromq.zap.01";
inline constexpr const char* kZapDomain = "troupe";

/// Public key (32 raw bytes) -> the peer's id, or "client:" and the key's first 12 characters.
using AllowedKeys = std::map<std::string, std::string>;

/// bad_config for a key that is none, an id given twice, a key given twice, or an id that begins like a
/// client's.
Result<AllowedKeys> allowed_keys(const GatewayConfig& config);

struct ZapAnswer {
  std::vector<std::string> parts;
  bool allowed = false;
};
/// Pure. A request with a mechanism other than CURVE, another domain, or malformed, is refused (J10).
ZapAnswer answer_zap(const std::vector<std::string>& request, const AllowedKeys& allowed);

/// Reads and answers waiting requests; gives how many were refused. Socket's thread only.
std::size_t serve_zap(ZmqSocket& socket, const AllowedKeys& allowed);

}  // namespace troupe::transport
