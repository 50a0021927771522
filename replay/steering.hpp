// What a replay compares: whoever decides where each call goes. The dispatcher of the live system is one,
// what people deploy otherwise are the others; the driver and the clouds cannot tell which they serve.
#pragma once

#include "runtime/policy/health.hpp"
#include "runtime/policy/quota.hpp"

#include <troupe/error.hpp>
#include <troupe/workflow.hpp>

#include <optional>
#include <string>
#include <vector>

namespace troupe::replay {

/// A call as its router sees it: what it will write is not known.
struct CallView {
  /// Unique among the open ones; never 0.
  std::uint64_t id = 0;
  std::uint32_t feature = 0, tenant = 0;
  std::uint32_t input_tokens = 0, output_tokens_max = 0;
  std::uint64_t prefix = 0;
  Instant deadline;
};

/// Begin an attempt. `attempt` is the steering's own number, unique among those that have not ended; `token`
/// is handed back with the end.
struct SendOrder {
  std::uint64_t call = 0, attempt = 0;
  std::uint32_t endpoint = 0;
  Cause cause = Cause::primary;
};
struct CancelOrder {
  std::uint64_t call = 0, attempt = 0;
};
enum class CallEnding { served, refused, expired, failed };
struct EndOrder {
  std::uint64_t call = 0;
  CallEnding ending = CallEnding::served;
  /// Whose answer it is; 0 when not served.
  std::uint64_t attempt = 0;
};
/// In the order cancel, send, ended. Reused.
struct Orders {
  std::vector<CancelOrder> cancel;
  std::vector<SendOrder> send;
  std::vector<EndOrder> ended;
  void clear() {
    cancel.clear();
    send.clear();
    ended.clear();
  }
};

/// How an attempt ended. A cancelled one ends with `cancelled`.
struct AttemptFact {
  std::uint64_t call = 0, attempt = 0;
  std::uint32_t endpoint = 0;
  std::optional<Errc> error;
  std::optional<Duration> retry_after;
  bool content_seen = false;
  /// Zero: not known.
  Duration ttft{}, total{}, itl{};
  double input = 0, cached = 0, output = 0;
};

/// A breaker moved.
struct BreakerMove {
  Instant at;
  std::uint32_t endpoint = 0;
  policy::BreakerState from = policy::BreakerState::closed, to = policy::BreakerState::closed;
  policy::TripReason reason = policy::TripReason::none;
  double share = 1;
  std::string detail;
};

/// Not thread-safe. Appends to `out`, never clears it. No method may be called from inside another.
class Steering {
 public:
  virtual ~Steering() = default;
  virtual void on_call(const CallView& call, Instant now, Orders& out) = 0;
  virtual void on_first_token(std::uint64_t call, std::uint64_t attempt, Instant now, Orders& out) = 0;
  virtual void on_ended(const AttemptFact& fact, Instant now, Orders& out) = 0;
  /// A customer rated an answer of this endpoint.
  virtual void on_feedback(std::uint32_t, bool, Instant, Orders&) {}
  /// When time alone could change something; never earlier than the present.
  virtual std::optional<Instant> wake_at() const = 0;
  virtual void on_time(Instant now, Orders& out) = 0;

  /// Calls accepted and not ended.
  virtual std::size_t open() const = 0;
  virtual std::size_t waiting() const { return 0; }
  /// Share of traffic admitted at the endpoint: 1 where there is no breaker.
  virtual double share(std::uint32_t) const { return 1; }
  /// Breakers' moves since the last time.
  virtual std::vector<BreakerMove> take_moves() { return {}; }
};

}  // namespace troupe::replay
