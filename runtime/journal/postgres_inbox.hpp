// The inbox of runs in PostgreSQL (journal.hpp): signals written down by anyone, found by the runs' holders.
#pragma once

#include "runtime/journal/journal.hpp"
#include "runtime/journal/postgres_pool.hpp"

#include <string>
#include <vector>

namespace troupe::journal {

/// `channel`: where the holder is told that it should look.
Result<void> pg_post(PgPool& pool, const std::string& channel, SignalRow signal);
Result<std::vector<SignalRow>> pg_inbox(PgConnection& connection, std::uint64_t holder, std::uint64_t after,
                                        std::size_t limit);

}  // namespace troupe::journal
