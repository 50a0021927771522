// Group commit: one thread takes everything queued, makes it durable in one transaction, and answers all.
#pragma once

#include "runtime/journal/checkpointer.hpp"
#include "runtime/journal/database.hpp"
#include "runtime/journal/journal.hpp"
#include "runtime/journal/writer.hpp"

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

namespace troupe::journal {

/// One thing to do in a group commit.
struct Job {
  Batch batch;
  /// When set, the job is a claim of this row, which must live until it is answered.
  RunRow* claim = nullptr;
  /// When set, the job is this, done within the group's transaction; what it fails with undoes it alone.
  std::function<Result<void>(Connection&, Writer&)> work;
  Committed committed;
  /// Why it will not be done; set before it is queued.
  std::optional<Error> refusal;
  std::size_t bytes = 0;
};

/// There is no timer: while one commit waits for the disk the next group gathers, so the queue is the window.
/// Savepoints keep the batches of a group apart. Once the disk fails, everything is refused.
class Committer {
 public:
  struct Limits {
    std::size_t group_entries_max = 0, group_bytes_max = 0, queue_bytes_max = 0, wal_bytes_max = 0;
  };
  static Result<std::unique_ptr<Committer>> start(std::unique_ptr<Connection> connection,
                                                  Connection for_checkpoints, const Limits& limits);
  /// Does what is queued first, then folds the log into the file.
  ~Committer();

  /// Any thread. Never blocks on the disk.
  void push(Job job);
  /// Does the job and returns when it is durable. Any thread, the committer's own included.
  Result<void> push_and_wait(Job job);

 private:
  struct Statements {
    Statement begin, commit, savepoint, release, rollback_batch;
  };
  Committer(std::unique_ptr<Connection> connection, Connection for_checkpoints, Writer writer,
            Statements statements, const Limits& limits);

  void work();
  bool take_queued();
  void commit_in_groups(std::span<Job> jobs);
  void commit_group(std::span<Job> jobs);
  Result<void> write_group(std::span<Job> jobs);
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
  /// Size of the log at which the next checkpoint is asked for, in bytes.
  std::size_t checkpoint_at_;
  std::optional<Error> failure_;
  std::vector<Result<void>> outcomes_;
  std::vector<Job> taken_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Job> queue_;
  std::size_t queued_bytes_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace troupe::journal
