#include "runtime/http/tls.hpp"

#include <fmt/format.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <exception>

namespace troupe::http {
namespace {

// Length-prefixed, as ALPN has it. HTTP/2 is never offered.
constexpr unsigned char alpn_http11[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

Result<TlsContext> new_context(asio::ssl::context::method method) {
  try {
    auto context = std::make_shared<asio::ssl::context>(method);
    auto* native = context->native_handle();
    SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
    // Thousands of idle connections should not each keep 32 KB of buffers.
    SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
    // A renegotiating peer could make a read wait for a write of ours.
    SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    return context;
  } catch (const std::exception& e) {
    return fail(Errc::bad_config, fmt::format("OpenSSL would not start: {}", e.what()));
  }
}

bool is_address(const std::string& host) {
  error_code ec;
  asio::ip::make_address(host, ec);
  return !ec;
}

}  // namespace

Result<TlsContext> client_tls(const std::string& ca_file) {
  auto context = new_context(asio::ssl::context::tls_client);
  if (!context) return context;
  error_code ec;
  (*context)->set_default_verify_paths(ec);
  if (!ca_file.empty()) {
    (*context)->load_verify_file(ca_file, ec);
    if (ec)
      return fail(Errc::bad_config,
                  fmt::format("cannot read certificate authorities from {}: {}", ca_file, ec.message()));
  }
  SSL_CTX_set_verify((*context)->native_handle(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_alpn_protos((*context)->native_handle(), alpn_http11, sizeof alpn_http11);
  return context;
}

Result<TlsContext> server_tls(const std::string& certificate_file, const std::string& key_file) {
  auto context = new_context(asio::ssl::context::tls_server);
  if (!context) return context;
  error_code ec;
  // An encrypted key is refused; OpenSSL's own default would ask at the terminal.
  (*context)->set_password_callback(
      [](std::size_t, asio::ssl::context::password_purpose) { return std::string(); }, ec);
  (*context)->use_certificate_chain_file(certificate_file, ec);
  if (ec)
    return fail(Errc::bad_config,
                fmt::format("cannot use certificate {}: {}", certificate_file, ec.message()));
  (*context)->use_private_key_file(key_file, asio::ssl::context::pem, ec);
  // OpenSSL compares the key with the certificate here.
  if (ec) return fail(Errc::bad_config, fmt::format("cannot use key {}: {}", key_file, ec.message()));
  return context;
}

Result<void> expect_host(SSL* ssl, const std::string& host) {
  auto* param = SSL_get0_param(ssl);
  bool ok = false;
  if (is_address(host)) {
    ok = X509_VERIFY_PARAM_set1_ip_asc(param, host.c_str()) == 1;
  } else {
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    ok = SSL_set1_host(ssl, host.c_str()) == 1 && SSL_set_tlsext_host_name(ssl, host.c_str()) == 1;
  }
  if (!ok) return fail(Errc::invalid_input, "the origin's host cannot be checked by TLS");
  return {};
}

HandshakeFailure explain_handshake(SSL* ssl, const error_code& ec) {
  auto verdict = SSL_get_verify_result(ssl);
  if (verdict == X509_V_OK) return {ec.message(), false};
  return {fmt::format("certificate refused: {}", X509_verify_cert_error_string(verdict)), true};
}

}  // namespace troupe::http
