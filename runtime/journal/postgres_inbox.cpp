#include "runtime/journal/postgres_inbox.hpp"

#include "runtime/journal/inbox.hpp"
#include "runtime/journal/postgres_group.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace troupe::journal {
namespace {

constexpr std::string_view kPgReceiver =
    "SELECT id, state, (SELECT count(*) FROM inbox WHERE run = r.id), nextval('signal_seq') FROM run r"
    " WHERE run_id = $1::text";
constexpr std::string_view kPgPost =
    "WITH put AS (INSERT INTO inbox(run, signal, name, json, at)"
    " VALUES ($1::int8, $2::int8, $3::text, $4::bytea, $5::int8) ON CONFLICT DO NOTHING)"
    " SELECT pg_notify($6::text, $7::text)";
constexpr std::string_view kPgSignals =
    "SELECT n, run_id, signal, name, json, inbox.at FROM inbox JOIN run ON run.id = inbox.run"
    " WHERE n > $1::int8 AND state = 1 AND holder = $2::int8 ORDER BY n LIMIT $3::int8";

struct Receiver {
  std::int64_t run = 0, fresh_id = 0;
};

Result<Receiver> receiver_of(PgConnection& connection, const SignalRow& signal) {
  auto rows = connection.query(kPgReceiver, PgParams::of(signal.run_id));
  // A schema that no node of this version has opened knows no inbox.
  if (!rows && connection.fault().state == "42P01")
    return fail(Errc::storage,
                "journal: the schema is of an older version, which keeps no signals; a node of "
                "this version brings it up to date");
  if (!rows) return std::unexpected(std::move(rows.error()));
  if (rows->size() == 0) return no_such_run(signal.run_id);
  auto room = check_room(signal, static_cast<RunState>(rows->integer(0, 1)),
                         static_cast<std::size_t>(rows->integer(0, 2)));
  if (!room) return std::unexpected(std::move(room.error()));
  return Receiver{rows->integer(0, 0), rows->integer(0, 3)};
}

}  // namespace

// In two questions: each may be put twice when a connection breaks, and the second bears that only because
// the signal has its id by then.
Result<void> pg_post(PgPool& pool, const std::string& channel, SignalRow signal) {
  if (!is_storable_text(signal.run_id) || !is_storable_text(signal.name))
    return fail(Errc::invalid_input, "a signal's words must be UTF-8");
  auto receiver = pool.ask([&](PgConnection& c) { return receiver_of(c, signal); });
  if (!receiver) return std::unexpected(std::move(receiver.error()));
  if (signal.id == 0) signal.id = static_cast<std::uint64_t>(receiver->fresh_id);
  std::string topic = kInboxTopic;
  return pool.ask([&](PgConnection& connection) -> Result<void> {
    auto done = connection.query(kPgPost, PgParams::of(receiver->run, signal.id, signal.name, signal.json,
                                                       signal.at.ms, channel, topic));
    return done ? Result<void>() : std::unexpected(std::move(done.error()));
  });
}

Result<std::vector<SignalRow>> pg_inbox(PgConnection& connection, std::uint64_t holder, std::uint64_t after,
                                        std::size_t limit) {
  auto most = std::min<std::size_t>(limit, std::numeric_limits<std::int32_t>::max());
  auto rows = connection.query(kPgSignals, PgParams::of(after, holder, most));
  if (!rows) return std::unexpected(std::move(rows.error()));
  std::vector<SignalRow> out;
  for (std::size_t row = 0; row < rows->size(); ++row)
    out.push_back({rows->text(row, 1), rows->text(row, 3), static_cast<std::uint64_t>(rows->integer(row, 2)),
                   rows->text(row, 4), WallTime{rows->integer(row, 5)},
                   static_cast<std::uint64_t>(rows->integer(row, 0))});
  return out;
}

}  // namespace troupe::journal
