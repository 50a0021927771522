// Connections for reading, one for each thread that reads at the same time.
#pragma once

#include "runtime/journal/database.hpp"

#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace troupe::journal {

/// Thread-safe. A connection is opened when none is idle, and a few are kept.
class Readers {
 public:
  explicit Readers(std::string path) : path_(std::move(path)) {}

  /// Calls `query` with a connection of this thread's own and answers what it answers.
  template <class Query>
  auto ask(Query query) -> decltype(query(std::declval<Connection&>())) {
    auto connection = take();
    if (!connection) return std::unexpected(std::move(connection.error()));
    auto answer = query(*connection);
    give_back(std::move(*connection));
    return answer;
  }

 private:
  Result<Connection> take();
  void give_back(Connection connection);

  std::string path_;
  std::mutex mutex_;
  std::vector<Connection> idle_;
};

}  // namespace troupe::journal
