// The tables of the journal file, and what makes a file one of ours.
#pragma once

#include "runtime/journal/database.hpp"
#include "runtime/journal/journal.hpp"

#include <string>

namespace troupe::journal {

/// Raised when tables are added; a file of an older version is given them when it is opened for writing. A
/// file of a newer version is refused, never guessed at.
inline constexpr int kSchemaVersion = 9;

/// Not 0 when rows of the ledger know their price, as they do since version 4.
inline constexpr const char* kHasPrices =
    "SELECT count(*) FROM pragma_table_info('usage') WHERE name = 'price'";

/// Not 0 when runs know their parents, as they do since version 6.
inline constexpr const char* kHasParents =
    "SELECT count(*) FROM pragma_table_info('run') WHERE name = 'parent'";

/// Not 0 when runs say how durable they are, as they do since version 9.
inline constexpr const char* kHasDurability =
    "SELECT count(*) FROM pragma_table_info('run') WHERE name = 'durability'";

/// Not 0 when decisions know their steps and ratings are kept, as since version 8.
inline constexpr const char* kHasFeedback =
    "SELECT count(*) FROM pragma_table_info('decision') WHERE name = 'arm'";

/// Payloads, inputs and outputs above this are stored once by content, in a table of their own, so that the
/// pages of histories stay small (RUNTIME 5.2; the cure for its pain 6).
inline constexpr std::size_t kInlineBytesMax = 8u << 10;

/// Opens or creates the file for writing: tables there, WAL on, no automatic checkpoints.
/// `storage` when it is no journal, is damaged, or is of a newer version; such a file is left as it was.
Result<Connection> open_for_writing(const SqliteConfig& config);

/// Opens an existing journal for reading. `input_missing` when there is no such file, else as above.
Result<Connection> open_for_reading(const std::string& path);

}  // namespace troupe::journal
