// One group commit on its way into PostgreSQL: which of its jobs are allowed, and the rows they become.
#pragma once

#include "runtime/journal/job_queue.hpp"
#include "runtime/journal/postgres_connection.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace troupe::journal {

/// What must be known of a run before it may be added to.
struct PgHead {
  /// The run's integer id in the store.
  std::int64_t id = 0;
  std::uint64_t epoch = 0;
  /// Of the last entry; 0 when there is none.
  std::uint64_t seq = 0;
  RunState state = RunState::running;
  /// The incarnation that holds it.
  std::uint64_t holder = 0;
};
/// Heads of running runs that this node holds. Nobody else may change those while the node is not fenced, so
/// what is remembered stays true; other runs are read anew, under a lock, by each group that adds to them.
using PgHeads = std::unordered_map<std::string, PgHead>;

/// Rows of one table, column by column. Types: i integer, r real, t text, b bytes.
class PgTable {
 public:
  explicit PgTable(std::string_view types);

  template <class... Values>
  void add(const Values&... values) {
    std::size_t at = 0;
    (columns_[at++].add(values), ...);
  }
  std::size_t rows() const { return columns_.front().rows(); }
  void put_into(PgParams& params);

 private:
  std::vector<PgColumn> columns_;
};

/// Lives for one attempt to commit; what it has learned is kept only when that attempt becomes durable. Used
/// by the committer's thread only; touches no connection.
class PgGroup {
 public:
  /// `mine` is the incarnation that writes. `known` must outlive it.
  PgGroup(const PgHeads& known, std::uint64_t mine);

  /// Before anything is admitted: notes which heads the job needs.
  void want(const Job& job);
  /// Runs whose heads must be read first.
  const std::set<std::string>& unknown() const { return unknown_; }
  /// Ids for new runs that may be needed: to be learned before anything is admitted.
  std::size_t ids_wanted() const { return ids_wanted_; }
  /// Whether some content of it goes to the blob table.
  bool has_large() const { return has_large_; }
  void learn(const std::string& run_id, const PgHead& head) { heads_[run_id] = head; }
  void learn_id(std::int64_t id) { ids_.push_back(id); }

  /// Adds the job's rows, or says why not and adds nothing.
  Result<void> admit(const Job& job);
  /// Sends the statements that write what was admitted.
  Result<void> send(PgConnection& connection);
  /// It is durable: moves what may be remembered into `known`.
  void keep(PgHeads& known) const;
  /// It is not, or nobody knows: drops from `known` whatever it touched.
  void forget(PgHeads& known) const;

 private:
  bool want_head(const std::string& run_id);
  PgHead* find(const std::string& run_id);
  Result<void> check_entries(const Batch& batch);
  Result<void> check_run(const RunRow& row);
  void put_run(const RunRow& row);
  void put_rows(const Batch& batch);
  void put_usage(const UsageRow& row);
  void add_run_rows();
  Result<void> send_runs(PgConnection& connection, std::string_view sql, PgTable& table) const;
  Result<void> drop_orders(PgConnection& connection) const;

  const PgHeads& known_;
  std::uint64_t mine_;
  std::set<std::string> unknown_, fresh_;
  std::size_t ids_wanted_ = 0;
  bool has_large_ = false;
  std::vector<std::int64_t> ids_;
  std::unordered_map<std::string, PgHead> heads_;
  /// By id; the last row of a run wins.
  std::map<std::int64_t, const RunRow*> inserts_, updates_;
  std::set<std::int64_t> begun_again_;
  std::map<std::string, const BreakerMemoryRow*> last_memories_;
  PgTable entries_, run_inserts_, run_updates_, usage_, breakers_, memories_, controls_, exposures_,
      decisions_, taken_, feedback_;
};

/// Whether PostgreSQL can store this as text: UTF-8 without zero bytes.
bool is_storable_text(std::string_view text);
/// `invalid_input` when a text of the batch is not, or the batch is larger than one statement can be.
Result<void> validate_for_postgres(const Batch& batch);
Result<void> validate_for_postgres(const RunRow& row);

}  // namespace troupe::journal
