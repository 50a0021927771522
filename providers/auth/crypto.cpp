#include "providers/auth/crypto.hpp"

#include "providers/text.hpp"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>

#include <algorithm>
#include <array>
#include <memory>

namespace troupe::providers {
namespace {

struct FreeOpenSsl {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
template <class T>
using Owned = std::unique_ptr<T, FreeOpenSsl>;

constexpr int kRsaBitsMin = 2048;

// An encrypted key must fail; without this OpenSSL would ask the terminal.
int no_passphrase(char*, int, int, void*) { return -1; }

Owned<EVP_PKEY> read_private_key(std::string_view pem) {
  Owned<BIO> source(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (!source) return nullptr;
  return Owned<EVP_PKEY>(PEM_read_bio_PrivateKey(source.get(), nullptr, no_passphrase, nullptr));
}

}  // namespace

std::string sha256(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned length = 0;
  EVP_Digest(bytes.data(), bytes.size(), out.data(), &length, EVP_sha256(), nullptr);
  return {reinterpret_cast<const char*>(out.data()), length};
}

std::string hmac_sha256(std::string_view key, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned length = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), out.data(), &length);
  return {reinterpret_cast<const char*>(out.data()), length};
}

bool same_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

Result<std::string> rs256(std::string_view private_key_pem, std::string_view text) {
  // Failures leave OpenSSL's error queue filled, which TLS on this thread would later take for its own.
  struct CleanQueue {
    ~CleanQueue() { ERR_clear_error(); }
  } clean;
  auto key = read_private_key(private_key_pem);
  if (!key || EVP_PKEY_base_id(key.get()) != EVP_PKEY_RSA || EVP_PKEY_bits(key.get()) < kRsaBitsMin)
    return fail(Errc::auth, "the private key is no unencrypted RSA key of 2048 bits or more in PEM");
  Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
  std::size_t length = 0;
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  bool ready = context && EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
               EVP_DigestSign(context.get(), nullptr, &length, bytes, text.size()) == 1;
  std::string out(length, '\0');
  if (!ready || EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(out.data()), &length, bytes,
                               text.size()) != 1)
    return fail(Errc::auth, "the private key does not sign");
  out.resize(length);
  return out;
}

std::string base64url(std::string_view bytes) {
  auto out = base64_encode(bytes);
  out.erase(std::min(out.find('='), out.size()));
  std::ranges::replace(out, '+', '-');
  std::ranges::replace(out, '/', '_');
  return out;
}

}  // namespace troupe::providers
