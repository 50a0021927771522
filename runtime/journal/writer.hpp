// Puts batches and claims into the tables: which writes are allowed, and the statements that make them.
#pragma once

#include "runtime/journal/blob_store.hpp"
#include "runtime/journal/database.hpp"
#include "runtime/journal/entry_feed.hpp"
#include "runtime/journal/journal.hpp"
#include "runtime/journal/rules.hpp"
#include "runtime/journal/run_heads.hpp"

#include <string>

namespace troupe::journal {

/// Works within the caller's transaction and on its thread. After a failure the caller must roll the batch
/// back; whether the disk or only the batch was at fault, Connection::broken tells.
class Writer {
 public:
  static Result<Writer> open(Connection& connection);

  Result<void> apply(const Batch& batch);
  /// As apply, but the entries wait for `put_gathered`, which puts those of a whole group at once. The batch
  /// lives until then. After a failure of either the caller rolls the whole group back.
  Result<void> gather(const Batch& batch);
  Result<void> put_gathered() { return feed_.insert(); }
  /// Puts in a run that is new by its id; a constraint refuses one that is there.
  Result<void> begin(const RunRow& row) { return insert_run(row); }
  /// Fills `row` with what is stored now.
  Result<void> claim(RunRow& row);
  /// The batch was rolled back: nothing it said of its runs holds.
  void forget(const Batch& batch);
  void forget_run(const std::string& run_id) { heads_.forget(run_id); }
  void forget_all() { heads_.forget_all(); }
  /// A group is over; what was gathered and not put is dropped.
  void end_group();
  /// The incarnation under which runs are claimed from here on; 0: nobody has joined.
  void hold_as(std::uint64_t incarnation) { holder_ = incarnation; }

 private:
  struct Statements {
    Statement insert_run, update_run, claim_run, insert_entry, insert_usage, insert_breaker, insert_control,
        insert_exposure, replace_memory, insert_decision, forget_decisions, take_signal, insert_feedback,
        drop_order;
  };
  Writer(Connection& connection, BlobStore blobs, RunHeads heads, EntryFeed feed, Statements statements);

  Result<void> put_run(const RunRow& row);
  Result<void> drop_order(const RunRow& row, std::int64_t id);
  Result<void> insert_run(const RunRow& row);
  Result<void> take_over(RunRow& row);
  Result<void> put_beside(const Batch& batch);
  Result<void> put_entry(const Entry& entry);
  Result<void> gather_entry(const Entry& entry);
  Result<RunHead*> head_for(const Entry& entry);
  Result<void> put_usage(const UsageRow& row);
  Result<void> put_breaker(const BreakerRow& row);
  Result<void> put_memory(const BreakerMemoryRow& row);
  Result<void> put_control(const ControlRow& row);
  Result<void> put_exposure(const ExposureRow& row);
  Result<void> put_decision(const DecisionRow& row);
  Result<void> put_feedback(const FeedbackRow& row);

  Connection* connection_;
  BlobStore blobs_;
  RunHeads heads_;
  EntryFeed feed_;
  Statements statements_;
  std::uint64_t decisions_put_ = 0, holder_ = 0;
};

}  // namespace troupe::journal
