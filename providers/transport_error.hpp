// What a failure below the dialect means once it is known how far the exchange had come (WIRE 6.1,
// transport).
#pragma once

#include <troupe/error.hpp>

namespace troupe::providers {

/// How far an exchange had come when it failed.
struct TransportProgress {
  /// Bytes of the request may have reached the server.
  bool sent = false;
  /// Bytes of the answer's body had come.
  bool answering = false;
  /// The timer that fired was the caller's deadline, not a limit of the endpoint's own.
  bool deadline_passed = false;
};

/// Refines an error of http::ExchangeSink::on_end or of a StreamDecoder:
/// - A timeout before anything was sent may be tried again anywhere. One between body bytes is a broken
///   stream. One at the caller's deadline says nothing about the endpoint.
/// - A broken stream is not tried again at the same endpoint by itself; another may serve it if nothing was
///   forwarded, which the caller knows.
/// Other codes pass unchanged, `maybe_billed` always does.
Error transport_error(Error error, const TransportProgress& progress);

}  // namespace troupe::providers
