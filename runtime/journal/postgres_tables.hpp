// The text of the schema: what prepare_schema() sends, in this order.
#pragma once

namespace troupe::journal {

extern const char* const kPgTables;
/// Needs the tables. What version 2 added; a schema of version 1 is given it.
extern const char* const kPgInbox;
/// Needs the tables. What version 3 added, likewise.
extern const char* const kPgFeedback;
/// Needs the tables.
extern const char* const kPgSeats;
/// Needs the seats.
extern const char* const kPgMembership;
extern const char* const kPgBlobLock;
/// Needs the tables. What version 5 added: what a run's record survives; and how runs are claimed since.
extern const char* const kPgDurability;
extern const char* const kPgClaim;
/// Needs the rest. What version 4 changed; an older schema is given it.
extern const char* const kPgForget;

}  // namespace troupe::journal
