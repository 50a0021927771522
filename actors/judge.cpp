#include "actors/judge.hpp"

#include "actors/judge_prompt.hpp"
#include "actors/shell.hpp"
#include "runtime/base/log.hpp"
#include "runtime/base/rng.hpp"

#include <fmt/format.h>

namespace troupe::actors {
namespace {

struct JudgeShell {
  static constexpr const char* name = "judge";
  explicit JudgeShell(JudgeActor::pointer self) : self_(self) {}

  JudgeActor::behavior_type start(JudgeActorConfig config, JudgeActorStage stage) {
    config_ = std::move(config);
    stage_ = std::move(stage);
    meter_.emplace(config_.policy);
    salt_ = stable_hash(std::to_string(stage_.clock->wall().ms), config_.seed);
    return {
        [this](const JudgePair& pair) { on_pair(pair); },
        [this](const JudgeAnswered& fact) { on_answered(fact); },
    };
  }

 private:
  /// One order of a pair.
  struct Order {
    CompletionRequest request;
    int repairs = 0;
    bool over = false;
    std::optional<policy::PairVerdict> verdict;
  };
  struct Open {
    JudgePair pair;
    std::string token;
    Order old_first, fresh_first;
    double usd = 0;
  };

  // ---- taking pairs ----

  void on_pair(const JudgePair& pair) {
    auto old_text = judged_answer(*pair.old_answer), fresh_text = judged_answer(*pair.fresh_answer);
    if (!old_text || !fresh_text) return leave(pair, tally_.unfit);
    if (*old_text == *fresh_text) {
      tally_.add_same();
      return tell(pair, 0);
    }
    switch (meter_->admit(stage_.clock->wall())) {
      case policy::JudgeAdmission::judge: return begin(pair, *old_text, *fresh_text);
      case policy::JudgeAdmission::over_budget: return leave(pair, tally_.over_budget);
      case policy::JudgeAdmission::too_many: return leave(pair, tally_.too_many);
    }
  }

  void leave(const JudgePair& pair, std::uint64_t& reason) {
    ++reason;
    tell(pair, std::nullopt);
  }

  void tell(const JudgePair& pair, std::optional<int> preference) {
    self_->send(pair.reply_to, PairJudged{pair.number, preference});
    if (!stage_.tally) return;
    tally_.spent_until = meter_->spent_until(stage_.clock->wall());
    stage_.tally->store(std::make_shared<const policy::JudgeTally>(tally_));
  }

  void begin(const JudgePair& pair, const std::string& old_text, const std::string& fresh_text) {
    auto id = ++last_id_;
    auto& open = open_[id];
    open.pair = pair;
    // Of the answers themselves, and of what they could not know.
    open.token = fmt::format("{:016x}", stable_hash(old_text, stable_hash(fresh_text, salt_ + id)));
    auto question = judged_question(*pair.request);
    open.old_first.request = request_for({question, old_text, fresh_text, open.token});
    open.fresh_first.request = request_for({question, fresh_text, old_text, open.token});
    ask(id, open, true);
    ask(id, open, false);
  }

  CompletionRequest request_for(const PairShown& shown) const {
    auto request = verdict_request(shown, config_.rubric);
    request.feature = config_.feature;
    request.tenant = kJudgeTenant;
    request.deadline = config_.deadline;
    return request;
  }

  // ---- asking ----

  static Order& order_of(Open& open, bool old_first) { return old_first ? open.old_first : open.fresh_first; }

  // Whatever becomes of the call, it is answered once.
  void ask(std::uint64_t id, Open& open, bool old_first) {
    const auto& order = order_of(open, old_first);
    auto call = std::make_shared<Call>();
    call->request = std::make_shared<const CompletionRequest>(order.request);
    call->step_key = fmt::format("pair {} {}{}", open.pair.number, old_first ? "old first" : "new first",
                                 order.repairs > 0 ? " again" : "");
    call->boundary = open.pair.boundary;
    call->cause = Cause::judge;
    call->done = [me = JudgeActor(self_), id, old_first](CallResult result) {
      caf::anon_send(me, JudgeAnswered{id, old_first, std::make_shared<const CallResult>(std::move(result))});
    };
    auto queues = stage_.queues->load();
    auto queue = queues->find(config_.feature);
    if (queue != queues->end()) self_->send(queue->second, CallPtr(std::move(call)));
  }

  void on_answered(const JudgeAnswered& fact) {
    auto it = open_.find(fact.pair);
    if (it == open_.end()) return;
    auto& open = it->second;
    auto& order = order_of(open, fact.old_first);
    count(open, *fact.result);
    auto verdict = verdict_of(open, *fact.result);
    if (!verdict && fact.result->completion && order.repairs < config_.repairs_max) {
      ++order.repairs;
      order.request = verdict_again(std::move(order.request), *fact.result->completion, verdict.error().what);
      return ask(fact.pair, open, fact.old_first);
    }
    if (!verdict)
      log::debug("judge", fmt::format("{}: no verdict: {}", config_.feature, verdict.error().what));
    order.over = true;
    if (verdict) order.verdict = *verdict;
    if (open.old_first.over && open.fresh_first.over) finish(open_.extract(it).mapped());
  }

  static Result<policy::PairVerdict> verdict_of(const Open& open, const CallResult& result) {
    if (!result.completion) return std::unexpected(result.completion.error());
    return read_verdict(*result.completion, open.token);
  }

  void count(Open& open, const CallResult& result) {
    for (const auto& attempt : result.attempts) {
      open.usd += attempt.usd;
      tally_.usd += attempt.usd;
      ++tally_.calls[attempt.model];
    }
  }

  // A judge that fails says nothing of the models.
  void finish(const Open& open) {
    meter_->ended(open.usd, stage_.clock->wall());
    if (!open.old_first.verdict || !open.fresh_first.verdict) return leave(open.pair, tally_.failed);
    auto preference = tally_.add({*open.old_first.verdict, *open.fresh_first.verdict});
    tell(open.pair, preference);
  }

  JudgeActor::pointer self_;
  JudgeActorConfig config_;
  JudgeActorStage stage_;
  std::optional<policy::JudgeMeter> meter_;
  policy::JudgeTally tally_;
  std::map<std::uint64_t, Open> open_;
  std::uint64_t last_id_ = 0, salt_ = 0;
};

}  // namespace

JudgeActor spawn_judge(caf::actor_system& system, JudgeActorConfig config, JudgeActorStage stage) {
  return spawn_shell<JudgeActor, JudgeShell>(system, nullptr, std::move(config), std::move(stage));
}

}  // namespace troupe::actors
