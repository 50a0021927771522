#include "runtime/journal/postgres_committer.hpp"

#include "runtime/base/crash_point.hpp"
#include "runtime/base/log.hpp"
#include "runtime/journal/postgres_queries.hpp"
#include "runtime/journal/postgres_rows.hpp"
#include "runtime/journal/postgres_schema.hpp"
#include "runtime/journal/rules.hpp"
#include "runtime/journal/schema.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <unordered_set>
#include <utility>

namespace troupe::journal {
namespace {

constexpr std::size_t kRememberedHeadsMax = 65'536;
constexpr std::size_t kIdsAhead = 1024;
/// Tries at one group: a deadlock or a lost connection is tried again, a server that dies of it is not for
/// ever.
constexpr int kTriesMax = 8;
constexpr Duration kFirstPause = std::chrono::milliseconds(20), kLongestPause = std::chrono::seconds(1);

constexpr std::string_view kPgOpenCommit = "SELECT open_commit($1::int8, $2::int8, $3::int8)";
constexpr std::string_view kPgHoldBlobs = "SELECT pg_advisory_xact_lock_shared(blob_lock())";
constexpr std::string_view kPgClaim =
    "SELECT verdict, detail FROM claim_run($1::int8, $2::text, $3::text, $4::bytea, $5::text, $6::text,"
    " $7::int8, $8::int8::int2, $9::bytea, $10::int8, $11::float8, $12::int8, $13::int8, $14::text, "
    "$15::text,"
    " $16::text, $17::int8, $18::int8::int2, $19::int8)";
constexpr std::string_view kPgHeads =
    "SELECT run_id, id, epoch, state, holder, coalesce((SELECT max(seq) FROM entry WHERE run = r.id), 0)"
    " FROM run r WHERE run_id = ANY($1::text[]) ORDER BY id FOR SHARE OF r";
constexpr std::string_view kPgIds = "SELECT nextval('run_seq') FROM generate_series(1, $1::int8)";

PgHead head_of(const PgRows& rows, std::size_t row) {
  return {rows.integer(row, 1), static_cast<std::uint64_t>(rows.integer(row, 2)),
          static_cast<std::uint64_t>(rows.integer(row, 5)), static_cast<RunState>(rows.integer(row, 3)),
          static_cast<std::uint64_t>(rows.integer(row, 4))};
}

/// What a claim's verdict means; see claim_run in postgres_schema.cpp.
Result<void> verdict_of(const PgRows& answer, const RunRow& asked) {
  auto verdict = answer.integer(0, 0);
  if (verdict == 0) return {};
  if (verdict == 1) return other_workflow(asked.run_id, answer.text(0, 1), asked.workflow);
  return fail(Errc::refused,
              fmt::format("run {} is held by node {}, which is alive", asked.run_id, answer.text(0, 1)));
}

/// One job, and PostgreSQL refuses a row of it.
Error refusal_of(const Job& job, const PgFault& fault, const Error& error) {
  if (fault.constraint == "result_by_step" || fault.constraint == "child_end_by_key")
    for (auto at = job.batch.entries.rbegin(); at != job.batch.entries.rend(); ++at)
      if (at->kind == (fault.constraint == "result_by_step" ? Kind::result : Kind::child_end))
        return repeated(*at).error();
  bool data = fault.is_class("22");
  return make_error(data ? Errc::invalid_input : Errc::storage, error.what);
}

constexpr std::string_view kPgNeedNotWait = "SET LOCAL synchronous_commit TO off";

/// Its session waits for the disk; what need not says so.
PgTarget committers_target(PgTarget target) {
  target.by_key = true;
  target.power_safe = true;
  return target;
}

}  // namespace

PgCommitter::PgCommitter(PgTarget target, PgSeat& seat, const Clock& clock, const Limits& limits)
    : target_(committers_target(std::move(target))),
      seat_(seat),
      clock_(clock),
      limits_(limits),
      queue_(limits.queue_bytes_max),
      thread_([this] { work(); }) {}

PgCommitter::~PgCommitter() {
  queue_.close();
  thread_.join();
}

Result<void> PgCommitter::push_and_wait(Job job) {
  if (std::this_thread::get_id() != thread_.get_id()) return queue_.push_and_wait(std::move(job));
  Result<void> outcome;
  job.committed = [&outcome](Result<void> answer) { outcome = std::move(answer); };
  commit_group({&job, 1});
  return outcome;
}

void PgCommitter::work() {
  while (queue_.take(taken_)) {
    std::span<Job> jobs = taken_;
    while (!jobs.empty()) {
      auto count = next_group(jobs);
      commit_group(jobs.first(count));
      jobs = jobs.subspan(count);
    }
  }
}

/// Claims go first within their transaction, so a run that is claimed must not stand in the group before.
std::size_t PgCommitter::next_group(std::span<const Job> jobs) const {
  auto count = group_size(jobs, limits_.group);
  bool claims = std::ranges::any_of(jobs.first(count), [](const Job& job) { return job.claim != nullptr; });
  if (!claims) return count;
  std::unordered_set<std::string_view> seen;
  for (std::size_t i = 0; i < count; ++i) {
    const auto& job = jobs[i];
    if (job.claim && !seen.insert(job.claim->run_id).second) return i;
    for (const auto& entry : job.batch.entries) seen.insert(entry.run_id);
    if (job.batch.run) seen.insert(job.batch.run->run_id);
  }
  return count;
}

void PgCommitter::commit_group(std::span<Job> jobs) {
  std::vector<Result<void>> outcomes(jobs.size());
  write(jobs, outcomes);
  queue_.release(jobs);
  answer_jobs(jobs, outcomes);
}

/// Halves a group that the server refuses until the job at fault stands alone: the others must not suffer.
void PgCommitter::write(std::span<Job> jobs, std::span<Result<void>> outcomes) {
  auto written = write_until_known(jobs, outcomes);
  if (written) return;
  if (row_at_fault() && jobs.size() > 1) {
    auto half = jobs.size() / 2;
    write(jobs.first(half), outcomes.first(half));
    write(jobs.subspan(half), outcomes.subspan(half));
  } else if (row_at_fault()) {
    outcomes[0] = std::unexpected(refusal_of(jobs[0], row_fault_, written.error()));
  } else {
    std::ranges::fill(outcomes, written);
  }
}

/// Success means durable. Failure with the connection lost means that nobody could say.
Result<void> PgCommitter::write_until_known(std::span<Job> jobs, std::span<Result<void>> outcomes) {
  Result<void> written;
  row_fault_ = {};
  for (int tries = 1; tries <= kTriesMax; ++tries) {
    if (auto ready = connect(); !ready) return ready;
    Attempt attempt{PgGroup(heads_, mine_), std::vector<Result<void>>(jobs.size()), {}};
    written = try_group(jobs, attempt);
    if (written) {
      succeed(jobs, outcomes, attempt);
      attempt.group.keep(heads_);
      return {};
    }
    attempt.group.forget(heads_);
    if (connection_->lost()) {
      if (auto back = reconnect(); !back) return back;
      if (last_durable_ == number_) return succeed(jobs, outcomes, attempt), Result<void>();
      if (last_durable_ < 0) return written;
    } else if (!worth_another_try(tries)) {
      return written;
    }
  }
  return written;
}

/// After a failure that the server itself told of: leaves the transaction, and says whether the same again
/// may succeed.
bool PgCommitter::worth_another_try(int tries) {
  auto fault = connection_->fault();
  if (fault.state == kPgSeatLost) seat_.lose(mine_);
  auto undone = connection_->execute("ROLLBACK");
  // Deadlocks and the like; and a run that another node created in the same moment is known the next time.
  bool again = fault.is_class("40") || (fault.constraint == "run_run_id_key" && tries < 3);
  if (!again) row_fault_ = std::move(fault);
  return undone && again;
}

void PgCommitter::succeed(std::span<Job> jobs, std::span<Result<void>> outcomes, Attempt& attempt) {
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    outcomes[i] = std::move(attempt.outcomes[i]);
    if (jobs[i].claim && outcomes[i]) *jobs[i].claim = std::move(attempt.claimed[jobs[i].claim->run_id]);
  }
  if (heads_.size() > kRememberedHeadsMax) heads_.clear();
}

Result<void> PgCommitter::try_group(std::span<Job> jobs, Attempt& attempt) {
  ++number_;
  for (const auto& job : jobs)
    if (!job.refusal) attempt.group.want(job);
  if (auto given = give_ids(attempt.group); !given) return given;
  auto sent = connection_->send("BEGIN");
  if (sent) sent = connection_->send(kPgOpenCommit, PgParams::of(mine_, session_, number_));
  if (sent && attempt.group.has_large()) sent = connection_->send(kPgHoldBlobs);
  if (sent && !attempt.group.unknown().empty()) sent = look_up(jobs, attempt);
  return sent ? put(jobs, attempt) : sent;
}

// Many at once, so that nearly every group of new runs is a single round trip.
Result<void> PgCommitter::give_ids(PgGroup& group) {
  if (ids_.size() < group.ids_wanted()) {
    auto rows = connection_->query(kPgIds, PgParams::of(group.ids_wanted() + kIdsAhead));
    if (!rows) return std::unexpected(std::move(rows.error()));
    ids_.clear();
    for (std::size_t row = rows->size(); row > 0; --row) ids_.push_back(rows->integer(row - 1, 0));
  }
  for (std::size_t i = 0; i < group.ids_wanted(); ++i) {
    group.learn_id(ids_.back());
    ids_.pop_back();
  }
  return {};
}

Result<void> PgCommitter::send_questions(std::span<Job> jobs, const PgGroup& group) {
  PgColumn claimed(PgColumn::Type::text), unknown(PgColumn::Type::text);
  for (const auto& id : group.unknown()) unknown.add(id);
  for (const auto& job : jobs) {
    if (!job.claim) continue;
    const auto& row = *job.claim;
    claimed.add(row.run_id);
    auto sent = connection_->send(
        kPgClaim, PgParams::of(mine_, row.run_id, row.workflow, row.input, row.tenant, row.node,
                               row.created.ms, static_cast<int>(row.state), row.output, row.finished.ms,
                               row.usd, row.tokens_in, row.tokens_out, row.parent, row.budget, row.version,
                               row.wake.ms, static_cast<int>(row.durability), kInlineBytesMax));
    if (!sent) return sent;
  }
  auto sent = connection_->send(kPgHeads, PgParams::of(unknown));
  if (sent && claimed.rows() > 0) sent = connection_->send(run_rows_by_id(), PgParams::of(claimed));
  return sent;
}

/// Claims runs and reads heads, all in one wait for the server.
Result<void> PgCommitter::look_up(std::span<Job> jobs, Attempt& attempt) {
  if (auto sent = send_questions(jobs, attempt.group); !sent) return sent;
  auto answers = connection_->finish();
  if (!answers) return std::unexpected(std::move(answers.error()));
  std::size_t at = attempt.group.has_large() ? 3 : 2;
  bool claims = false;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    if (!jobs[i].claim) continue;
    attempt.outcomes[i] = verdict_of((*answers)[at++], *jobs[i].claim);
    claims = true;
  }
  const auto& heads = (*answers)[at++];
  for (std::size_t row = 0; row < heads.size(); ++row)
    attempt.group.learn(heads.text(row, 0), head_of(heads, row));
  if (claims) {
    const auto& rows = (*answers)[at++];
    for (std::size_t row = 0; row < rows.size(); ++row) {
      auto run = run_from(rows, row);
      attempt.claimed[run.run_id] = std::move(run);
    }
  }
  return {};
}

Result<void> PgCommitter::put(std::span<Job> jobs, Attempt& attempt) {
  for (std::size_t i = 0; i < jobs.size(); ++i)
    if (!jobs[i].refusal && !jobs[i].claim) attempt.outcomes[i] = attempt.group.admit(jobs[i]);
  auto sent = attempt.group.send(*connection_);
  if (sent && !waits(jobs, attempt)) sent = connection_->send(kPgNeedNotWait);
  crash_point("journal.before_commit");
  if (sent) sent = connection_->send("COMMIT");
  if (!sent) return sent;
  auto done = connection_->finish();
  crash_point("journal.after_commit");
  if (!done) return std::unexpected(std::move(done.error()));
  return {};
}

// A raised epoch is a fence: were the server to forget it, the writer it shut out could write again.
bool PgCommitter::waits(std::span<const Job> jobs, const Attempt& attempt) const {
  auto raised = [](const auto& claimed) { return claimed.second.epoch > 1; };
  return (limits_.power_safe && waits_for_disk(jobs)) || std::ranges::any_of(attempt.claimed, raised);
}

/// A connection and a session of the present incarnation.
Result<void> PgCommitter::connect() {
  auto mine = seat_.incarnation();
  if (mine == 0 && seat_.lost())
    return fail(Errc::storage, "journal: this node is fenced: others have its runs");
  if (mine == 0) return fail(Errc::refused, "journal: this node has not joined");
  if (connection_ && !connection_->lost() && mine == mine_) return {};
  if (mine != mine_) heads_.clear();
  mine_ = mine;
  return reconnect();
}

/// Tries with growing pauses until there is a session, or the outage has lasted too long.
Result<void> PgCommitter::reconnect() {
  if (!gone_since_) gone_since_ = clock_.now();
  for (auto length = kFirstPause;; length = std::min(2 * length, kLongestPause)) {
    auto opened = PgConnection::open(target_);
    Result<void> ready;
    if (opened)
      connection_ = std::move(*opened), ready = open_session();
    else
      ready = std::unexpected(std::move(opened.error()));
    if (ready) return gone_since_.reset(), ready;
    if (clock_.now() - *gone_since_ >= limits_.outage_max) return ready;
    if (length == kFirstPause) log::warn("journal", ready.error().what);
    std::mutex nobody;
    std::unique_lock lock(nobody);
    std::condition_variable().wait_for(lock, length);
  }
}

/// What an earlier session of this incarnation still had under way has ended when this returns. A server that
/// crashed may have lost commits that did not wait for its disk, so what was remembered of runs is read anew.
Result<void> PgCommitter::open_session() {
  heads_.clear();
  ids_.clear();
  auto rows =
      connection_->query("SELECT my_session, last_commit FROM open_session($1::int8)", PgParams::of(mine_));
  if (!rows) return std::unexpected(std::move(rows.error()));
  session_ = rows->integer(0, 0);
  last_durable_ = rows->integer(0, 1);
  if (session_ == 0) seat_.lose(mine_);
  return {};
}

}  // namespace troupe::journal
