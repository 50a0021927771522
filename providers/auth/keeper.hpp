// When a credential is fetched, served and given up: refresh ahead of expiry, one fetch for all who wait, old
// but valid ones served while the issuer is down (D8, D9). Pure: no clock, no issuer.
#pragma once

#include "providers/auth/credentials.hpp"
#include "runtime/http/message.hpp"

#include <troupe/error.hpp>
#include <troupe/time.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace troupe::providers {

/// Bounds are for lives of an hour and more; shares take over for shorter ones, so that a token of a minute
/// is refreshed 15 s ahead rather than always.
struct KeeperPolicy {
  /// A fetch begins in the background with this much of its life left, or this share if that is less.
  Duration ahead_max = std::chrono::minutes(15);
  double ahead_share = 0.25;
  /// With this much left requests wait for the fetch, unless the last one failed.
  Duration block_max = std::chrono::minutes(5);
  double block_share = 1.0 / 12;
  /// After a failed fetch; doubles with each. Until then the failure is everyone's answer.
  Duration backoff_min = std::chrono::seconds(1);
  Duration backoff_max = std::chrono::minutes(1);
  /// A provider's refusal makes us fetch at most so often: one that refuses everything must not make us flood
  /// the issuer.
  Duration refusal_pause = std::chrono::seconds(30);
  /// No fetch sooner than this after a successful one.
  Duration fetch_pause = std::chrono::milliseconds(100);
  std::size_t waiters_max = 16 * 1024;
};

/// Keeps one credential. Not thread-safe. Lifetimes run on the monotonic clock from the beginning of their
/// fetch, so a wrong or stepped wall clock neither shortens nor lengthens them; a machine that was suspended
/// learns from the provider's refusal instead.
class Keeper {
 public:
  using Waiter = std::function<void(Result<void>)>;

  explicit Keeper(KeeperPolicy policy = {}) : policy_(policy) {}

  /// May `secret` be used now? False: use when_ready.
  bool ready(Instant now) const;
  /// The credential, or nullptr when there is none that is valid.
  const Secret* secret(Instant now) const;
  /// Counts successful fetches: which credential a request carried.
  std::uint64_t generation() const { return generation_; }

  /// Answers at once when ready, or when no fetch is due and none is valid: then with the last failure, which
  /// is `auth` and allows another endpoint. Otherwise when the fetch has ended. `refused` beyond waiters_max.
  void when_ready(Waiter waiter, Instant now);

  /// True: begin a fetch now and tell `fetched` how it ended. Never twice before that. Ask after when_ready
  /// and refused, and at next_fetch.
  bool begin_fetch(Instant now);
  /// Answers who waits. After a failure they are served what is still valid.
  void fetched(Result<Expiring<Secret>> result, Instant now);
  /// When begin_fetch will be true although nothing happens; absent while fetching and for what never
  /// expires.
  std::optional<Instant> next_fetch() const;

  /// The provider refused a request that carried `generation`. True: another try may help, once when_ready
  /// has answered (a newer credential is there, or is being fetched).
  bool refused(std::uint64_t generation, Instant now);

 private:
  struct Held {
    Secret secret;
    std::optional<Instant> refresh_at, block_at, expires_at;
  };
  bool valid(Instant now) const;
  bool fetch_may_help(Instant now) const;
  Held hold(Expiring<Secret> grant) const;
  void answer_all(const Result<void>& result);

  KeeperPolicy policy_;
  std::optional<Held> held_;
  std::uint64_t generation_ = 0;
  bool fetching_ = false;
  /// The provider said no to what we hold.
  bool doubted_ = false;
  Instant began_, retry_at_;
  std::optional<Instant> doubted_at_;
  std::uint32_t failures_ = 0;
  std::optional<Error> last_error_;
  std::vector<Waiter> waiters_;
};

/// How far our wall clock is from a provider's. Signatures are made and wall times judged with it (WIRE 2.1).
class ClockSkew {
 public:
  WallTime correct(WallTime wall) const { return {wall.ms + offset_ms_}; }
  std::int64_t offset_ms() const { return offset_ms_; }
  /// Learns from an answer that rejects a signature for its time and has a Date; `wall` is our own,
  /// uncorrected. True when that changes our time by more than a minute, so that signing again may help:
  /// less than that cannot have been the reason.
  bool learn(const http::Response& response, WallTime wall);

 private:
  std::int64_t offset_ms_ = 0;
};

}  // namespace troupe::providers
