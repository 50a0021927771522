// What waits for a committer, whichever store it writes to: jobs in order, bounded by their bytes.
#pragma once

#include "runtime/journal/journal.hpp"

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

namespace troupe::journal {

class Connection;
class Writer;

/// One thing to do in a group commit.
struct Job {
  Batch batch;
  /// The batch is the row of a run that is new by its id, and nothing else (Journal::begin_then).
  bool fresh = false;
  /// When set, the job is a claim of this row, which must live until it is answered.
  RunRow* claim = nullptr;
  /// SQLite only. When set, the job is this, done within the group's transaction; what it fails with undoes
  /// it alone.
  std::function<Result<void>(Connection&, Writer&)> work;
  Committed committed;
  /// Why it will not be done; set before it is queued.
  std::optional<Error> refusal;
  std::size_t bytes = 0;
};

/// The first job of a new run: its row, under its first epoch.
Job job_of_new(RunRow row, std::function<void(Result<RunRow>)> begun);

/// How large a group commit may be; a larger single job is committed alone.
struct GroupLimits {
  std::size_t entries_max = 0, bytes_max = 0;
};

/// How many jobs from the front make the next group; at least one.
std::size_t group_size(std::span<const Job> jobs, const GroupLimits& limits);
/// Whether a commit of these waits for the disk: it does if one of them must. Claims are of their row's
/// class, work beside the batches always waits.
bool waits_for_disk(std::span<const Job> jobs);
/// Calls each job's Committed with its outcome, in order, and lets the job go.
void answer_jobs(std::span<Job> jobs, std::span<Result<void>> outcomes);

/// Thread-safe.
class JobQueue {
 public:
  explicit JobQueue(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  /// Never blocks. A job that finds the queue full is queued as a refusal, so that answers keep their order.
  void push(Job job);
  /// Queues the job and returns its outcome; not for the committer's own thread, which would wait for itself.
  Result<void> push_and_wait(Job job);
  /// Replaces `jobs` by everything that waits, and waits for something. False when there is nothing left and
  /// nothing will come.
  bool take(std::vector<Job>& jobs);
  /// These taken jobs need no room any more.
  void release(std::span<const Job> jobs);
  /// From here on take() does not wait for more.
  void close();

 private:
  std::size_t bytes_max_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Job> waiting_;
  std::size_t bytes_ = 0;
  bool closed_ = false;
};

}  // namespace troupe::journal
