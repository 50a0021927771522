#include "providers/auth/rs256_check.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>

namespace troupe::providers {
namespace {

constexpr int kPublicRsaBitsMin = 2048;

struct FreeCheckPart {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
template <class T>
using CheckPart = std::unique_ptr<T, FreeCheckPart>;

CheckPart<EVP_PKEY> read_public_key(std::string_view pem) {
  CheckPart<BIO> source(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (!source) return nullptr;
  return CheckPart<EVP_PKEY>(PEM_read_bio_PUBKEY(source.get(), nullptr, nullptr, nullptr));
}

}  // namespace

Result<void> check_rs256(std::string_view public_key_pem, std::string_view text, std::string_view signature) {
  // A failure fills OpenSSL's error queue, which TLS on this thread would later take for its own.
  struct CleanQueueAfter {
    ~CleanQueueAfter() { ERR_clear_error(); }
  } clean;
  auto key = read_public_key(public_key_pem);
  if (!key || EVP_PKEY_base_id(key.get()) != EVP_PKEY_RSA || EVP_PKEY_bits(key.get()) < kPublicRsaBitsMin)
    return fail(Errc::bad_config, "the public key is no RSA key of 2048 bits or more in PEM");
  CheckPart<EVP_MD_CTX> context(EVP_MD_CTX_new());
  const auto* sealed = reinterpret_cast<const unsigned char*>(signature.data());
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  bool ready = context && EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1;
  if (!ready || EVP_DigestVerify(context.get(), sealed, signature.size(), bytes, text.size()) != 1)
    return fail(Errc::auth, "the RS256 signature does not match");
  return {};
}

}  // namespace troupe::providers
