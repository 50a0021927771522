// The committer thread: how groups are cut, written, answered, and given up.
#include "runtime/journal/committer.hpp"

#include "runtime/base/log.hpp"

#include <algorithm>
#include <future>
#include <utility>

namespace troupe::journal {
namespace {

/// What a job weighs in a queue: its content and about what its rows take beside.
std::size_t bytes_of(const Batch& batch) {
  constexpr std::size_t row = 256;
  std::size_t bytes = row * (1 + batch.entries.size() + batch.usage.size() + batch.breakers.size() +
                             batch.controls.size() + batch.exposures.size() + batch.decisions.size());
  for (const auto& entry : batch.entries) bytes += entry.payload.size();
  if (batch.run) bytes += batch.run->input.size() + batch.run->output.size();
  return bytes;
}

/// A refusal waits only to be answered.
void drop_content(Job& job) {
  job.batch = {};
  job.bytes = 0;
}

std::size_t rows_of(const Job& job) { return std::max<std::size_t>(1, job.batch.entries.size()); }

}  // namespace

Result<std::unique_ptr<Committer>> Committer::start(std::unique_ptr<Connection> connection,
                                                    Connection for_checkpoints, const Limits& limits) {
  auto writer = Writer::open(*connection);
  if (!writer) return std::unexpected(std::move(writer.error()));
  std::vector<Statement> all;
  for (auto sql : {"BEGIN IMMEDIATE", "COMMIT", "SAVEPOINT batch", "RELEASE batch", "ROLLBACK TO batch"}) {
    auto statement = connection->prepare(sql);
    if (!statement) return std::unexpected(std::move(statement.error()));
    all.push_back(std::move(*statement));
  }
  Statements statements{std::move(all[0]), std::move(all[1]), std::move(all[2]), std::move(all[3]),
                        std::move(all[4])};
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
      checkpoint_at_(limits.wal_bytes_max),
      thread_([this] { work(); }) {}

Committer::~Committer() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
  // Closing does it too, but only when no other process is looking.
  if (!failure_) (void)connection_->checkpoint();
}

void Committer::push(Job job) {
  job.bytes = bytes_of(job.batch);
  bool was_empty = false;
  {
    std::lock_guard lock(mutex_);
    // One batch is always let in, however large, or it could never be written.
    if (!job.refusal && queued_bytes_ > 0 && queued_bytes_ + job.bytes > limits_.queue_bytes_max)
      job.refusal = make_error(Errc::refused, "the journal's queue is full");
    if (job.refusal) drop_content(job);
    queued_bytes_ += job.bytes;
    was_empty = queue_.empty();
    queue_.push_back(std::move(job));
  }
  if (was_empty) wake_.notify_one();
}

Result<void> Committer::push_and_wait(Job job) {
  Result<void> outcome;
  if (std::this_thread::get_id() == thread_.get_id()) {
    // Between two groups here, or it would wait for itself.
    job.committed = [&outcome](Result<void> answer) { outcome = std::move(answer); };
    auto interrupted = std::move(outcomes_);
    outcomes_ = {};
    commit_group({&job, 1});
    outcomes_ = std::move(interrupted);
    return outcome;
  }
  std::promise<void> answered;
  job.committed = [&](Result<void> answer) {
    outcome = std::move(answer);
    answered.set_value();
  };
  push(std::move(job));
  answered.get_future().wait();
  return outcome;
}

void Committer::work() {
  while (take_queued()) commit_in_groups(taken_);
}

/// False when there is nothing left and nothing will come.
bool Committer::take_queued() {
  taken_.clear();
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return !queue_.empty() || stopping_; });
  taken_.swap(queue_);
  return !taken_.empty();
}

void Committer::commit_in_groups(std::span<Job> jobs) {
  while (!jobs.empty()) {
    std::size_t count = 0, rows = 0, bytes = 0;
    while (count < jobs.size()) {
      rows += rows_of(jobs[count]);
      bytes += jobs[count].bytes;
      bool full = rows > limits_.group_entries_max || bytes > limits_.group_bytes_max;
      if (full && count > 0) break;
      ++count;
    }
    commit_group(jobs.first(count));
    jobs = jobs.subspan(count);
  }
}

void Committer::commit_group(std::span<Job> jobs) {
  if (!failure_)
    if (auto written = write_group(jobs); !written) fail_group(written.error(), jobs.size());
  if (failure_) outcomes_.assign(jobs.size(), std::unexpected(*failure_));
  std::size_t bytes = 0;
  for (const auto& job : jobs) bytes += job.bytes;
  {
    std::lock_guard lock(mutex_);
    queued_bytes_ -= std::min(bytes, queued_bytes_);
  }
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    auto answer = jobs[i].refusal ? Result<void>(std::unexpected(*jobs[i].refusal)) : std::move(outcomes_[i]);
    if (jobs[i].committed) jobs[i].committed(std::move(answer));
    jobs[i] = {};
  }
  if (!failure_) keep_wal_short();
}

/// Fills outcomes_; an error means that the disk failed and no outcome counts.
Result<void> Committer::write_group(std::span<Job> jobs) {
  outcomes_.clear();
  if (auto begun = statements_.begin.with().run(); !begun) return begun;
  for (auto& job : jobs) {
    outcomes_.push_back(write_apart(job));
    if (connection_->broken()) return outcomes_.back();
  }
  return statements_.commit.with().run();
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
