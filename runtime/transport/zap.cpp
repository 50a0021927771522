// Who may connect.
#include "runtime/transport/zap.hpp"

#include "runtime/transport/mesh.hpp"

#include <fmt/format.h>

#include <set>

namespace troupe::transport {
namespace {

Result<std::string> raw_key(const std::string& text, const std::string& whose) {
  std::uint8_t raw[32];
  if (text.size() != 40 || !zmq_z85_decode(raw, text.c_str())) {
    return fail(Errc::bad_config, fmt::format("the public key of {} is not 40 characters of Z85", whose));
  }
  return std::string(reinterpret_cast<const char*>(raw), sizeof raw);
}

Result<void> allow(AllowedKeys& allowed, const std::string& key, const std::string& id,
                   const std::string& whose) {
  auto raw = raw_key(key, whose);
  if (!raw) return std::unexpected(raw.error());
  if (!allowed.emplace(*raw, id).second) {
    return fail(Errc::bad_config, fmt::format("the public key of {} is listed twice", whose));
  }
  return {};
}

}  // namespace

Result<AllowedKeys> allowed_keys(const GatewayConfig& config) {
  AllowedKeys allowed;
  std::set<std::string> ids{config.id};
  for (const auto& peer : config.peers) {
    bool bad_id = peer.id.empty() || peer.id.size() > 255 || peer.id.starts_with(kClientPrefix);
    if (bad_id || !ids.insert(peer.id).second) {
      return fail(Errc::bad_config,
                  fmt::format("the peer id '{}' is empty, too long, reserved or taken", peer.id));
    }
    if (auto ok = allow(allowed, peer.public_key, peer.id, "peer " + peer.id); !ok) {
      return std::unexpected(ok.error());
    }
  }
  for (const auto& key : config.client_keys) {
    auto id = std::string(kClientPrefix) + key.substr(0, 12);
    if (auto ok = allow(allowed, key, id, id); !ok) return std::unexpected(ok.error());
  }
  return allowed;
}

// Request: version, request id, domain, address, identity, mechanism, credentials. Answer: version, request
// id, status code, status text, user id, metadata (RFC 27).
ZapAnswer answer_zap(const std::vector<std::string>& request, const AllowedKeys& allowed) {
  auto part = [&](std::size_t i) { return i < request.size() ? request[i] : std::string(); };
  bool well_formed = part(0) == "1.0" && part(2) == kZapDomain && part(5) == "CURVE" && request.size() == 7;
  auto found = well_formed ? allowed.find(part(6)) : allowed.end();
  if (found == allowed.end()) return {{"1.0", part(1), "400", "key not listed", "", ""}, false};
  return {{"1.0", part(1), "200", "OK", found->second, ""}, true};
}

std::size_t serve_zap(ZmqSocket& socket, const AllowedKeys& allowed) {
  std::size_t refused = 0;
  for (auto request = socket.receive_parts(); !request.empty(); request = socket.receive_parts()) {
    auto answer = answer_zap(request, allowed);
    refused += answer.allowed ? 0 : 1;
    for (std::size_t i = 0; i < answer.parts.size(); ++i) {
      socket.send(answer.parts[i], i + 1 < answer.parts.size());
    }
  }
  return refused;
}

}  // namespace troupe::transport
