#include "actors/scheduler.hpp"

#include "actors/shell.hpp"
#include "runtime/base/crash_point.hpp"
#include "runtime/base/log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>

namespace troupe::actors {
namespace {

/// Questions to the journal in one look; the others follow with the next.
constexpr std::size_t kAskedAtOnce = 512;
constexpr Duration kPauseMin = std::chrono::seconds(1);
constexpr Duration kPauseMax = std::chrono::minutes(1);

/// A schedule of one tenant, and how far it came.
struct SlotLine {
  Scheduled what;
  bool learned = false;
  /// The newest slot that was judged, and when there is another.
  WallTime judged, next;
  /// To be run, oldest first; the first may have been submitted already.
  std::deque<WallTime> due;
  bool submitted = false;
  Instant again_at;
  Duration pause = kPauseMin;
};

struct SchedulerState {
  static constexpr const char* name = "scheduler";
  explicit SchedulerState(SchedulerActor::pointer) {}

  SchedulerActor::behavior_type start(std::vector<Scheduled> schedules, SchedulerParts parts) {
    parts_ = std::move(parts);
    for (auto& each : schedules) lines_.push_back({std::move(each)});
    return {[this](Tick) { on_tick(); }};
  }

 private:
  // In turns where there are very many.
  void on_tick() {
    asked_ = 0;
    auto wall = parts_.clock->wall();
    for (std::size_t left = lines_.size(); left > 0 && asked_ < kAskedAtOnce; --left) {
      look_at(lines_[at_], wall);
      at_ = (at_ + 1) % lines_.size();
    }
  }

  void look_at(SlotLine& line, WallTime wall) {
    if (is_paused(line) || parts_.clock->now() < line.again_at) return;
    if (!line.learned && !learn(line, wall)) return;
    if (line.due.empty() && wall >= line.next) judge(line, wall);
    while (!line.due.empty() && is_recorded(line)) {
      line.due.pop_front();
      line.submitted = false;
      line.pause = kPauseMin;
    }
  }

  // What was due already is judged anew with what passes in the pause, unless it was submitted.
  bool is_paused(SlotLine& line) {
    bool paused = line.what.paused || (parts_.paused && parts_.paused(line.what.schedule));
    if (!paused || line.due.empty() || line.submitted) return paused;
    line.due.clear();
    line.learned = false;
    return paused;
  }

  bool learn(SlotLine& line, WallTime wall) {
    auto& what = line.what;
    auto until =
        WallTime{wall.ms - std::chrono::duration_cast<std::chrono::milliseconds>(what.delay).count()};
    auto count = what.rule.catch_up == policy::CatchUp::all ? what.rule.catch_up_max : 1;
    auto slots = newest_slots(what.rule, until, count);
    line.judged = slots.empty() ? until : WallTime{slots.back().ms - 1};
    for (auto slot : slots) {
      auto known = has_run(line, slot);
      if (!known) return false;
      if (!*known) continue;
      line.judged = slot;
      break;
    }
    return line.learned = true;
  }

  void judge(SlotLine& line, WallTime wall) {
    auto due = policy::due_slots(line.what.rule, line.judged, wall, line.what.delay);
    line.judged = due.judged;
    line.next = due.next.value_or(WallTime{INT64_MAX});
    line.due.assign(due.run.begin(), due.run.end());
    if (due.left_out > 0)
      log::warn("scheduler", fmt::format("{} of {}: {} missed slots are left out", line.what.schedule,
                                         line.what.tenant, due.left_out));
  }

  /// Whether the run of the first slot that is due is in the journal; submits it when it is nowhere.
  bool is_recorded(SlotLine& line) {
    auto slot = line.due.front();
    auto known = has_run(line, slot);
    if (!known || *known) return known.has_value();
    auto spec = run_of(line.what, slot);
    if (parts_.going(spec.run_id)) return false;
    if (std::exchange(line.submitted, false)) {
      try_later(line, fmt::format("run {} did not begin", spec.run_id));
      return false;
    }
    submit(line, std::move(spec));
    return false;
  }

  void submit(SlotLine& line, RunSpec spec) {
    crash_point("schedule.before_submit");
    auto run_id = spec.run_id;
    auto begun = parts_.submit(std::move(spec));
    crash_point("schedule.after_submit");
    line.submitted = begun.has_value();
    if (!begun) return try_later(line, fmt::format("run {}: {}", run_id, begun.error().what));
    log::info("scheduler", fmt::format("run {} is due", run_id));
  }

  /// Nothing when the journal cannot be asked; then it is asked again later.
  std::optional<bool> has_run(SlotLine& line, WallTime slot) {
    ++asked_;
    auto row = parts_.journal->run(policy::slot_run_id(line.what.schedule, line.what.tenant, slot));
    if (row) return row->has_value();
    try_later(line, row.error().what);
    return std::nullopt;
  }

  void try_later(SlotLine& line, const std::string& why) {
    log::warn("scheduler", fmt::format("{}; again in {}", why, to_human(line.pause)));
    line.again_at = parts_.clock->now() + line.pause;
    line.pause = std::min<Duration>(line.pause * 2, kPauseMax);
  }

  SchedulerParts parts_;
  std::vector<SlotLine> lines_;
  std::size_t at_ = 0;     // whose turn it is
  std::size_t asked_ = 0;  // in this look
};

}  // namespace

SchedulerActor spawn_scheduler(caf::actor_system& system, std::vector<Scheduled> schedules,
                               SchedulerParts parts) {
  return spawn_shell<SchedulerActor, SchedulerState>(system, nullptr, std::move(schedules), std::move(parts));
}

}  // namespace troupe::actors
