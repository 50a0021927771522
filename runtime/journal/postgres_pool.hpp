// Connections to PostgreSQL beside the committer's: one for each thread that asks at the same time.
#pragma once

#include "runtime/journal/postgres_connection.hpp"

#include <mutex>
#include <utility>
#include <vector>

namespace troupe::journal {

/// Thread-safe. A connection is opened when none is idle, and a few are kept.
class PgPool {
 public:
  explicit PgPool(PgTarget target) : target_(std::move(target)) {}

  /// Calls `query` with a connection of this thread's own and answers what it answers. A connection that
  /// turns out to be lost is replaced once: the server may have been started anew since it was last used. So
  /// what `query` does must bear being done twice.
  template <class Query>
  auto ask(Query query) -> decltype(query(std::declval<PgConnection&>())) {
    for (bool fresh = false;; fresh = true) {
      auto connection = fresh ? PgConnection::open(target_) : take();
      if (!connection) return std::unexpected(std::move(connection.error()));
      auto answer = query(*connection);
      bool lost = connection->lost();
      if (!lost) give_back(std::move(*connection));
      if (answer || !lost || fresh) return answer;
      forget_idle();
    }
  }

 private:
  Result<PgConnection> take();
  void give_back(PgConnection connection);
  void forget_idle();

  PgTarget target_;
  std::mutex mutex_;
  std::vector<PgConnection> idle_;
};

}  // namespace troupe::journal
