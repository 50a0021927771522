// The whole cast and every message, a sentence each. Handlers are in the file named like the actor.
#pragma once

#include "runtime/journal/journal.hpp"
#include "runtime/policy/breaker.hpp"
#include "runtime/policy/endpoint_guard.hpp"
#include "runtime/policy/route.hpp"
#include "runtime/transport/gateway.hpp"

#include <troupe/completion.hpp>
#include <troupe/workflow.hpp>

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/typed_actor.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace troupe::actors {

// Values that many messages share: immutable, passed by pointer.

using RequestPtr = std::shared_ptr<const CompletionRequest>;
using HealthPtr = std::shared_ptr<const policy::HealthView>;
/// How long an endpoint's first token may be waited for until the call counts as hanging
/// (policy::Breaker::patience); zero: not known. Its breaker publishes it, the endpoint beside it reads it.
using PatienceCell = std::atomic<Duration>;

/// Hears an attempt's events as they arrive, on whatever thread runs the attempt, one batch at a time.
class StreamSink {
 public:
  virtual ~StreamSink() = default;
  virtual void on_events(std::span<const StreamEvent> events) = 0;
  /// All that was told is void: the answer begins again (AfterFirstToken::restart and resume).
  virtual void on_taken_back() = 0;
  /// Has it more than it can pass on? Asked after each batch, and while true again and again; meanwhile
  /// nothing is read from the provider. Same thread as on_events.
  virtual bool full() { return false; }
};
using SinkPtr = std::shared_ptr<StreamSink>;

/// How one attempt ended. `error` empty: `completion` is whole.
struct AttemptResult {
  std::optional<Error> error;
  Completion completion;
  AttemptRecord record;
  /// Content events were passed on to the sink, so another endpoint would repeat them.
  bool content_seen = false;
  /// The endpoint had no capacity, or no credential, and sent nothing: costs nothing, counts against nobody.
  bool not_sent = false;
};
using AttemptResultPtr = std::shared_ptr<const AttemptResult>;

/// How one call ended, after all its attempts.
struct CallResult {
  Result<Completion> completion;
  std::vector<AttemptRecord> attempts;
};

/// A model call on its way. `done` is called exactly once, from an actor or from this destructor if nobody
/// answered.
struct Call {
  RequestPtr request;
  SinkPtr sink;  ///< may be null
  /// Who pays: "" outside runs.
  std::string run_id, step_key;
  /// Whose run it is, whatever its request says: data of both stays where either's must. "" outside runs.
  std::string tenant;
  /// Where what it carries must stay, besides what its feature and its tenants say; empty: they say it all.
  std::string boundary;
  /// What the books call all its attempts; none: what routing made each for.
  std::optional<Cause> cause;
  /// Its run's budget is nearly spent: the cheapest model of the feature's hierarchy leads.
  bool cheaper = false;
  /// Asked before each attempt, on the queue's turn: false gives the call up as `cancelled`. Empty: always.
  std::function<bool()> may_go;
  std::function<void(CallResult)> done;
  Call() = default;
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  ~Call();
  /// Answers; later calls do nothing.
  void answer(CallResult result) const;

 private:
  mutable std::atomic_flag answered_;
};
using CallPtr = std::shared_ptr<const Call>;

// Messages.

/// Time has passed. Sent to everyone some times a second by the node; in tests by the test.
struct Tick {};
/// Please run this attempt; `reply_to` hears AttemptEnded exactly once.
struct AttemptEnded;
using AttemptClient = caf::typed_actor<caf::reacts_to<AttemptEnded>>;
struct RunAttempt {
  std::uint64_t id = 0;  ///< unique per reply_to
  RequestPtr request;
  Instant deadline;
  Cause cause = Cause::primary;
  SinkPtr sink;
  AttemptClient reply_to;
  /// Where what it carries may be processed (D11); empty: anywhere. The endpoint looks once more.
  std::string boundary;
  /// Hears at once what the answer's head says of the provider's limits, on the attempt's thread. The
  /// endpoint sets it for its own attempts; it never travels.
  std::function<void(const policy::QuotaHints&)> on_hints;
};
/// What a provider said of its limits.
struct LimitsHeard {
  policy::QuotaHints hints;
};
/// An attempt is over.
struct AttemptEnded {
  std::uint64_t id = 0;
  AttemptResultPtr result;
};
/// Stop this attempt; its AttemptEnded follows with `cancelled`.
struct CancelAttempt {
  std::uint64_t id = 0;
  AttemptClient reply_to;
};
/// Content came for this attempt; the first time only.
struct FirstToken {
  std::uint64_t id = 0;
};
using policy::Load;
/// A fact about one attempt's end.
struct OutcomeObserved {
  policy::Outcome outcome;
  Load load;
};
/// An attempt has waited longer for its first token than the breaker has patience (PatienceCell); its outcome
/// will follow, marked `silent`.
struct SilenceObserved {
  policy::Silence silence;
};
/// An attempt began, or capacity changed.
struct LoadObserved {
  Load load;
};
/// A customer's rating of an answer this endpoint gave (C11). Of answers older than the breaker's last move
/// it is passed over: it says nothing of the endpoint as it is now.
struct FeedbackObserved {
  std::string endpoint;
  bool good = false;
  WallTime answered;
};
/// An operator's word; holds until `ttl` has passed (F13). No state: what is now is frozen.
struct ForceBreaker {
  std::optional<policy::BreakerState> state;
  Duration ttl{};
  std::string who, why;
};
/// Nobody has called this endpoint for long enough: please send it a small call of our own, under
/// Cause::probe, and report its outcome with `probe` set (F15).
struct ProbeDue {
  std::string endpoint;
};
using ProbeRunner = caf::typed_actor<caf::reacts_to<ProbeDue>>;
/// Who runs the probes; until someone does, none is wished for. The latest takes over.
struct AcceptProbes {
  ProbeRunner runner;
};
/// An endpoint's health as its owner sees it now.
struct HealthChanged {
  HealthPtr view;
};
using HealthSubscriber = caf::typed_actor<caf::reacts_to<HealthChanged>>;
/// Tell this actor of every change, beginning with the present.
struct SubscribeHealth {
  HealthSubscriber subscriber;
};
/// A breaker changed state.
struct BreakerMoved {
  policy::BreakerEvent event;
  WallTime cool_until;
};
/// What a breaker would want to know again after a restart: at every change, and now and then.
struct BreakerSaved {
  std::string endpoint;
  WallTime at;
  policy::BreakerMemory memory;
};
/// An attempt to be entered into the books.
struct AttemptBooked {
  journal::UsageRow row;
};
/// Sums since the node started, by cause, and the breakers' history.
struct LedgerTotals {
  std::uint64_t attempts = 0, failed = 0;
  std::int64_t tokens_in = 0, tokens_out = 0;
  double usd = 0;
  /// Attempts whose model had no price.
  std::uint64_t unpriced = 0;
};
struct GetTotals {
  std::function<void(LedgerTotals)> reply;
};

/// Another has taken this one's place, or nobody will: see through what there is, then leave.
struct Retire {};
/// Owns one provider endpoint: its limits, its connections and its attempts in flight.
using EndpointActor =
    caf::typed_actor<caf::reacts_to<RunAttempt>, caf::reacts_to<CancelAttempt>, caf::reacts_to<LimitsHeard>,
                     caf::reacts_to<AttemptEnded>, caf::reacts_to<Retire>, caf::reacts_to<Tick>>;
/// Hears how an endpoint's attempts end and owns its state machine.
using BreakerActor = caf::typed_actor<caf::reacts_to<OutcomeObserved>, caf::reacts_to<SilenceObserved>,
                                      caf::reacts_to<LoadObserved>, caf::reacts_to<FeedbackObserved>,
                                      caf::reacts_to<ForceBreaker>, caf::reacts_to<SubscribeHealth>,
                                      caf::reacts_to<AcceptProbes>, caf::reacts_to<Tick>>;

/// An endpoint as others know it. `handle` may be a stand-in for one on another node. One that is `leaving`
/// answers what it has begun and gets nothing new; its successor may stand beside it.
struct RosterEntry {
  std::shared_ptr<const policy::EndpointFacts> facts;
  EndpointActor handle;
  std::string home;
  bool leaving = false;
};
using Roster = std::vector<RosterEntry>;
using RosterPtr = std::shared_ptr<const Roster>;
/// The endpoints there are; replaces what was known before.
struct RosterChanged {
  RosterPtr roster;
};
using RosterSubscriber = caf::typed_actor<caf::reacts_to<RosterChanged>>;
/// Which endpoints would be tried for this request, and why. Nothing is sent.
struct ExplainRoute {
  RequestPtr request;
  std::function<void(std::string json)> reply;
};

/// Nobody waits for this call any more: it is answered with `cancelled`, its attempts are stopped and booked.
struct CancelCall {
  CallPtr call;
};

/// Admits a feature's calls, picks their route and follows each to its end.
using FeatureQueueActor =
    caf::typed_actor<caf::reacts_to<CallPtr>, caf::reacts_to<CancelCall>, caf::reacts_to<AttemptEnded>,
                     caf::reacts_to<FirstToken>, caf::reacts_to<HealthChanged>, caf::reacts_to<RosterChanged>,
                     caf::reacts_to<ExplainRoute>, caf::reacts_to<Retire>, caf::reacts_to<Tick>>;

/// Keeps the books: attempts outside runs, breaker history, live totals.
using LedgerActor = caf::typed_actor<caf::reacts_to<AttemptBooked>, caf::reacts_to<BreakerMoved>,
                                     caf::reacts_to<BreakerSaved>, caf::reacts_to<GetTotals>>;

/// Go on with this, on the run's own turn.
struct Continue {
  std::shared_ptr<std::function<void()>> work;
};
/// Someone answers a workflow's question.
struct SignalRun {
  std::string name;
  std::string json;
  /// Not 0: a signal of this id counts once (O3).
  std::uint64_t id = 0;
  /// Not 0: its number in the journal's inbox, where it waits until it is recorded; it may be found there and
  /// come again meanwhile.
  std::uint64_t number = 0;
};
/// Stop: recorded steps stay, no new one begins. `interrupt`: the node is going down, the run stays
/// resumable.
struct CancelRun {
  bool interrupt = false;
};
/// Drives one workflow coroutine, journals each step, resumes after a crash.
using RunActor = caf::typed_actor<caf::reacts_to<Continue>, caf::reacts_to<SignalRun>,
                                  caf::reacts_to<CancelRun>, caf::reacts_to<Tick>>;

/// Begins runs by the clock.
using SchedulerActor = caf::typed_actor<caf::reacts_to<Tick>>;

/// The connection to a node came up or went down.
struct LinkChanged {
  std::string peer;
  bool up = false;
  std::uint64_t incarnation = 0;
  std::string reason;
};
/// A message arrived from a node.
struct FromPeer {
  std::shared_ptr<const transport::Inbound> message;
};
/// Run this attempt at an endpoint that lives on the peer's node.
struct RunRemote {
  std::string endpoint;
  RunAttempt attempt;
};
/// Stop an attempt that runs there.
struct CancelRemote {
  CancelAttempt cancel;
};
/// Stands for a remote node: sends attempts there, answers for it, and says when it cannot be heard.
using PeerActor = caf::typed_actor<caf::reacts_to<LinkChanged>, caf::reacts_to<FromPeer>,
                                   caf::reacts_to<RunRemote>, caf::reacts_to<CancelRemote>,
                                   caf::reacts_to<AttemptEnded>, caf::reacts_to<HealthChanged>>;

/// All endpoints' health, local and remote.
struct GetBoard {
  std::function<void(std::vector<HealthPtr>)> reply;
};
struct CastChange;
/// The configuration has changed (supervisor.hpp): what is not in it stays who it is.
struct ChangeCast {
  std::shared_ptr<const CastChange> change;
};
/// Spawns the cast, restarts what fails with growing pauses, gives up loudly.
using SupervisorActor = caf::typed_actor<caf::reacts_to<HealthChanged>, caf::reacts_to<GetBoard>,
                                         caf::reacts_to<ChangeCast>, caf::reacts_to<Tick>>;

}  // namespace troupe::actors

// In-process messages: CAF never serialises ours, the wire format is runtime/protocol's alone.
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::Tick)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::RunAttempt)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::AttemptEnded)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::FirstToken)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::LimitsHeard)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::CancelAttempt)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::OutcomeObserved)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::SilenceObserved)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::LoadObserved)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::ForceBreaker)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::HealthChanged)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::SubscribeHealth)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::BreakerMoved)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::BreakerSaved)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::FeedbackObserved)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::ProbeDue)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::AcceptProbes)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::AttemptBooked)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::GetTotals)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::RosterChanged)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::ExplainRoute)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::Retire)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::ChangeCast)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::CallPtr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::CancelCall)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::Continue)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::SignalRun)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::CancelRun)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::LinkChanged)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::FromPeer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::RunRemote)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::CancelRemote)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::GetBoard)
