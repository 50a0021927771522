// CURVE key pairs.
#include "runtime/transport/gateway.hpp"

#include <zmq.h>

namespace troupe::transport {

KeyPair make_key_pair() {
  char public_key[41] = {}, secret_key[41] = {};
  // Fails only for a libzmq built without CURVE, which `Gateway::start` reports: the keys are then empty.
  zmq_curve_keypair(public_key, secret_key);
  return {public_key, secret_key};
}

Result<std::string> public_key_of(const std::string& secret_key) {
  char public_key[41] = {};
  bool is_key = secret_key.size() == 40 && zmq_curve_public(public_key, secret_key.c_str()) == 0;
  if (!is_key) return fail(Errc::invalid_input, "not a secret key: 40 characters of Z85 are expected");
  return std::string(public_key);
}

}  // namespace troupe::transport
