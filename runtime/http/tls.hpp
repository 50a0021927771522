// TLS as we want it: 1.2 or newer, peers verified by name or address. The one place that talks to OpenSSL's
// TLS.
#pragma once

#include "runtime/http/asio.hpp"

#include <troupe/error.hpp>

#include <memory>
#include <string>

namespace troupe::http {

using TlsContext = std::shared_ptr<asio::ssl::context>;

/// Trusts the system's authorities and those in `ca_file` (PEM; may be empty). Fails with bad_config.
Result<TlsContext> client_tls(const std::string& ca_file);
/// Fails with bad_config when a file is missing, malformed, or the key is not the certificate's.
Result<TlsContext> server_tls(const std::string& certificate_file, const std::string& key_file);

/// Makes the handshake check that the certificate is `host`'s (RFC 9525), and name it in SNI unless it is an
/// address.
Result<void> expect_host(SSL* ssl, const std::string& host);

/// Why a handshake failed, for people; says which check of the certificate failed if one did.
struct HandshakeFailure {
  std::string reason;
  /// The certificate was refused: trying again cannot help.
  bool untrusted = false;
};
HandshakeFailure explain_handshake(SSL* ssl, const error_code& ec);

}  // namespace troupe::http
