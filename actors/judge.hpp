// The Judge actor: one beside each shadow that has a judge. Has pairs of answers compared by a feature of its
// own and says which model's was better; nobody waits for it (L7, B6).
#pragma once

#include "actors/interfaces.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/base/published.hpp"
#include "runtime/policy/judge.hpp"

#include <map>
#include <string>

namespace troupe::actors {

/// Whose calls they are in the books: no customer's.
inline constexpr const char* kJudgeTenant = "judge";

using AnswerPtr = std::shared_ptr<const Completion>;

/// How a pair compares: +1 when the new model's answer is better, 0 for a tie, -1 when it is worse; nothing
/// when it was not judged.
struct PairJudged {
  std::uint64_t number = 0;
  std::optional<int> preference;
};
using JudgeClient = caf::typed_actor<caf::reacts_to<PairJudged>>;
/// Two whole answers to one request. `reply_to` hears PairJudged exactly once.
struct JudgePair {
  std::uint64_t number = 0;
  RequestPtr request;
  /// Where what was asked and answered must stay.
  std::string boundary;
  AnswerPtr old_answer, fresh_answer;
  JudgeClient reply_to;
};
/// What the judge's feature answered to one order of a pair. Its own message to itself.
struct JudgeAnswered {
  std::uint64_t pair = 0;
  bool old_first = false;
  std::shared_ptr<const CallResult> result;
};

using JudgeActor = caf::typed_actor<caf::reacts_to<JudgePair>, caf::reacts_to<JudgeAnswered>>;

struct JudgeActorConfig {
  /// The judge's, not the judged one's.
  std::string feature;
  policy::JudgePolicy policy;
  std::string rubric;
  /// Of each of its calls.
  Duration deadline = std::chrono::minutes(2);
  /// How often an answer that is no verdict is asked for again.
  int repairs_max = 1;
  std::uint64_t seed = 1;
};
struct JudgeActorStage {
  Clock* clock = nullptr;
  /// The node's queues by feature, loaded for each call.
  std::shared_ptr<const Published<std::map<std::string, FeatureQueueActor>>> queues;
  /// May be null.
  std::shared_ptr<Published<policy::JudgeTally>> tally;
};

/// Each pair is asked about twice, the answers changing places, under Cause::judge and the judge's own
/// tenant. Runs on CAF's scheduler: prompts are long, and the loop is the customers'.
JudgeActor spawn_judge(caf::actor_system& system, JudgeActorConfig config, JudgeActorStage stage);

}  // namespace troupe::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::PairJudged)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::JudgePair)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::JudgeAnswered)
