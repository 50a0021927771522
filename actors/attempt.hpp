// One HTTP attempt at one endpoint: encode, sign, send, decode as it streams, and say how it ended. No actor;
// lives on the loop thread.
#pragma once

#include "actors/authorizer.hpp"
#include "actors/interfaces.hpp"
#include "providers/dialect.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/http/client.hpp"
#include "runtime/telemetry/metrics.hpp"

#include <functional>
#include <memory>

namespace troupe::actors {

/// How to reach an endpoint. Shared by its attempts; immutable.
struct Wire {
  std::string endpoint;
  const providers::Dialect* dialect = nullptr;
  providers::Target target;
  http::Origin origin;
  http::Timeouts timeouts;
  /// Request written -> first content event; the HTTP first-byte timer cannot see it behind start-up events.
  Duration first_token{};
  /// Null: nothing is put on requests.
  std::shared_ptr<Authorizer> authorizer;
  /// Counts words our tables lack, and second tries; may be null.
  std::shared_ptr<telemetry::Metrics> metrics;
};

/// Waits for a credential within its deadline. An answer of class `auth` that the authorizer can do something
/// about is followed by one more request to the same endpoint (WIRE 6.1), inside this attempt: the first was
/// refused before it cost anything, so the books see one attempt, and troupe_auth_retries_total counts it.
class HttpAttempt {
 public:
  using Ended = std::function<void(AttemptResultPtr)>;
  virtual ~HttpAttempt() = default;
  virtual void cancel() = 0;
  /// Has content come? Of an answer that is not streamed: never before its end.
  virtual bool answering() const { return false; }
  /// Begins at once; `ended` is called exactly once, never inside `start`. Events go to `sink` (may be null).
  static std::shared_ptr<HttpAttempt> start(std::shared_ptr<const Wire> wire, const RunAttempt& order,
                                            http::Loop& loop, http::Client& client, Clock& clock,
                                            Ended ended);
};

}  // namespace troupe::actors
