#include "actors/verify_life.hpp"

#include "actors/run_entries.hpp"
#include "actors/run_snapshot.hpp"
#include "actors/verify_words.hpp"
#include "runtime/protocol/run_values.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>

#include <algorithm>

namespace troupe::actors {
namespace {

journal::RunRow row_at(const LifeParts& parts) {
  auto row = parts.run->row;
  row.epoch = parts.epoch;
  row.state = journal::RunState::running;
  row.wake = row.finished = {};
  row.output.clear();
  if (parts.verify->input) row.input = *parts.verify->input;
  // A life that begins with being taken over finds the version that its snapshot was written by.
  const auto& entries = parts.run->entries;
  if (parts.from < entries.size() && entries[parts.from].kind == journal::Kind::version_mark)
    for (std::size_t i = 0; i < parts.from; ++i)
      if (entries[i].kind == journal::Kind::snapshot)
        if (auto note = read_snapshot(entries[i].payload)) row.version = note->version;
  return row;
}

const Error kUnreadable = make_error(Errc::storage, "the recorded outcome cannot be read");

// What the queue once answered, as the run that heard it wrote it down.
CallResult call_result(const journal::Entry& entry) {
  if (entry.kind == journal::Kind::result) {
    auto answer = protocol::from_bytes<Answer>(entry.payload);
    if (!answer) return {std::unexpected(kUnreadable), {}};
    return {std::move(answer->completion), std::move(answer->attempts)};
  }
  if (entry.kind == journal::Kind::failure) {
    auto error = protocol::from_bytes<Error>(entry.payload);
    return {std::unexpected(error.value_or(kUnreadable)), {}};
  }
  auto note = read_note(entry.payload);
  const auto* failed = note ? std::get_if<FailedNote>(&*note) : nullptr;
  if (failed == nullptr) return {std::unexpected(kUnreadable), {}};
  CallResult out{std::unexpected(failed->error), {}};
  if (failed->used.tokens == 0 && failed->used.usd == 0) return out;
  AttemptRecord used;
  used.usage.input = failed->used.tokens;
  used.usd = failed->used.usd;
  out.attempts.push_back(std::move(used));
  return out;
}

Result<ToolOutput> tool_result(const journal::Entry& entry) {
  if (entry.kind == journal::Kind::result) return protocol::from_bytes<ToolOutput>(entry.payload);
  return std::unexpected(call_result(entry).completion.error());
}

// One that failed for a passing reason left a note.
Result<ChildOutcome> child_outcome(const journal::Entry& entry) {
  if (entry.kind != journal::Kind::note) return read_outcome(entry.payload);
  auto note = read_note(entry.payload);
  const auto* failed = note ? std::get_if<FailedNote>(&*note) : nullptr;
  if (failed == nullptr) return std::unexpected(kUnreadable);
  return ChildOutcome{std::unexpected(failed->error), failed->used};
}

RunReport child_report(const journal::Entry& entry) {
  RunReport report;
  auto outcome = child_outcome(entry);
  if (!outcome) outcome = ChildOutcome{std::unexpected(kUnreadable), {}};
  report.end = outcome->end ? RunEnd::done : RunEnd::failed;
  if (outcome->end) report.output = outcome->end->output;
  if (!outcome->end) report.error = outcome->end.error();
  report.spent = outcome->spent;
  // The child itself, which its parent counts.
  report.spent.subagents -= 1;
  return report;
}

bool is_outcome(journal::Kind kind) {
  return kind == journal::Kind::result || kind == journal::Kind::failure ||
         kind == journal::Kind::child_end || kind == journal::Kind::note;
}

// A call that was called off, or what was announced and not begun.
std::optional<FailedNote> cancelled_in(const journal::Entry& entry) {
  if (entry.kind != journal::Kind::note) return std::nullopt;
  auto note = read_note(entry.payload);
  const auto* failed = note ? std::get_if<FailedNote>(&*note) : nullptr;
  if (failed == nullptr || failed->error.code != Errc::cancelled) return std::nullopt;
  return *failed;
}

bool is_decision(const journal::Entry& entry) {
  bool own_work = entry.kind == journal::Kind::result && entry.attempt == 0;
  return own_work || entry.kind == journal::Kind::intent || entry.kind == journal::Kind::child_start ||
         entry.kind == journal::Kind::timer_set;
}

}  // namespace

void Turns::drain() {
  while (!waiting_.empty()) {
    auto work = std::move(waiting_.front());
    waiting_.pop_front();
    work();
  }
}

Life::Life(LifeParts parts)
    : parts_(parts),
      past_(std::span(parts.run->entries).first(parts.from)),
      segment_(std::span(parts.run->entries).subspan(parts.from, parts.to - parts.from)),
      clock_(segment_.empty() ? parts.run->row.finished : segment_.front().at),
      tape_(row_at(parts), past_) {
  for (const auto& entry : parts.run->entries)
    if (entry.kind == journal::Kind::child_start)
      if (auto note = read_child(entry.payload)) child_keys_[note->run_id] = entry.step_key;
}

Life::~Life() {
  if (run_) caf::anon_send_exit(run_, caf::exit_reason::user_shutdown);
  run_ = RunActor();
  parts_.turns->drain();
  calls_.clear();
  parts_.turns->drain();
}

void Life::enact(ReplayVerdict& verdict) {
  begin();
  while (!broken_ && at_ < segment_.size()) {
    const auto& next = segment_[at_];
    pass_to(next.at);
    if (!advance(next)) {
      drifted(next, entry_in_words(next), waits_for());
      broken_ = true;
    }
    settle();
  }
  if (parts_.last && !broken_) finish();
  verdict.made += made_;
  ++verdict.lives;
  verdict.drift.insert(verdict.drift.end(), drift_.begin(), drift_.end());
}

void Life::begin() {
  const auto& row = parts_.run->row;
  const auto& code = parts_.verify->code;
  RunConfig config;
  config.spec = {row.workflow, {row.input}, row.run_id, row.tenant, {}, row.parent};
  config.function = code.function;
  config.version = code.version;
  config.migrates = code.migrates;
  config.migrate = code.migrate;
  config.node = row.node;
  if (parts_.verify->prices) config.list_price = parts_.verify->prices(clock_);
  config.children = this;
  config.stand_in = this;
  config.on_done = [this](RunReport report) { report_ = std::move(report); };
  run_ = spawn_run(*parts_.system, std::move(config), clock_, tape_, parts_.unit);
  settle();
}

void Life::pass_to(WallTime at) {
  if (at.ms > clock_.wall().ms) clock_.pass(std::chrono::milliseconds(at.ms - clock_.wall().ms));
}

void Life::settle() {
  parts_.turns->drain();
  for (; !tape_.made.empty() && !broken_; tape_.made.pop_front()) compare(tape_.made.front());
}

void Life::compare(const journal::Entry& made) {
  bool ended = parts_.last && parts_.run->row.state != journal::RunState::running;
  if (at_ == segment_.size()) {
    // What was under way when the process died may not have come to the disk.
    if (ended) drift_.push_back({0, made.step_key, "nothing further", entry_in_words(made)});
    broken_ = ended;
    return;
  }
  const auto& recorded = segment_[at_];
  if (made.kind != recorded.kind || made.step_key != recorded.step_key || made.attempt != recorded.attempt) {
    drifted(recorded, entry_in_words(recorded), entry_in_words(made));
    broken_ = true;
    return;
  }
  ++at_;
  nudged_ = false;
  // Children of runs from before their inputs were hashed have none.
  if (recorded.input_hash != 0 && made.input_hash != recorded.input_hash) {
    if (other_input_.insert(made.step_key).second)
      drifted(recorded, fmt::format("{} with input {:016x}", entry_in_words(recorded), recorded.input_hash),
              fmt::format("asked with another input, {:016x}", made.input_hash));
  } else if (!same_payload(recorded, made)) {
    drifted(recorded, entry_in_words(recorded),
            entry_in_words(made) + "; " + difference_of(recorded.payload, made.payload));
  } else {
    ++made_;
  }
}

// ---- what leads on ----

bool Life::advance(const journal::Entry& next) {
  if (is_outcome(next.kind) && give(next)) return true;
  if (!nudged_ && nudge(next)) return nudged_ = true;
  return acknowledge();
}

bool Life::acknowledge() {
  nudged_ = false;
  return tape_.acknowledge();
}

// Nothing of what follows is begun anew: somebody had stopped the run before this was called off. A workflow
// that called it off itself went on.
bool Life::stops_first(const journal::Entry& next) {
  auto cancelled = cancelled_in(next);
  if (!cancelled || stopped_ || called_off_.contains(next.step_key)) return false;
  bool for_good = segment_.back().kind == journal::Kind::cancel;
  bool not_begun = cancelled->used == Budget{};
  auto ahead = segment_.subspan(at_);
  // Those that were sent were so before the stop.
  bool all_sent = std::ranges::none_of(ahead, [this](const journal::Entry& each) {
    auto other = cancelled_in(each);
    return other && other->used != Budget{} && !calls_.contains(each.step_key);
  });
  if (!all_sent || (!not_begun && !(for_good && std::ranges::none_of(ahead, is_decision)))) return false;
  stopped_ = true;
  caf::anon_send(run_, CancelRun{!for_good});
  return true;
}

bool Life::give(const journal::Entry& next) {
  if (stops_first(next)) return true;
  if (auto call = calls_.find(next.step_key); call != calls_.end()) {
    // Who called it off has not heard yet why it should.
    if (cancelled_in(next) && !called_off_.contains(next.step_key) && acknowledge()) return true;
    auto asked = std::move(call->second);
    calls_.erase(call);
    asked->answer(call_result(next));
    return true;
  }
  if (auto tool = tools_.extract(next.step_key); !tool.empty()) return tool.mapped()(tool_result(next)), true;
  if (auto child = children_.extract(next.step_key); !child.empty())
    return child.mapped()(child_report(next)), true;
  return false;
}

bool Life::nudge(const journal::Entry& next) {
  switch (next.kind) {
    case journal::Kind::signal_in:
      caf::anon_send(run_, SignalRun{next.step_key, next.payload, next.input_hash});
      return true;
    case journal::Kind::timer_fired: caf::anon_send(run_, Tick{}); return true;
    // A tool that is tried again after a pause.
    case journal::Kind::intent:
      if (next.attempt < 2) return false;
      caf::anon_send(run_, Tick{});
      return true;
    case journal::Kind::cancel:
      if (std::exchange(stopped_, true)) return false;
      caf::anon_send(run_, CancelRun{false});
      return true;
    default: return false;
  }
}

void Life::finish() {
  const auto& row = parts_.run->row;
  if (row.state == journal::RunState::running) return;
  while (!broken_ && acknowledge()) settle();
  if (broken_) return;
  journal::Entry end;
  if (!tape_.ended) return drifted(end, fmt::format("the run is {}", to_string(row.state)), waits_for());
  const auto& now = *tape_.ended;
  if (now.state != row.state)
    return drifted(end, fmt::format("the run is {}", to_string(row.state)),
                   fmt::format("it ends as {}", to_string(now.state)));
  if (now.output != row.output)
    drifted(end, "the run's output", "another output: " + difference_of(row.output, now.output));
  if (!report_) return;
  for (const auto& line : report_->drift) drifted(end, "", line);
}

void Life::drifted(const journal::Entry& recorded, std::string was, std::string now) {
  drift_.push_back({recorded.seq, recorded.step_key, std::move(was), std::move(now)});
}

std::string Life::waits_for() const {
  if (tape_.ended) {
    auto why = tape_.ended->state == journal::RunState::failed ? ": " + tape_.ended->output : std::string();
    return fmt::format("the run ends as {}{}", to_string(tape_.ended->state), why);
  }
  if (report_ && report_->error) return report_->error->what;
  std::vector<std::string> names;
  for (const auto& [key, call] : calls_) names.push_back("call " + key);
  for (const auto& [key, tool] : tools_) names.push_back("tool " + key);
  for (const auto& [key, child] : children_) names.push_back("child " + key);
  if (names.size() > 10) names.resize(10);
  return names.empty() ? "the code asks for nothing more"
                       : fmt::format("the code waits for {}", fmt::join(names, ", "));
}

// ---- the run's outside ----

const journal::Entry* Life::ahead(const std::string& key, journal::Kind kind) const {
  auto rest = segment_.subspan(at_);
  auto it = std::ranges::find_if(
      rest, [&](const journal::Entry& each) { return each.kind == kind && each.step_key == key; });
  return it == rest.end() ? nullptr : &*it;
}

void Life::ask(const CallPtr& call) { calls_[call->step_key] = call; }

void Life::call_off(const CallPtr& call) { called_off_.insert(call->step_key); }

void Life::use(const std::string& key, std::function<void(Result<ToolOutput>)> done) {
  tools_[key] = std::move(done);
}

std::optional<Result<JsonText>> Life::step(const std::string& key) {
  if (const auto* result = ahead(key, journal::Kind::result)) {
    // It took its time, and what follows goes by the time at which it was done.
    pass_to(result->at);
    return Result<JsonText>(JsonText{result->payload});
  }
  const auto* entry = ahead(key, journal::Kind::note);
  auto note = entry != nullptr ? read_note(entry->payload) : fail(Errc::unsupported, "");
  const auto* failed = note ? std::get_if<FailedNote>(&*note) : nullptr;
  if (failed == nullptr) return std::nullopt;
  return Result<JsonText>(std::unexpected(failed->error));
}

Result<void> Life::start(RunSpec spec, std::function<void(RunReport)> ended) {
  auto key = child_keys_[spec.run_id];
  const auto* entry = ahead(key, journal::Kind::note);
  auto note = entry != nullptr && ahead(key, journal::Kind::child_end) == nullptr
                  ? read_note(entry->payload)
                  : fail(Errc::unsupported, "");
  if (note)
    if (const auto* failed = std::get_if<FailedNote>(&*note)) return std::unexpected(failed->error);
  children_[key] = std::move(ended);
  return {};
}

bool Life::signal(const std::string& run_id, const std::string&, const std::string&, std::uint64_t) {
  return children_.contains(child_keys_[run_id]);
}

}  // namespace troupe::actors
