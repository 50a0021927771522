// The entries of a whole group as one INSERT: a table that SQLite reads from memory.
#pragma once

#include "runtime/journal/blob_store.hpp"
#include "runtime/journal/database.hpp"
#include "runtime/journal/journal.hpp"

#include <cstdint>
#include <memory>

namespace troupe::journal {

/// Used by the writer's thread only, with its connection, which must outlive it. A statement for each entry
/// opens a cursor on the table and on each of its indexes anew: 3.3 to 4.2 us an entry, where this takes 1.7
/// to 2.0 (measured with entries of 15 bytes, 100 a commit, in memory).
class EntryFeed {
 public:
  static Result<EntryFeed> open(Connection& connection);
  EntryFeed(EntryFeed&&) noexcept;
  ~EntryFeed();

  /// To be inserted by the next `insert`, in this order; the entry and what `payload` views live until then.
  void add(std::int64_t run, const Entry& entry, Stored payload);
  bool empty() const;
  void clear();
  /// Puts all that was added, and forgets it. After a failure (invalid_input: a constraint refuses one of
  /// them) some may have been inserted: roll the transaction back.
  Result<void> insert();

 private:
  struct Rows;
  EntryFeed(std::unique_ptr<Rows> rows, Statement insert);

  std::unique_ptr<Rows> rows_;
  Statement insert_;
};

}  // namespace troupe::journal
