#include "runtime/journal/postgres_pool.hpp"

namespace troupe::journal {
namespace {

constexpr std::size_t kIdleConnectionsMax = 4;

}  // namespace

Result<PgConnection> PgPool::take() {
  {
    std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      auto connection = std::move(idle_.back());
      idle_.pop_back();
      return connection;
    }
  }
  return PgConnection::open(target_);
}

void PgPool::give_back(PgConnection connection) {
  std::lock_guard lock(mutex_);
  if (idle_.size() < kIdleConnectionsMax) idle_.push_back(std::move(connection));
}

void PgPool::forget_idle() {
  std::lock_guard lock(mutex_);
  idle_.clear();
}

}  // namespace troupe::journal
