// A node's schedules over a journal in memory, and the processes it lives in.
#pragma once

#include "actors/scheduler.hpp"
#include "tests/actors/host_world.hpp"

#include <algorithm>

namespace troupe::actors::testing {

inline constexpr std::int64_t kHour = 3'600'000;
/// The clock of the tests begins at 2023-11-14T22:13:20Z.
inline constexpr const char* kNewestHour = "hourly/default@2023-11-14T22:00Z";

class SchedulerTest : public HostTest {
 protected:
  ~SchedulerTest() override { stop(); }
  void TearDown() override {
    stop();
    HostTest::TearDown();
  }

  Scheduled scheduled(const std::string& name, const std::string& cron, policy::CatchUp catch_up) {
    Scheduled what;
    what.schedule = name;
    what.tenant = "default";
    what.workflow = "flow";
    what.rule.cron = *policy::parse_cron(cron);
    what.rule.catch_up = catch_up;
    what.input = R"({"day":"{{date}}","for":"{{tenant}}"})";
    return what;
  }
  Scheduled hourly(policy::CatchUp catch_up) { return scheduled("hourly", "@hourly", catch_up); }

  /// The node of these schedules, in the present process.
  void begin(std::vector<Scheduled> schedules) {
    stop();
    schedules_ = schedules;
    SchedulerParts parts;
    parts.clock = &clock_;
    parts.journal = &journal_;
    parts.submit = [this](RunSpec spec) -> Result<std::string> {
      ++submitted_;
      if (lost_ > 0 && lost_-- > 0) return spec.run_id;  // accepted, and never heard of again
      if (refuses_) return fail(Errc::storage, "the store is away");
      inputs_[spec.run_id] = spec.input.text;
      return host_->submit(std::move(spec), {});
    };
    parts.going = [this](const std::string& run_id) { return host_->progress(run_id).has_value(); };
    parts.paused = [this](const std::string& schedule) { return paused_.contains(schedule); };
    scheduler_ = spawn_scheduler(system_, std::move(schedules), std::move(parts));
    look();
  }
  void stop() {
    if (!scheduler_) return;
    caf::anon_send_exit(scheduler_, caf::exit_reason::user_shutdown);
    run();
    scheduler_ = nullptr;
  }
  void look() {
    caf::anon_send(scheduler_, Tick{});
    run();
    settle();
  }
  /// Seconds pass, and the scheduler looks each time.
  void pass(Duration span, Duration step = 1s) {
    for (; span > Duration::zero(); span -= step) {
      clock_.pass(std::min(step, span));
      look();
    }
  }
  /// kill -9 and a new process; `away` passes in between.
  void restart(Duration away = {}) {
    stop();
    new_process();
    clock_.pass(away);
    (void)host_->resume();
    begin(schedules_);
  }
  void add_flow() {
    add("flow", [](Workflow& wf, JsonText) -> Task<Result<JsonText>> {
      auto text = co_await ask_model(wf, "1");
      if (!text) co_return std::unexpected(text.error());
      co_return JsonText{"{}"};
    });
  }
  std::vector<std::string> runs() {
    std::vector<std::string> out;
    auto rows = journal_.runs(1000, {});
    for (const auto& row : *rows) out.push_back(row.run_id);
    std::ranges::sort(out);
    return out;
  }
  std::size_t starts() const { return told("start").size(); }

  std::vector<Scheduled> schedules_;
  SchedulerActor scheduler_;
  std::map<std::string, std::string> inputs_;
  std::set<std::string> paused_;
  int submitted_ = 0, lost_ = 0;
  bool refuses_ = false;
};

}  // namespace troupe::actors::testing
