// A node's runs beside those that are submitted: what is taken up, woken, signalled, or begins by the clock.
#include "actors/node_impl.hpp"
#include "actors/workflow_files.hpp"
#include "runtime/base/log.hpp"
#include "runtime/journal/membership.hpp"

#include <fmt/format.h>
#include <caf/send.hpp>

#include <algorithm>
#include <future>

namespace troupe {
namespace {

// How often runs that are due, or that nobody drives, are looked for; and how soon again when there are more
// of them than were taken in one go.
constexpr auto kCare = std::chrono::seconds(1);
constexpr auto kMoreCare = std::chrono::milliseconds(10);
// How often runs that may be forgotten are looked for, when there were none.
constexpr auto kForget = std::chrono::minutes(1);
// A node that stops waits no longer for a store that does not answer.
constexpr auto kLeaving = std::chrono::seconds(5);

}  // namespace

Result<void> Node::Impl::load_workflows() {
  auto files = actors::load_workflow_files(values(), clock_);
  if (!files) return std::unexpected(files.error());
  for (auto& type : files->types) {
    auto durability = files->durability[type.name];
    runs_.add(std::move(type), durability);
  }
  desk_.schedules =
      std::make_shared<const std::vector<actors::Scheduled>>(actors::scheduled_of(values(), files->budgets));
  desk_.file_budgets = std::move(files->budgets);
  return {};
}

Result<std::size_t> Node::Impl::resume_runs() {
  if (auto begun = start_schedules(); !begun) return std::unexpected(begun.error());
  resumes_runs_ = true;
  return runs_.resume();
}

Result<std::string> Node::Impl::submit_scheduled(RunSpec spec) {
  Watch watch;
  watch.on_done = [](const RunReport& report) {
    if (report.end != RunEnd::failed) return;
    log::warn("scheduler", fmt::format("run {} failed: {}", report.run_id,
                                       report.error ? to_string(report.error->code) : "without a reason"));
  };
  return runs_.submit(std::move(spec), std::move(watch));
}

// Not before all workflows are known.
Result<void> Node::Impl::start_schedules() {
  if (auto sound = actors::check_schedules(values(), runs_.workflows()); !sound) return sound;
  std::lock_guard lock(mutex_);
  if (scheduler_ || stopping_ || desk_.schedules->empty()) return {};
  auto submit = [this](RunSpec spec) { return submit_scheduled(std::move(spec)); };
  auto going = [this](const std::string& run_id) { return runs_.progress(run_id).has_value(); };
  auto paused = [this, board = control_room_.board()](const std::string& schedule) {
    return board->load()->stopped(policy::Subject::schedule, schedule, clock_.wall()) != nullptr;
  };
  scheduler_ = actors::spawn_scheduler(
      *system_, *desk_.schedules,
      {&clock_, journal_.get(), std::move(submit), std::move(going), std::move(paused)});
  caf::anon_send(scheduler_, actors::Tick{});
  return {};
}

void Node::Impl::tick_schedules() {
  std::lock_guard lock(mutex_);
  if (scheduler_) caf::anon_send(scheduler_, actors::Tick{});
}

// On a thread of its own, because it waits for the journal.
void Node::Impl::look_after_runs() {
  journal_->membership()->watch([this](const std::string& topic) {
    if (topic != journal::kInboxTopic) return;
    std::lock_guard lock(caretaker_mutex_);
    signals_came_ = true;
    caretaker_hint_.notify_all();
  });
  caretaker_ = std::jthread([this](const std::stop_token& stop) {
    auto next_care = clock_.now() + kCare, next_forget = clock_.now();
    bool more_due = false, more_signals = false, more_left = false;
    while (pause(stop, more_due || more_signals || more_left ? clock_.now() + kMoreCare : next_care)) {
      more_signals = runs_.take_signals();
      if (more_due) more_due = runs_.wake_due(resumes_runs_, true);
      if (more_left) more_left = runs_.resume_more(true);
      if (clock_.now() < next_care) continue;
      next_care = clock_.now() + kCare;
      if (!keep_seat()) return;
      more_due = runs_.wake_due(resumes_runs_);
      tick_schedules();
      if (clock_.now() >= next_forget) next_forget = clock_.now() + (runs_.forget_old() ? kCare : kForget);
      if (resumes_runs_) more_left = runs_.resume_more(false);
    }
  });
}

// False when it is time to end.
bool Node::Impl::pause(const std::stop_token& stop, Instant until) {
  std::unique_lock lock(caretaker_mutex_);
  auto longest = std::max<Duration>(until - clock_.now(), Duration::zero());
  caretaker_hint_.wait_for(lock, stop, longest, [&] { return signals_came_; });
  signals_came_ = false;
  return !stop.stop_requested();
}

// A node that lost its seat writes nothing any more; whoever has its runs now goes on with them.
bool Node::Impl::keep_seat() {
  if (journal_->membership()->held()) return true;
  auto renewed = journal_->membership()->renew();
  if (renewed || renewed.error().code != Errc::refused) return true;
  log::error("node", "this node's runs belong to others now: " + renewed.error().what);
  interrupt();
  return false;
}

// Its runs may be taken over at once instead of when its lease has run out. What is queued is written first,
// since afterwards it would be refused.
void Node::Impl::leave_store() {
  if (!journal_) return;
  auto written = std::make_shared<std::promise<Result<void>>>();
  auto heard = written->get_future();
  journal_->append({}, [written](Result<void> done) { written->set_value(std::move(done)); });
  if (heard.wait_for(kLeaving) != std::future_status::ready || !heard.get()) return;
  if (auto left = journal_->membership()->leave(); !left) log::warn("node", left.error().what);
}

void Node::Impl::interrupt() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  runs_.interrupt();
}

}  // namespace troupe
