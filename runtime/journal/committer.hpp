// Group commit: one thread takes everything queued, makes it durable in one transaction, and answers all.
#pragma once

#include "runtime/journal/checkpointer.hpp"
#include "runtime/journal/database.hpp"
#include "runtime/journal/job_queue.hpp"
#include "runtime/journal/writer.hpp"

#include <memory>
#include <optional>
#include <span>
#include <thread>
#include <utility>
#include <vector>

namespace troupe::journal {

/// There is no timer: while one commit waits for the disk the next group gathers, so the queue is the window.
/// A group is written as if nothing in it could be refused; when something is, it is written again with
/// savepoints that keep its batches apart. Once the disk fails, everything is refused.
class Committer {
 public:
  struct Limits {
    GroupLimits group;
    std::size_t queue_bytes_max = 0, wal_bytes_max = 0;
    /// SqliteConfig::power_safe. Off: no commit waits for the disk.
    bool power_safe = true;
  };
  static Result<std::unique_ptr<Committer>> start(std::unique_ptr<Connection> connection,
                                                  Connection for_checkpoints, const Limits& limits);
  /// Does what is queued first, then folds the log into the file.
  ~Committer();

  /// Any thread. Never blocks on the disk.
  void push(Job job) { queue_.push(std::move(job)); }
  /// Does the job and returns when it is durable. Any thread, the committer's own included.
  Result<void> push_and_wait(Job job);

 private:
  struct Statements {
    Statement begin, commit, savepoint, release, rollback_batch, rollback;
  };
  Committer(std::unique_ptr<Connection> connection, Connection for_checkpoints, Writer writer,
            Statements statements, const Limits& limits);

  void work();
  void commit_in_groups(std::span<Job> jobs);
  void commit_group(std::span<Job> jobs);
  Result<void> write_group(std::span<Job> jobs);
  Result<void> begin(std::span<const Job> jobs);
  Result<bool> write_together(std::span<Job> jobs);
  Result<void> put_together(std::span<Job> jobs);
  Result<void> give_up_together(std::span<Job> jobs);
  Result<void> write_one_by_one(std::span<Job> jobs);
  Result<void> commit();
  Result<void> write_apart(Job& job);
  Result<void> do_job(Job& job);
  void fail_group(const Error& error, std::size_t jobs);
  void keep_wal_short();

  Limits limits_;
  std::unique_ptr<Connection> connection_;
  Writer writer_;
  Statements statements_;
  Checkpointer checkpointer_;
  std::size_t page_bytes_;
  /// What the connection's `synchronous` is set to: FULL or NORMAL.
  bool waits_;
  /// Size of the log at which the next checkpoint is asked for, in bytes.
  std::size_t checkpoint_at_;
  std::optional<Error> failure_;
  std::vector<Result<void>> outcomes_;
  std::vector<Job> taken_;

  JobQueue queue_;
  std::thread thread_;
};

}  // namespace troupe::journal
