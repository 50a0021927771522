// A feature's calls from arrival to end: admission, route, attempts, spilling, fallback, hedges, retries
// (C1-C4, E10, E11, F6). Pure: the FeatureQueue actor and `troupe replay` drive the same code.
#pragma once

#include "runtime/base/rng.hpp"
#include "runtime/policy/fair_queue.hpp"
#include "runtime/policy/hedge_budget.hpp"
#include "runtime/policy/kept_room.hpp"
#include "runtime/policy/output_estimate.hpp"
#include "runtime/policy/quota_tree.hpp"
#include "runtime/policy/retry_budget.hpp"
#include "runtime/policy/router.hpp"
#include "runtime/policy/service_time.hpp"

#include <deque>
#include <functional>
#include <queue>
#include <unordered_map>
#include <vector>

namespace troupe::policy {

/// Both clocks, read once: deadlines are on the monotonic one, what nodes tell each other on the wall's.
struct Moment {
  Instant now;
  WallTime wall;
};

/// What admission and routing must know of a call.
struct CallFacts {
  /// Chosen by the driver, unique among calls that have not ended; never 0.
  std::uint64_t id = 0;
  std::string tenant;
  std::uint64_t input_tokens = 0;
  /// Expected, for headroom and price (0: estimated from the feature's calls so far); and the bound that is
  /// sent.
  std::uint64_t output_tokens = 0, output_tokens_max = 0;
  Instant deadline;
  std::string boundary;
  Needs needs;
  /// Same for calls that share a long prompt prefix; 0: none.
  std::uint64_t prefix = 0;
  /// Index into the hierarchy of the model that leads for this call (an experiment's arm).
  std::optional<std::size_t> lead;
  /// As RouteRequest::candidates.
  std::uint64_t candidates = 0;
  /// May an attempt follow one that has shown content? Yes when what is shown can be continued, replaced or
  /// has been held back (C12).
  bool may_follow_content = true;
};

/// Start this attempt; report its end by `id`.
struct AttemptOrder {
  std::uint64_t call = 0;
  std::uint64_t id = 0;
  /// As numbered by `set_endpoints`.
  std::uint32_t endpoint = 0;
  Cause cause = Cause::primary;
  Instant deadline;
  /// The plan it follows.
  std::uint64_t decision = 0;
};

struct AttemptReport {
  std::uint64_t id = 0;
  /// Empty: its answer is whole.
  std::optional<Error> error;
  Duration ttft{};
  /// What was used, when that is known.
  std::uint64_t input_tokens = 0, output_tokens = 0;
  bool content_seen = false;
  /// Nothing left: no capacity or no credential. Costs nothing and counts as no attempt.
  bool not_sent = false;
};

enum class Ending { served, refused, expired, failed };
const char* to_string(Ending ending);

struct CallEnd {
  std::uint64_t call = 0;
  Ending ending = Ending::served;
  /// Empty when served.
  std::optional<Error> error;
  /// The attempt whose answer is the call's; 0 when not served.
  std::uint64_t attempt = 0;
};

/// What the driver must do now, in this order. Reuse one: it allocates nothing once grown.
struct Actions {
  std::vector<std::uint64_t> cancel;
  std::vector<AttemptOrder> send;
  std::vector<CallEnd> ended;
  void clear() {
    cancel.clear();
    send.clear();
    ended.clear();
  }
};

struct DispatchPolicy {
  RouteRules rules;
  RoutePolicy route;
  RetryPolicy retry;
  AdmissionPolicy admission;
  EstimatePolicy estimate;
  HedgePolicy hedge;
  /// Waiting for capacity is looked at again after at most this long.
  Duration recheck = std::chrono::milliseconds(100);
};

/// Hears of every plan as it is drawn up, with what it was drawn up from (E9).
class DecisionSink {
 public:
  virtual ~DecisionSink() = default;
  struct Decision {
    std::uint64_t id = 0, call = 0;
    const RouteRequest& request;
    std::span<const std::uint32_t> barred;
    WallTime wall;
    const Router& router;
    const RoutePlan& plan;
  };
  virtual void on_decision(const Decision& decision) = 0;
};

/// One per feature and node. Not thread-safe: its driver owns it. in = served + refused + expired + failed +
/// waiting + running at every moment (C3).
///
/// Who waits where. A call leaves the fair queue when fewer than running_max run, its share allows it, and
/// there may be room. Calls of one kin (boundary, abilities, size within a factor of four, model that leads)
/// wait for the same room: stalled_max of them look for it, every `recheck` and whenever a call ends, then
/// first the one whose turn it is (Ticket::turn) and, if there is none for that, one of another kin; while
/// they find none the others wait unasked, those that had left the queue behind them, the rest in it. So
/// beyond capacity a call costs a few plans, not one per look, and the order is the queue's. A sent attempt
/// that is not refused within `confirm_after` is taken for accepted. Whom the retry budget has nothing for
/// waits in order of arrival, unasked likewise. Calls that borrowed from other features are of a kin of their
/// own while they wait, since part of the room is kept from them: so they hold up nobody whom the feature's
/// guarantee serves, and what comes free of that they get first. A call that can no longer be done in time is
/// not sent while others wait: it expires, unbilled (AdmissionPolicy::finish_share).
class Dispatcher {
 public:
  static constexpr std::uint32_t stalled_max = 4;
  static constexpr Duration confirm_after = std::chrono::milliseconds(20);
  /// Kins told apart; further ones wait together.
  static constexpr std::size_t kins_max = 512;

  Dispatcher(DispatchPolicy policy, std::uint64_t seed, Instant now);

  /// The endpoints there are, numbered from 0 in this order; the health of all is forgotten. Endpoints keep
  /// their number in what calls under way remember, so only add at the end, or end those calls' attempts
  /// first and let them be planned anew.
  void set_endpoints(std::vector<FactsPtr> endpoints);
  /// An endpoint without health is not used. A null view takes its health away.
  void set_health(std::uint32_t endpoint, HealthPtr health);
  void set_controls(ControlsPtr controls);
  /// What the node's features may use together (C6); may be null. Shared by dispatchers of one thread.
  void set_quota_tree(std::shared_ptr<QuotaTree> tree);
  /// May be null; must outlive this.
  void set_decision_sink(DecisionSink* sink) { decisions_ = sink; }

  void on_call(CallFacts call, Moment at, Actions& out);
  /// Content came: of two attempts for one call the first goes on and the other is cancelled. Needed only
  /// where hedging is on.
  void on_first_token(std::uint64_t attempt, Moment at, Actions& out);
  /// Of an attempt that is unknown (any more): does nothing.
  void on_ended(const AttemptReport& report, Moment at, Actions& out);
  /// The caller gave up: attempts are cancelled, the call ends as failed with `cancelled`.
  void on_cancel(std::uint64_t call, Moment at, Actions& out);
  /// Lets time act. Call a few times a second, and at `wake_at` to be exact.
  void on_tick(Moment at, Actions& out);
  /// When on_tick could first do something for a call that is being served; nothing: when facts come.
  std::optional<Instant> wake_at() const;

  /// Which endpoints would be tried now, and why. Nothing is sent. A draw of 1 is outside every trial's
  /// share.
  RoutePlan explain(const CallFacts& call, Moment at, double draw = 1);
  const Router& router() const { return router_; }
  /// Endpoints that this call's last plan holds, and passes over.
  const RoutePlan* plan_of(std::uint64_t call) const;

  struct Counts {
    std::uint64_t in = 0, served = 0, refused = 0, expired = 0, failed = 0, attempts = 0, hedges = 0;
  };
  const Counts& counts() const { return counts_; }
  std::size_t waiting() const { return queue_.waiting() + queue_.untold(); }
  std::size_t running() const { return queue_.running(); }

 private:
  static constexpr auto kNone = ~std::uint32_t{0};
  struct Out {
    std::uint64_t attempt = 0;
    std::uint32_t endpoint = kNone;
    Instant sent;
  };
  /// Calls that wait for the same room.
  struct Kin {
    std::uint32_t queued = 0;          ///< in the fair queue
    std::uint32_t stalled = 0;         ///< taken from it, found no room, and look for it
    std::deque<std::uint64_t> behind;  ///< taken from it, and unasked; may name ended ones
    Instant tight_until;               ///< some stalled of late: only a few are taken from the queue at once
    std::uint64_t pass = 0;            ///< the last in which some were taken from the queue,
    std::uint32_t taken = 0;           ///< and how many
    std::uint64_t hash = 0;            ///< in kins_
    Kin* borrowers = nullptr;          ///< those that borrowed from other features, once there were any
  };
  /// What is known of one call between arrival and end.
  struct Following {
    CallFacts facts;
    Instant arrived;
    Kin* kin = nullptr;
    double draw = 0, turn = 0;
    RoutePlan plan;
    std::uint64_t decision = 0;
    /// In plan.order.
    std::size_t next = 0;
    /// Endpoints that said asking them again is no use.
    std::vector<std::uint32_t> barred;
    /// Attempts that reached a wire, and the endpoint of the last of them.
    std::size_t sent = 0;
    std::uint32_t last_endpoint = kNone;
    std::optional<Error> last_error;
    /// Waiting for capacity or backing off until then.
    std::optional<Instant> again_at;
    /// Reserved capacity was refused for want of room.
    bool spilled = false;
    /// The budget paid for an extra attempt that has found no room yet: looking again is free.
    bool paid = false;
    /// Stands in the line of those that look for room; is one of its kin's stalled ones; waits behind them;
    /// is known to want what it borrowed out of the feature's guarantee.
    bool in_line = false, stalled = false, behind = false, claims = false;
    /// Looks for room because it is the first in turn; another looks if it finds none.
    bool by_turn = false;
    /// Has paused since its last failure; waits for the retry budget.
    bool rested = false, needs_budget = false;
    /// A timer stands at its deadline.
    bool deadline_timed = false;
    /// The attempt that is out, and the one beside it (E10); 0: none.
    Out main, hedge;
    /// Content has come, so it is too late to hedge; when it would be time to.
    bool content = false;
    std::optional<Instant> hedge_at;
    /// Taken from the quota tree, and from where.
    double granted = 0;
    QuotaTree::Source source = QuotaTree::Source::own;
    std::uint64_t used_tokens = 0;

    void reset();
  };
  using Calls = std::unordered_map<std::uint64_t, Following>;
  using Attempts = std::unordered_map<std::uint64_t, std::uint64_t>;
  struct Timer {
    Instant at;
    std::uint64_t call;
    bool operator>(const Timer& other) const { return std::pair(at, call) > std::pair(other.at, other.call); }
  };

  Following& follow(CallFacts call);
  void forget(std::uint64_t call);
  void remember_attempt(std::uint64_t attempt, std::uint64_t call);
  RouteRequest request_of(const CallFacts& call, double draw, Instant now) const;
  Kin& kin_of(const CallFacts& call, std::span<const std::uint32_t> barred);
  void pump(Moment at, Actions& out);
  Turn may_go(const Ticket& ticket, Instant now);
  QuotaTree::Terms terms_for(const Following& call, Instant now);
  bool has_borrowed(const Following& call) const {
    return tree_ && call.source == QuotaTree::Source::elsewhere;
  }
  Kin& borrowers_of(Kin& kin);
  Following* first_claimant();
  Following* take_claimant(Instant now);
  Kin& kin_by(std::uint64_t hash);
  bool may_leave(const Kin& kin, Instant now) const;
  bool may_ask(const Kin& kin, Instant now) const;
  bool nobody_may_ask(Instant now) const;
  Following* take_waiting();
  Following* take_first_in_turn();
  Following* take_longest_in_line();
  Following* still_looks(std::uint64_t call);
  Ticket ticket_of(const CallFacts& call, Instant arrived) const;
  Following* take_behind(Instant now);
  void count_taken(Kin& kin);
  void stand_behind(Following& call);
  void confirm(Instant now);
  void serve_budget_line(Moment at, Actions& out);
  void time_came(Following& call, Moment at, Actions& out);
  void stall(Following& call, Instant until, Instant now);
  void unstall(Following& call);
  void plan_and_go(Following& call, Moment at, Actions& out);
  void go(Following& call, Moment at, Actions& out);
  bool may_try_again(const Following& call);
  void look_again(Following& call, Instant when);
  void wait_for_budget(Following& call, Moment at, Actions& out);
  const Planned* next_planned(Following& call, Moment at) const;
  bool waits_for_reserved(const Following& call, std::uint32_t endpoint) const;
  bool leaves_room(const Following& call, std::uint32_t endpoint, Instant now) const;
  bool can_serve(std::uint32_t endpoint, WallTime wall) const;
  std::optional<Duration> wait_for_capacity(Following& call, Moment at);
  Cause cause_of(const Following& call, const Planned& planned) const;
  void send(Following& call, const Planned& planned, Moment at, Actions& out);
  Out order(const Following& call, std::uint32_t endpoint, Cause cause, Instant now, Actions& out);
  void plan_hedge(Following& call, Instant now);
  void try_hedge(Following& call, Moment at, Actions& out);
  const Planned* hedge_place(const Following& call, WallTime wall) const;
  double usd_of(const CallFacts& call, std::uint32_t endpoint) const;
  double load_at(std::uint32_t endpoint) const;
  void learn_first_token(Following& call, Duration ttft);
  void drop(Out& attempt, Actions& out);
  void note_attempt(Following& call, const AttemptReport& report, const Out& ended, Instant now);
  void turn_away(const CallFacts& call, Moment at, Actions& out);
  void on_failed(Following& call, const AttemptReport& report, Moment at, Actions& out);
  void on_not_sent(Following& call, std::uint32_t endpoint, const Error& error, Moment at, Actions& out);
  void expire_waiting(Moment at, Actions& out);
  bool doomed(const Following& call, Instant now);
  void learn_service(const Following& call, const AttemptReport& report, Duration took);
  Error too_late(const Following& call) const;
  Error no_endpoint(const Following& call) const;
  Error refusal() const;
  void left_queue(std::uint64_t call);
  void end(Following& call, std::optional<Error> error, std::uint64_t attempt, Instant now, Actions& out);
  void expire(Following& call, std::string why, Instant now, Actions& out);
  void finish(Following& call, CallEnd end, Instant now, Actions& out);

  DispatchPolicy policy_;
  Router router_;
  FairQueue queue_;
  RetryBudget budget_;
  HedgeBudget hedges_;
  OutputEstimator estimator_;
  ServiceTime service_;
  std::shared_ptr<QuotaTree> tree_;
  Rng rng_;
  Instant ticked_;
  DecisionSink* decisions_ = nullptr;
  Calls calls_;
  Attempts attempts_;  // out now -> whose
  // Ended calls' nodes, kept so that steady traffic allocates nothing.
  std::vector<Calls::node_type> spare_calls_;
  std::vector<Attempts::node_type> spare_attempts_;
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;  // may name ended calls
  std::deque<std::uint64_t> for_room_;  // calls that wait for capacity, oldest first; may name ended ones
  std::unordered_map<std::uint64_t, Kin> kins_;  // never erased, so calls may point at theirs
  std::size_t behind_ = 0;                       // of all kins
  std::deque<std::uint64_t> for_budget_;         // calls that wait for the retry budget; may name ended ones
  std::deque<std::uint64_t> claimants_;          // calls that borrowed and found no room; may name others
  std::deque<Timer> confirming_;                 // stalled calls whose newest attempt may yet be refused
  KeptRoom kept_room_;
  bool guaranteed_ = false;       // the feature has a share of its own
  bool tenants_stopped_ = false;  // some order concerns single tenants
  std::uint64_t last_attempt_ = 0, last_decision_ = 0;
  std::size_t room_ = 0;   // calls that ended and have not been followed by one that waited
  std::size_t again_ = 0;  // looks left over by those whose turn it was and who found no room
  bool pumping_ = false;
  std::uint64_t pass_ = 0;
  Counts counts_;
};

}  // namespace troupe::policy
