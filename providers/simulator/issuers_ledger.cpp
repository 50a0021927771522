#include "providers/simulator/issuers_ledger.hpp"

#include "providers/auth/crypto.hpp"
#include "providers/text.hpp"

#include <fmt/format.h>

namespace troupe::providers::simulator {

IssuerLedger::IssuerLedger(std::uint64_t seed, std::size_t issued_max)
    : seed_(seed), keys_(issued_max), bearers_(issued_max), sessions_(issued_max) {}

std::string IssuerLedger::random_bytes(std::size_t count) {
  Rng rng(stable_hash(fmt::format("issued {}", ++drawn_), seed_));
  std::string out(count, '\0');
  for (auto& byte : out) byte = static_cast<char>(rng.next() >> 56);
  return out;
}

std::string IssuerLedger::letters(std::size_t count) {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  auto out = random_bytes(count);
  for (auto& letter : out) letter = alphabet[static_cast<unsigned char>(letter) % alphabet.size()];
  return out;
}

std::string IssuerLedger::uuid() {
  std::string hex;
  for (unsigned char byte : random_bytes(16)) hex += fmt::format("{:02x}", byte);
  std::string_view view = hex;
  return fmt::format("{}-{}-4{}-8{}-{}", view.substr(0, 8), view.substr(8, 4), view.substr(13, 3),
                     view.substr(17, 3), view.substr(20));
}

const IssuedKey& IssuerLedger::issue_key(IssuedKey holder) {
  auto id = "ASIA" + letters(16);
  holder.credentials.access_key_id = id;
  holder.credentials.secret_access_key = base64_encode(random_bytes(30));
  // 0xff encodes as '/', 0xfb.. as '+', and 200 bytes leave padding: whoever forgets to encode them shows.
  holder.credentials.session_token = base64_encode("\xff\xff\xff\xfb\xef\xbe" + random_bytes(194));
  return keys_.add(std::move(id), std::move(holder));
}

const IssuedKey* IssuerLedger::find_key(std::string_view access_key_id) const {
  bool is_static = !access_key_id.empty() && access_key_id == static_key_.credentials.access_key_id;
  return is_static ? &static_key_ : keys_.find(access_key_id);
}

std::string IssuerLedger::issue_bearer(std::string prefix, IssuedBearer bearer) {
  auto token = std::move(prefix) + base64url(random_bytes(32));
  bearers_.add(token, std::move(bearer));
  return token;
}

std::string IssuerLedger::issue_session(WallTime expires) {
  auto token = base64_encode(random_bytes(40));
  sessions_.add(token, expires);
  return token;
}

bool IssuerLedger::is_session(std::string_view token, WallTime wall) const {
  const auto* expires = sessions_.find(token);
  return expires != nullptr && wall < *expires;
}

}  // namespace troupe::providers::simulator
