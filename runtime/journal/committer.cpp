// The committer thread: how groups are cut, written, answered, and given up.
#include "runtime/journal/committer.hpp"

#include "runtime/base/crash_point.hpp"
#include "runtime/base/log.hpp"

#include <algorithm>
#include <utility>

namespace troupe::journal {
Result<std::unique_ptr<Committer>> Committer::start(std::unique_ptr<Connection> connection,
                                                    Connection for_checkpoints, const Limits& limits) {
  auto writer = Writer::open(*connection);
  if (!writer) return std::unexpected(std::move(writer.error()));
  std::vector<Statement> all;
  for (auto sql :
       {"BEGIN IMMEDIATE", "COMMIT", "SAVEPOINT batch", "RELEASE batch", "ROLLBACK TO batch", "ROLLBACK"}) {
    auto statement = connection->prepare(sql);
    if (!statement) return std::unexpected(std::move(statement.error()));
    all.push_back(std::move(*statement));
  }
  Statements statements{std::move(all[0]), std::move(all[1]), std::move(all[2]),
                        std::move(all[3]), std::move(all[4]), std::move(all[5])};
  return std::unique_ptr<Committer>(new Committer(std::move(connection), std::move(for_checkpoints),
                                                  std::move(*writer), std::move(statements), limits));
}

Committer::Committer(std::unique_ptr<Connection> connection, Connection for_checkpoints, Writer writer,
                     Statements statements, const Limits& limits)
    : limits_(limits),
      connection_(std::move(connection)),
      writer_(std::move(writer)),
      statements_(std::move(statements)),
      checkpointer_(std::move(for_checkpoints)),
      page_bytes_(static_cast<std::size_t>(connection_->integer("PRAGMA page_size").value_or(4096))),
      waits_(limits.power_safe),
      checkpoint_at_(limits.wal_bytes_max),
      queue_(limits.queue_bytes_max),
      thread_([this] { work(); }) {}

Committer::~Committer() {
  queue_.close();
  thread_.join();
  // Closing does it too, but only when no other process is looking.
  if (!failure_) (void)connection_->checkpoint();
}

Result<void> Committer::push_and_wait(Job job) {
  if (std::this_thread::get_id() != thread_.get_id()) return queue_.push_and_wait(std::move(job));
  // Between two groups here, or it would wait for itself.
  Result<void> outcome;
  job.committed = [&outcome](Result<void> answer) { outcome = std::move(answer); };
  auto interrupted = std::move(outcomes_);
  outcomes_ = {};
  commit_group({&job, 1});
  outcomes_ = std::move(interrupted);
  return outcome;
}

void Committer::work() {
  while (queue_.take(taken_)) commit_in_groups(taken_);
}

void Committer::commit_in_groups(std::span<Job> jobs) {
  while (!jobs.empty()) {
    auto count = group_size(jobs, limits_.group);
    commit_group(jobs.first(count));
    jobs = jobs.subspan(count);
  }
}

void Committer::commit_group(std::span<Job> jobs) {
  if (!failure_)
    if (auto written = write_group(jobs); !written) fail_group(written.error(), jobs.size());
  if (failure_) outcomes_.assign(jobs.size(), std::unexpected(*failure_));
  queue_.release(jobs);
  answer_jobs(jobs, outcomes_);
  if (!failure_) keep_wal_short();
}

/// Fills outcomes_; an error means that the disk failed and no outcome counts.
Result<void> Committer::write_group(std::span<Job> jobs) {
  auto together = write_together(jobs);
  writer_.end_group();
  if (!together) return std::unexpected(std::move(together.error()));
  return *together ? Result<void>() : write_one_by_one(jobs);
}

// A commit under NORMAL leaves its pages in the log unsynced: a power cut takes the newest such commits,
// never one without those after it, since the log is read as far as its checksums hold. The next commit under
// FULL syncs the log with all that lies before it. SQLite takes the setting only between transactions.
Result<void> Committer::begin(std::span<const Job> jobs) {
  bool wait = limits_.power_safe && waits_for_disk(jobs);
  if (wait != waits_) {
    auto set = connection_->execute(wait ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
    if (!set) return set;
    waits_ = wait;
  }
  return statements_.begin.with().run();
}

/// False when something in the group was refused; nothing of it is left then.
Result<bool> Committer::write_together(std::span<Job> jobs) {
  // Such work may not be done twice.
  if (std::ranges::any_of(jobs, [](const Job& job) { return static_cast<bool>(job.work); })) return false;
  outcomes_.assign(jobs.size(), {});
  if (auto begun = begin(jobs); !begun) return std::unexpected(std::move(begun.error()));
  auto put = put_together(jobs);
  if (put) put = commit();
  if (!put && !connection_->broken()) {
    put = give_up_together(jobs);
    if (put) return false;
  }
  if (!put) return std::unexpected(std::move(put.error()));
  return true;
}

/// A claim that is made twice answers the same: what the first one filled in is what the second one finds.
Result<void> Committer::put_together(std::span<Job> jobs) {
  for (auto& job : jobs) {
    if (job.refusal) continue;
    auto put = job.claim   ? writer_.claim(*job.claim)
               : job.fresh ? writer_.begin(*job.batch.run)
                           : writer_.gather(job.batch);
    if (!put) return put;
  }
  return writer_.put_gathered();
}

Result<void> Committer::give_up_together(std::span<Job> jobs) {
  for (const auto& job : jobs) {
    writer_.forget(job.batch);
    if (job.claim) writer_.forget_run(job.claim->run_id);
  }
  return statements_.rollback.with().run();
}

Result<void> Committer::write_one_by_one(std::span<Job> jobs) {
  outcomes_.clear();
  if (auto begun = begin(jobs); !begun) return begun;
  for (auto& job : jobs) {
    outcomes_.push_back(write_apart(job));
    if (connection_->broken()) return outcomes_.back();
  }
  return commit();
}

Result<void> Committer::commit() {
  crash_point("journal.before_commit");
  auto committed = statements_.commit.with().run();
  crash_point("journal.after_commit");
  return committed;
}

/// A batch that is refused leaves nothing behind and the others of its group alone.
Result<void> Committer::write_apart(Job& job) {
  if (job.refusal) return {};
  if (auto saved = statements_.savepoint.with().run(); !saved) return saved;
  auto written = do_job(job);
  if (connection_->broken()) return written;
  if (!written) {
    writer_.forget(job.batch);
    if (job.claim || job.work) writer_.forget_all();
    if (auto undone = statements_.rollback_batch.with().run(); !undone) return undone;
  }
  if (auto released = statements_.release.with().run(); !released) return released;
  return written;
}

Result<void> Committer::do_job(Job& job) {
  if (job.claim) return writer_.claim(*job.claim);
  if (job.fresh) return writer_.begin(*job.batch.run);
  if (!job.work) return writer_.apply(job.batch);
  // Whatever it does to runs, their heads are read anew.
  writer_.forget_all();
  return job.work(*connection_, writer_);
}

void Committer::fail_group(const Error& error, std::size_t jobs) {
  failure_ = error;
  failure_->code = Errc::storage;
  log::error("journal", failure_->what);
  if (connection_->in_transaction()) (void)connection_->execute("ROLLBACK");
  writer_.forget_all();
  outcomes_.resize(jobs);
}

void Committer::keep_wal_short() {
  auto log_bytes = static_cast<std::size_t>(connection_->wal_pages()) * page_bytes_;
  // It has started over.
  if (log_bytes < limits_.wal_bytes_max) checkpoint_at_ = limits_.wal_bytes_max;
  if (checkpointer_.take_finished()) {
    if (auto done = connection_->checkpoint(); !done) return fail_group(done.error(), 0);
    // When a long read keeps it from starting over, ask again only after as much has come anew.
    checkpoint_at_ = log_bytes + limits_.wal_bytes_max;
  } else if (log_bytes > checkpoint_at_) {
    checkpointer_.request();
  }
}

}  // namespace troupe::journal
