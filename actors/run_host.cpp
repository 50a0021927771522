#include "actors/run_host.hpp"

#include "runtime/base/log.hpp"
#include "runtime/base/rng.hpp"
#include "runtime/journal/membership.hpp"
#include "runtime/json/json.hpp"

#include <fmt/format.h>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <atomic>

namespace troupe::actors {
namespace {

constexpr std::size_t kTickedAtOnce = 2000;

// In the order of time, so that the runs of now lie side by side in the stores' index of ids: with random ids
// a commit of 50 new runs wrote a page of that index for nearly each, at four times the CPU. The counter
// tells the runs of a millisecond apart, the last part one life of a node from another.
std::string new_run_id(Clock& clock, const std::string& node) {
  static std::atomic<std::uint32_t> counter{0};
  static const auto born = static_cast<std::uint64_t>(clock.now().time_since_epoch().count());
  constexpr std::int64_t day_ms = 86'400'000;
  auto wall = clock.wall();
  auto life = static_cast<std::uint32_t>(stable_hash(node, born) >> 32);
  return fmt::format("{}-{:07x}{:04x}-{:08x}", to_date(wall), wall.ms % day_ms, counter++ & 0xffff, life);
}

}  // namespace

void RunHost::add(WorkflowType type, Durability durability) {
  std::lock_guard lock(mutex_);
  auto name = type.name;
  own_durability_[name] = durability;
  types_.insert_or_assign(std::move(name), std::move(type));
  left_alone_.clear();
  all_taken_up_ = false;
}

std::set<std::string> RunHost::workflows() const {
  std::lock_guard lock(mutex_);
  std::set<std::string> names;
  for (const auto& [name, type] : types_) names.insert(name);
  return names;
}

// ---- beginning ----

Result<std::string> RunHost::submit(RunSpec spec, Watch watch) {
  if (!is_utf8(spec.run_id) || std::ranges::any_of(spec.run_id, [](char c) { return c >= 0 && c < ' '; }))
    return fail(Errc::invalid_input, "a run's id is UTF-8 text without control characters");
  bool fresh = spec.run_id.empty();
  if (fresh) spec.run_id = new_run_id(*parts_.clock, parts_.node);
  std::lock_guard lock(mutex_);
  auto run_id = spec.run_id;
  if (going_.contains(run_id)) return fail(Errc::refused, "run " + run_id + " is going already");
  std::vector<Watch> watches;
  watches.push_back(std::move(watch));
  auto begun = begin(std::move(spec), std::move(watches), fresh);
  if (!begun) return std::unexpected(begun.error());
  return run_id;
}

// A child may be going already: after a crash both it and its parent are taken up, in whichever order.
Result<void> RunHost::start(RunSpec spec, std::function<void(RunReport)> ended) {
  Watch watch;
  watch.on_done = std::move(ended);
  std::lock_guard lock(mutex_);
  if (auto it = going_.find(spec.run_id); it != going_.end()) {
    it->second.watches.push_back(std::move(watch));
    return {};
  }
  std::vector<Watch> watches;
  watches.push_back(std::move(watch));
  return begin(std::move(spec), std::move(watches));
}

Result<void> RunHost::begin(RunSpec spec, std::vector<Watch> watches, bool fresh) {
  if (stopping_) return fail(Errc::refused, "the node is stopping");
  auto type = types_.find(spec.workflow);
  if (type == types_.end()) return fail(Errc::not_found, "no workflow is named " + spec.workflow);
  auto durability = durability_of(spec);
  if (!durability) return std::unexpected(durability.error());
  spec.durability = *durability;
  auto run_id = spec.run_id, parent = spec.parent;
  if (auto parked = parked_.extract(run_id); !parked.empty())
    for (auto& watch : parked.mapped().watches) watches.push_back(std::move(watch));
  auto run = config_of(std::move(spec), type->second, watches);
  run.fresh = fresh;
  auto& going = going_[run_id];
  going.watches = std::move(watches);
  going.parent = std::move(parent);
  going.actor = spawn_run(*parts_.system, std::move(run), *parts_.clock, *parts_.journal);
  return {};
}

// Who asks for more than the store gives is told; whoever only has a habit takes what there is.
Result<Durability> RunHost::durability_of(const RunSpec& spec) const {
  if (spec.durability == Durability::power && spec.parent.empty() && !parts_.power_safe)
    return fail(Errc::invalid_input,
                "durability power cannot be had: this node's store has power_safe: false, so no commit waits "
                "for the disk");
  if (!parts_.power_safe) return Durability::crash;
  if (spec.durability != Durability::unsaid) return spec.durability;
  for (const auto* said : {&own_durability_, &parts_.durability})
    if (auto it = said->find(spec.workflow); it != said->end() && it->second != Durability::unsaid)
      return it->second;
  return Durability::power;
}

RunConfig RunHost::config_of(RunSpec spec, const WorkflowType& type, const std::vector<Watch>& watches) {
  RunConfig run;
  run.function = type.function;
  run.version = type.version;
  run.migrates = type.migrates;
  run.migrate = type.migrate;
  run.node = parts_.node;
  run.queues = parts_.queues;
  run.list_price = parts_.list_price;
  run.children = this;
  if (auto* seat = parts_.journal->membership()) run.holds_seat = [seat] { return seat->held(); };
  run.park_after = parts_.park_after;
  run.on_progress = [this, id = spec.run_id](const RunProgress& progress) { on_progress(id, progress); };
  run.on_parked = [this, id = spec.run_id, workflow = spec.workflow](WallTime) { on_parked(id, workflow); };
  run.on_done = [this, id = spec.run_id](RunReport report) { on_done(id, std::move(report)); };
  for (const auto& watch : watches)
    if (watch.on_text) run.on_text = watch.on_text;
  run.spec = std::move(spec);
  return run;
}

// ---- parking ----

void RunHost::on_parked(const std::string& run_id, const std::string& workflow) {
  std::lock_guard lock(mutex_);
  auto node = going_.extract(run_id);
  if (node.empty()) return;
  // Runs that nobody watches are found in the journal again; so a parked one costs this node nothing.
  auto& watches = node.mapped().watches;
  std::erase_if(watches,
                [](const Watch& watch) { return !watch.on_done && !watch.on_progress && !watch.on_text; });
  if (!watches.empty()) parked_[run_id] = {workflow, std::move(watches)};
  if (going_.empty()) idle_.notify_all();
}

// ---- those going ----

bool RunHost::signal(const std::string& run_id, const std::string& name, const std::string& json,
                     std::uint64_t id) {
  {
    std::lock_guard lock(mutex_);
    auto it = going_.find(run_id);
    if (it != going_.end()) return caf::anon_send(it->second.actor, SignalRun{name, json, id}), true;
  }
  if (!parts_.journal->post({run_id, name, id, json, parts_.clock->wall()})) return false;
  // If it is parked here.
  take_signals();
  return true;
}

bool RunHost::cancel(const std::string& run_id, bool interrupt) {
  {
    std::lock_guard lock(mutex_);
    auto it = going_.find(run_id);
    if (it != going_.end()) return caf::anon_send(it->second.actor, CancelRun{interrupt}), true;
  }
  if (interrupt) return false;
  // Whoever holds it finds the order: this node, when it is parked here, or another, or the next.
  auto order = parts_.journal->post(
      {run_id, journal::kCancelSignal, journal::kCancelSignalId, "null", parts_.clock->wall()});
  if (order) take_signals();
  return order.has_value();
}

std::optional<RunProgress> RunHost::progress(const std::string& run_id) const {
  std::lock_guard lock(mutex_);
  auto it = going_.find(run_id);
  if (it == going_.end()) return std::nullopt;
  return with_children(run_id, it->second.progress);
}

// A child's name is its parent's, a point and more (RunDriver::child_id).
RunProgress RunHost::with_children(const std::string& run_id, RunProgress progress) const {
  auto begin = run_id + ".";
  for (auto it = going_.lower_bound(begin); it != going_.end() && it->first.starts_with(begin); ++it) {
    // Somebody may have named a run of his own so.
    if (it->second.parent.empty()) continue;
    const auto& child = it->second.progress;
    ++progress.children;
    progress.calls += child.calls;
    progress.tokens += child.tokens;
    progress.usd += child.usd;
    progress.tool_calls += child.tool_calls;
  }
  return progress;
}

std::size_t RunHost::going() const {
  std::lock_guard lock(mutex_);
  return going_.size();
}

// In turns where there are very many: a hundred thousand that wait must not keep the node busy.
void RunHost::tick() {
  std::lock_guard lock(mutex_);
  auto it = going_.lower_bound(ticked_next_);
  for (std::size_t left = std::min(going_.size(), kTickedAtOnce); left > 0; --left) {
    if (it == going_.end()) it = going_.begin();
    caf::anon_send(it->second.actor, Tick{});
    ++it;
  }
  ticked_next_ = it == going_.end() ? std::string() : it->first;
}

void RunHost::on_progress(const std::string& run_id, const RunProgress& progress) {
  std::vector<std::function<void(const RunProgress&)>> hooks;
  RunProgress all;
  {
    std::lock_guard lock(mutex_);
    auto it = going_.find(run_id);
    if (it == going_.end()) return;
    it->second.progress = progress;
    for (const auto& watch : it->second.watches)
      if (watch.on_progress) hooks.push_back(watch.on_progress);
    if (!hooks.empty()) all = with_children(run_id, progress);
  }
  for (const auto& hook : hooks) hook(all);
}

void RunHost::on_done(const std::string& run_id, RunReport report) {
  std::vector<Watch> watches;
  {
    // First, so that who hears the report may ask for the same run again.
    std::lock_guard lock(mutex_);
    if (auto node = going_.extract(run_id); !node.empty()) watches = std::move(node.mapped().watches);
    if (report.end == RunEnd::interrupted && report.error) leave_alone(run_id, *report.error);
    // It gave way (the lease had run out for a moment): to be looked for again.
    if (report.end == RunEnd::interrupted && !report.error) all_taken_up_ = false;
    if (going_.empty()) idle_.notify_all();
  }
  for (const auto& line : report.drift) log::warn("runs", fmt::format("run {} drifted: {}", run_id, line));
  for (const auto& watch : watches)
    if (watch.on_done) watch.on_done(report);
}

// ---- ending ----

void RunHost::interrupt() {
  decltype(parked_) parked;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    for (const auto& [id, going] : going_) caf::anon_send(going.actor, CancelRun{true});
    parked.swap(parked_);
  }
  // They stay as they are, for whoever resumes them; only those who wait here need to hear.
  for (auto& [run_id, run] : parked) {
    RunReport report;
    report.run_id = run_id;
    report.workflow = run.workflow;
    report.end = RunEnd::interrupted;
    for (const auto& watch : run.watches)
      if (watch.on_done) watch.on_done(report);
  }
}

bool RunHost::quiet(Duration within) {
  std::unique_lock lock(mutex_);
  return idle_.wait_for(lock, within, [this] { return going_.empty(); });
}

void RunHost::kill() {
  std::lock_guard lock(mutex_);
  // Whoever hears of an end now must not begin another run.
  stopping_ = true;
  for (const auto& [id, going] : going_) caf::anon_send_exit(going.actor, caf::exit_reason::user_shutdown);
}

}  // namespace troupe::actors
