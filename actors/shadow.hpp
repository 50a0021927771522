// The Shadow actor: one per feature that has a shadow. Sends copies of calls to a candidate and compares what
// comes back; nobody waits for it and nothing it does reaches a caller (B5, B6).
#pragma once

#include "actors/interfaces.hpp"
#include "actors/judge.hpp"
#include "actors/unit.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/base/published.hpp"
#include "runtime/policy/controls.hpp"
#include "runtime/policy/parity.hpp"
#include "runtime/policy/rollout_evidence.hpp"
#include "runtime/policy/shadow.hpp"

#include <compare>
#include <map>
#include <string>

namespace troupe::actors {

/// Which call: queues number theirs, and a feature's queue may be replaced by one that begins anew.
struct ShadowedCall {
  std::uint64_t queue = 0, number = 0;
  friend auto operator<=>(const ShadowedCall&, const ShadowedCall&) = default;
};
/// A call whose primary has been sent. Told and forgotten.
struct ShadowOffered {
  ShadowedCall call;
  RequestPtr request;
  std::string data_class, boundary, primary_endpoint;
  std::uint64_t input_tokens = 0, output_tokens = 0;  ///< expected
  Instant deadline;
};
/// How that call's primary ended. `answer`: as its caller saw it; null when it failed.
struct PrimaryEnded {
  ShadowedCall call;
  policy::ParitySide side;
  std::string model;
  AnswerPtr answer;
};

using ShadowActor =
    caf::typed_actor<caf::reacts_to<ShadowOffered>, caf::reacts_to<PrimaryEnded>,
                     caf::reacts_to<AttemptEnded>, caf::reacts_to<PairJudged>, caf::reacts_to<HealthChanged>,
                     caf::reacts_to<RosterChanged>, caf::reacts_to<Retire>, caf::reacts_to<Tick>>;

using ShadowMap = std::map<std::string, ShadowActor>;

/// Null: the feature has none, or `shadows` is null.
ShadowActor shadow_of(const std::shared_ptr<const Published<ShadowMap>>& shadows, const std::string& feature);

struct ShadowActorConfig {
  std::string feature;
  /// The candidate.
  std::string model;
  policy::ShadowPolicy policy;
  policy::ParityPolicy parity;
  /// Who compares the answers; none: nobody.
  std::optional<JudgeActorConfig> judge;
  std::uint64_t seed = 1;
  /// Calls one half of which is known, and pairs the report is of; the oldest go first.
  std::size_t waiting_max = 1024, pairs_max = 20'000;
  /// The report is made anew this often.
  Duration report_interval = std::chrono::minutes(1);
};
struct ShadowActorStage {
  Clock* clock = nullptr;
  LedgerActor ledger;
  std::shared_ptr<const Published<policy::Controls>> controls;
  std::shared_ptr<Published<policy::ParityReport>> report;
  /// What the pairs so far show, for the gates of a rollout that begins by itself; may be null.
  std::shared_ptr<Published<policy::TwoSides>> shown = {};
  /// What its judge has done, and where the judge finds its queue; may be null without one.
  std::shared_ptr<Published<policy::JudgeTally>> judged = {};
  std::shared_ptr<const Published<std::map<std::string, FeatureQueueActor>>> queues = {};
  /// Null: spawn_shadow makes it.
  JudgeActor judge = {};
};

/// One half of a comparison; no `error`: the attempt ended well.
policy::ParitySide parity_side(const AttemptRecord& record, const std::optional<Error>& error);

/// What a queue tells of a call whose last attempt this was.
PrimaryEnded primary_ended(const ShadowedCall& call, const AttemptRecord& last,
                           const std::optional<Error>& error, AnswerPtr answer);

/// A copy goes to a healthy endpoint of the candidate that is not the primary's, may see the data, is not
/// stopped, and has room for four such calls: a quota that is short is never drawn on. Each copy is a row of
/// the ledger with cause `shadow`. A judge dies with its shadow, and the other way round.
ShadowActor spawn_shadow(caf::actor_system& system, Unit* unit, ShadowActorConfig config,
                         ShadowActorStage stage);

}  // namespace troupe::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::ShadowOffered)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::PrimaryEnded)
