// Runs over a journal in memory and a feature queue that answers by script.
#pragma once

#include "actors/run.hpp"
#include "tests/support/actor_test.hpp"
#include "tests/support/memory_journal.hpp"

namespace troupe::actors::testing {

class RunTest : public ActorTest {
 protected:
  RunTest() {
    auto queues = std::make_shared<QueueMap>();
    (*queues)["recap"] = scripted_queue();
    queues_->store(std::move(queues));
  }

  FeatureQueueActor scripted_queue() {
    return keep(FeatureQueueActor(
        system_.spawn([this](FeatureQueueActor::pointer) -> FeatureQueueActor::behavior_type {
          return {
              [this](const CallPtr& call) { on_call(call); },
              [this](const CancelCall& order) { on_cancel_call(order.call); },
              [](const AttemptEnded&) {},
              [](const FirstToken&) {},
              [](const HealthChanged&) {},
              [](const RosterChanged&) {},
              [](const ExplainRoute&) {},
              [](Retire) {},
              [](Tick) {},
          };
        })));
  }
  void on_call(const CallPtr& call) {
    ++calls_[call->step_key];
    journal_.story.push_back("call " + call->step_key);
    if (hold_) return held_.push_back(call);
    answer(call);
  }
  void on_cancel_call(const CallPtr& call) {
    journal_.story.push_back("cancel " + call->step_key);
    call->answer({fail(Errc::cancelled, "the caller gave up"), {}});
  }
  void answer(const CallPtr& call) {
    CallResult result{text_answer("answer to " + call->step_key), {}};
    if (auto bad = errors_.find(call->step_key); bad != errors_.end())
      result.completion = fail(bad->second, "by script");
    AttemptRecord record;
    record.endpoint = "a";
    record.usage = {10, 5};
    record.usd = 0.25;
    result.attempts.push_back(record);
    call->answer(std::move(result));
  }

  RunActor begin(WorkflowFunction function, const std::string& run_id = "run-1", bool fresh = false) {
    RunConfig config;
    config.fresh = fresh;
    config.spec = {"flow", {"{}"}, run_id, "default"};
    config.function = std::move(function);
    config.node = "n1";
    config.queues = queues_;
    config.on_done = [this](RunReport report) { reports_.push_back(std::move(report)); };
    auto actor = keep(spawn_run(system_, std::move(config), clock_, journal_));
    run();
    return actor;
  }
  /// Lets everything happen, each commit acknowledged in turn; at most `commits_max` of them.
  std::size_t settle(std::size_t commits_max = SIZE_MAX) {
    std::size_t commits = 0;
    for (run(); journal_.pending() > 0 && commits < commits_max; ++commits) {
      journal_.commit_next();
      run();
    }
    return commits;
  }
  const RunReport& report() const {
    static const RunReport none;
    return reports_.empty() ? none : reports_.back();
  }
  int calls() const {
    int sum = 0;
    for (const auto& [key, count] : calls_) sum += count;
    return sum;
  }

  std::shared_ptr<Published<QueueMap>> queues_ = std::make_shared<Published<QueueMap>>();
  journal::testing::MemoryJournal journal_;
  std::vector<RunReport> reports_;
  std::map<std::string, int> calls_;
  std::map<std::string, Errc> errors_;
  std::vector<CallPtr> held_;
  bool hold_ = false;
};

/// Asks once and gives the answer's text.
inline Task<Result<std::string>> ask_model(Workflow& wf, std::string id) {
  StepKey key{"ask", id};
  auto request = question("what of " + id);
  auto answer = co_await wf.complete(std::move(key), std::move(request));
  if (!answer) co_return std::unexpected(answer.error());
  co_return answer->completion.text();
}

}  // namespace troupe::actors::testing
