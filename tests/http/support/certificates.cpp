#include "tests/http/support/certificates.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

namespace troupe::http::testing {
namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;

void add_extension(X509* certificate, int nid, const std::string& value) {
  auto* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

Certificate blank(const std::string& name, EVP_PKEY* key, long serial) {
  Certificate made(X509_new(), X509_free);
  X509_set_version(made.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), serial);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), 3600);
  X509_set_pubkey(made.get(), key);
  auto* text = reinterpret_cast<const unsigned char*>(name.c_str());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_ASC, text, -1, -1, 0);
  return made;
}

CertificateFiles save(const std::filesystem::path& folder, const std::string& name, X509* certificate,
                      EVP_PKEY* key) {
  CertificateFiles files{(folder / (name + ".pem")).string(), (folder / (name + ".key")).string()};
  auto* out = std::fopen(files.certificate.c_str(), "w");
  PEM_write_X509(out, certificate);
  std::fclose(out);
  out = std::fopen(files.key.c_str(), "w");
  PEM_write_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
  std::fclose(out);
  return files;
}

std::filesystem::path temporary_folder() {
  auto pattern = (std::filesystem::temp_directory_path() / "troupe_tls_XXXXXX").string();
  return ::mkdtemp(pattern.data()) ? pattern : std::string();
}

}  // namespace

struct TestAuthority::Native {
  Key key{EVP_EC_gen("P-256"), EVP_PKEY_free};
  Certificate certificate{nullptr, X509_free};
};

TestAuthority::TestAuthority(const std::string& name) : folder_(temporary_folder()), native_(new Native) {
  native_->certificate = blank(name, native_->key.get(), 1);
  auto* certificate = native_->certificate.get();
  X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
  add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE");
  add_extension(certificate, NID_key_usage, "critical,keyCertSign");
  X509_sign(certificate, native_->key.get(), EVP_sha256());
  ca_ = save(folder_, "ca", certificate, native_->key.get());
}

TestAuthority::~TestAuthority() {
  delete native_;
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

CertificateFiles TestAuthority::issue(const std::string& name, const std::string& names) const {
  Key key{EVP_EC_gen("P-256"), EVP_PKEY_free};
  auto certificate = blank(name, key.get(), 2);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(native_->certificate.get()));
  add_extension(certificate.get(), NID_subject_alt_name, names);
  X509_sign(certificate.get(), native_->key.get(), EVP_sha256());
  return save(folder_, name, certificate.get(), key.get());
}

}  // namespace troupe::http::testing
