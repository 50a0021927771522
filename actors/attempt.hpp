// One HTTP attempt at one endpoint: encode, sign, send, decode as it streams, and say how it ended. No actor;
// lives on the loop thread.
#pragma once

#include "actors/interfaces.hpp"
#include "providers/dialect.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/http/client.hpp"

#include <functional>
#include <memory>

namespace troupe::actors {

/// Puts credentials on a request. Never logs, never keeps the request. Loop thread only.
class Authorizer {
 public:
  virtual ~Authorizer() = default;
  virtual Result<void> authorize(http::Request& request, WallTime now) = 0;
};

/// How to reach an endpoint. Shared by its attempts; immutable.
struct Wire {
  std::string endpoint;
  const providers::Dialect* dialect = nullptr;
  providers::Target target;
  http::Origin origin;
  http::Timeouts timeouts;
  /// Request written -> first content event; the HTTP first-byte timer cannot see it behind start-up events.
  Duration first_token{};
  std::shared_ptr<Authorizer> authorizer;
};

class HttpAttempt {
 public:
  using Ended = std::function<void(AttemptResultPtr)>;
  virtual ~HttpAttempt() = default;
  virtual void cancel() = 0;
  /// Begins at once; `ended` is called exactly once, never inside `start`. Events go to `sink` (may be null).
  static std::shared_ptr<HttpAttempt> start(std::shared_ptr<const Wire> wire, const RunAttempt& order,
                                            http::Loop& loop, http::Client& client, Clock& clock,
                                            Ended ended);
};

}  // namespace troupe::actors
