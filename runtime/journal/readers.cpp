// Which connection a reading thread gets.
#include "runtime/journal/readers.hpp"

#include "runtime/journal/schema.hpp"

namespace troupe::journal {
namespace {

constexpr std::size_t kIdleReadersMax = 4;

}  // namespace

Result<Connection> Readers::take() {
  {
    std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      auto connection = std::move(idle_.back());
      idle_.pop_back();
      return connection;
    }
  }
  return open_for_reading(path_);
}

void Readers::give_back(Connection connection) {
  if (connection.broken()) return;
  std::lock_guard lock(mutex_);
  if (idle_.size() < kIdleReadersMax) idle_.push_back(std::move(connection));
}

}  // namespace troupe::journal
