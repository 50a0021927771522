// Group commit into PostgreSQL: one thread, one transaction for everything queued, and the truth about a
// commit whose connection broke.
#pragma once

#include "runtime/journal/job_queue.hpp"
#include "runtime/journal/postgres_connection.hpp"
#include "runtime/journal/postgres_group.hpp"
#include "runtime/journal/postgres_seat.hpp"

#include <map>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace troupe::journal {

/// Every group begins by writing its number into the seat of this incarnation. That one row lock is the
/// fence: a node that takes over waits for the group under way, and later groups are refused. The number is
/// also the answer to a connection lost at COMMIT: a new connection first closes the seat to the old one,
/// then reads which group came last. A group that surely did not become durable is written again.
class PgCommitter {
 public:
  struct Limits {
    GroupLimits group;
    std::size_t queue_bytes_max = 0;
    Duration outage_max{};
    /// PostgresConfig::power_safe. Off: only commits that raise an epoch wait for the server's disk.
    bool power_safe = true;
  };
  /// Connects on its own thread, when there is something to write. `seat` and `clock` must outlive it.
  PgCommitter(PgTarget target, PgSeat& seat, const Clock& clock, const Limits& limits);
  /// Does what is queued first, or gives it up after outage_max.
  ~PgCommitter();

  /// Any thread. Never blocks on the server.
  void push(Job job) { queue_.push(std::move(job)); }
  /// Does the job and returns when it is durable. Any thread, the committer's own included.
  Result<void> push_and_wait(Job job);

 private:
  /// One try at a group: what becomes of its jobs should the transaction become durable.
  struct Attempt {
    PgGroup group;
    std::vector<Result<void>> outcomes;
    std::map<std::string, RunRow> claimed;
  };

  void work();
  std::size_t next_group(std::span<const Job> jobs) const;
  void commit_group(std::span<Job> jobs);
  void write(std::span<Job> jobs, std::span<Result<void>> outcomes);
  Result<void> write_until_known(std::span<Job> jobs, std::span<Result<void>> outcomes);
  Result<void> try_group(std::span<Job> jobs, Attempt& attempt);
  Result<void> give_ids(PgGroup& group);
  Result<void> look_up(std::span<Job> jobs, Attempt& attempt);
  Result<void> send_questions(std::span<Job> jobs, const PgGroup& group);
  Result<void> put(std::span<Job> jobs, Attempt& attempt);
  bool waits(std::span<const Job> jobs, const Attempt& attempt) const;
  void succeed(std::span<Job> jobs, std::span<Result<void>> outcomes, Attempt& attempt);
  bool worth_another_try(int tries);
  bool row_at_fault() const { return row_fault_.is_class("22") || row_fault_.is_class("23"); }

  Result<void> connect();
  Result<void> reconnect();
  Result<void> open_session();

  PgTarget target_;
  PgSeat& seat_;
  const Clock& clock_;
  Limits limits_;
  std::optional<PgConnection> connection_;
  PgHeads heads_;
  /// For runs that begin, fetched ahead.
  std::vector<std::int64_t> ids_;
  /// The incarnation that session, heads and numbers belong to; 0: none yet.
  std::uint64_t mine_ = 0;
  /// Of the last transaction begun, and of the last that the server knows to be durable (-1: it does not
  /// say).
  std::int64_t session_ = 0, number_ = 0, last_durable_ = 0;
  /// What the server said of the group that failed last, when it was the server that refused it.
  PgFault row_fault_;
  /// Since when there is no connection; nothing while there is one.
  std::optional<Instant> gone_since_;
  std::vector<Job> taken_;

  JobQueue queue_;
  std::thread thread_;
};

}  // namespace troupe::journal
