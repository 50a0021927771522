// The circuit breaker's decision: facts in, state and admitted share out (MECHANISMS C11, F1-F15). Pure.
#pragma once

#include "runtime/policy/breaker_memory.hpp"
#include "runtime/policy/breaker_policy.hpp"
#include "runtime/policy/health.hpp"
#include "runtime/policy/peer_board.hpp"

#include <troupe/error.hpp>

#include <memory>
#include <optional>
#include <string>

namespace troupe::policy {

/// How one attempt ended, as far as health is concerned. Told when its stream has ended, never before: a
/// first token proves nothing about the rest.
struct Outcome {
  /// When it ended.
  Instant at;
  /// Absent on success.
  std::optional<Errc> error;
  /// From Error::counts_for_breaker.
  bool counts = false;
  /// Zero when no token came.
  Duration ttft{};
  Duration total{};
  /// Was this attempt let through by a partial-open trickle?
  bool trickle = false;
  /// Time per token after the first: (total - ttft) / (output tokens - 1). Zero when unknown.
  Duration itl{};
  /// One of ours (F15): it counts for health, but not in what is shown of customers' calls, nor is it
  /// learned: a question of a few words takes what no customer's call takes.
  bool probe = false;
  /// `on_silence` has been told of this attempt: that it hung counts no second time.
  bool silent = false;
  /// A copy of a call that another endpoint serves (B5). It counts for the proof that the endpoint works,
  /// where whatever it fails of is the endpoint's fault, since another could serve it. Where customers are
  /// served too it counts for nothing else: their calls alone move the breaker. Else it counts for health as
  /// a probe does, and is learned too, being a customer's request: what is slow here is known before
  /// customers come.
  bool copy = false;
  /// When it began, as in its Silence; only of one that is `silent`.
  Instant began{};
};

/// An attempt that has waited for its first token longer than `Breaker::patience`, and waits still.
struct Silence {
  Instant at, began;
  /// Was it let through by a partial-open trickle?
  bool trickle = false;
  /// As in Outcome.
  bool copy = false;
};

/// Who ordered something, and why: for the audit (F13).
struct OrderNote {
  std::string who, why;
};

/// One endpoint's breaker. Not thread-safe: its actor owns it. Every method takes the present; state changes
/// come back as events whose `endpoint` and `at` are left for the caller to fill.
///
///     closed --trip--> open --cool-down over--> partial --whole ramp passed--> closed
///                       ^------- relapse ----------'        (partial --stage passed--> partial)
///
/// Nothing else happens but an operator's order. What is *not* evidence: mistakes of the caller, cancelled
/// calls (F3); throttles count only for the throttling rule (F4). An endpoint with fewer than `samples_min`
/// outcomes per window is judged by failures in a row, and in the long run by hanging calls, alone. The
/// baseline learns only from outcomes that left the window while the breaker was closed and not forced: what
/// led to a trip is forgotten with the window. An endpoint that was sick from its first call has a sick
/// baseline; absolute limits are there for that.
///
/// An outcome costs a fraction of a microsecond and allocates nothing unless the state changes
/// (bench/breaker_bench.cpp). Latencies are kept as LatencyGrid buckets: limits are judged exactly, shown
/// quantiles are within 2 %.
class Breaker {
 public:
  explicit Breaker(BreakerPolicy policy);
  ~Breaker();
  Breaker(Breaker&&) noexcept;
  Breaker& operator=(Breaker&&) noexcept;
  /// Copies go their own ways from here: for asking what would happen.
  Breaker(const Breaker& other);
  Breaker& operator=(const Breaker& other);

  /// While open, a failure that counts extends the cool-down and never shortens it (at most to cool_down_max
  /// after the trip). While partial, attempts that began before the cool-down ended prove nothing and are
  /// left out.
  std::optional<BreakerEvent> on_outcome(const Outcome& outcome);
  /// How long a first token may be waited for until the attempt counts as hanging; zero: not known yet, or
  /// nobody asks (stall_ratio_max 0).
  Duration patience() const;
  /// That it hangs counts now, while its outcome may be most of a minute away; tell it at most once an
  /// attempt, and mark the outcome `silent`. Does nothing while open.
  std::optional<BreakerEvent> on_silence(const Silence& silence);
  /// A customer's rating of an answer. While closed it is learned, and a trend trips (C11). While partial
  /// after such a trip it decides the trial; give only ratings of answers made since then. Otherwise passed
  /// over.
  std::optional<BreakerEvent> on_feedback(bool good, Instant now);
  /// Lets time act: cool-downs end, windows empty. Call at least once a second, and before `share`.
  std::optional<BreakerEvent> on_tick(Instant now);
  /// Operator override (F13): holds `state` for `ttl`, then the machine goes on from there. Forced open
  /// counts as cooled down when the order ends. The latest order wins, also over a longer one.
  BreakerEvent force(BreakerState state, Instant now, Duration ttl, const OrderNote& note = {});
  /// Holds what is now: state, share and stage of the ramp. A cool-down goes on underneath.
  BreakerEvent freeze(Instant now, Duration ttl, const OrderNote& note = {});

  /// Where it looks how the others fare before it calls slow calls its endpoint's own doing. Without: never.
  void set_peers(std::shared_ptr<const PeerBoard> peers, std::uint32_t self);
  /// Of the last sixteen or so calls; those that hang count as slow. What the owner posts for the others.
  Strain strain(Instant now) const;

  /// Wants a probe sent now (F15)? Asking takes it as sent; its outcome comes back with `probe` set.
  bool take_probe(Instant now);

  /// What a restart takes along.
  BreakerMemory save(Instant now) const;
  /// In a new breaker, before anything else: goes on from there, after `away` of wall time in which nothing
  /// was heard. Values no sound breaker would have saved are made sound.
  void restore(const BreakerMemory& memory, Instant now, Duration away);

  BreakerState state() const;
  /// Share of traffic admitted now: 1, 0, or the ramp's stage.
  double share() const;
  /// When the present cool-down ends; nothing while not open.
  std::optional<Instant> cool_until() const;
  /// When the newest outcome that says something about the endpoint ended; nothing before the first.
  std::optional<Instant> measured() const;
  /// Fills the health fields this breaker knows (state, reason, share, quantiles, shares, samples), after
  /// forgetting what is too old `now`. `measured` is a wall time and left to the caller.
  void fill(HealthView& view, Instant now);
  /// Hash of all that decides what happens next, relative to `now`: equal digests behave alike. For checkers.
  std::uint64_t digest(Instant now) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace troupe::policy
