// Puts credentials on requests, and can wait for them.
#pragma once

#include "runtime/http/message.hpp"

#include <troupe/error.hpp>
#include <troupe/time.hpp>

#include <cstdint>
#include <functional>

namespace troupe::actors {

/// Never logs, never keeps the request. Loop thread only.
class Authorizer {
 public:
  /// What a request was authorized with, to tell later whether something newer is there.
  struct Stamp {
    std::uint64_t generation = 0;
    std::int64_t clock_offset_ms = 0;
  };

  virtual ~Authorizer() = default;
  /// False: `authorize` would fail now, or soon expire; use when_ready.
  virtual bool ready() { return true; }
  /// Calls once, perhaps before it returns: authorize may be called now, or an `auth` error. What it calls
  /// must survive being called late.
  virtual void when_ready(std::function<void(Result<void>)> done) { done({}); }
  /// `wall` is our clock, uncorrected. Target and body must not change afterwards.
  virtual Result<Stamp> authorize(http::Request& request, WallTime wall) = 0;
  /// The provider rejected what carried `stamp`, with an error of class `auth`. True: sending it again, after
  /// when_ready, may help, because the credential or the clock's correction is another by then.
  virtual bool rejected(const Stamp& stamp, const http::Response& response, WallTime wall) {
    static_cast<void>(stamp), static_cast<void>(response), static_cast<void>(wall);
    return false;
  }
};

}  // namespace troupe::actors
