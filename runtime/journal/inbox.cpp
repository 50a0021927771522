#include "runtime/journal/inbox.hpp"

#include "runtime/journal/file_lock.hpp"
#include "runtime/journal/schema.hpp"

#include <fmt/format.h>

#include <optional>
#include <utility>

namespace troupe::journal {
namespace {

constexpr std::size_t kSignalNameMax = 200;

constexpr std::string_view kReceiver =
    "SELECT id, state, (SELECT count(*) FROM inbox WHERE inbox.run = run.id) FROM run WHERE run_id = ?";
constexpr std::string_view kPutSignal =
    "INSERT INTO inbox(run, signal, name, json, at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
// One without an id of its own has its number for one: those are never given twice.
constexpr std::string_view kReadSignals =
    "SELECT n, run_id, coalesce(signal, n), name, json, at FROM inbox JOIN run ON run.id = inbox.run"
    " WHERE n > ? AND state = 1 AND holder = ? ORDER BY n LIMIT ?";

/// A file that an older program keeps open would hold the signal without anyone looking for it.
Result<void> check_has_inbox(Connection& connection, const std::string& path) {
  auto version = connection.integer("PRAGMA user_version");
  if (!version) return std::unexpected(std::move(version.error()));
  if (*version >= kSchemaVersion) return {};
  auto lock = FileLock::acquire(path + ".lock");
  if (!lock)
    return fail(Errc::storage, fmt::format("journal {}: the file is of version {} and knows no signals for "
                                           "other processes; the one that has it open must be newer",
                                           path, *version));
  auto opened = open_for_writing({.path = path});
  return opened ? Result<void>() : std::unexpected(std::move(opened.error()));
}

}  // namespace

Result<void> validate(const SignalRow& signal) {
  if (signal.name.empty() || signal.name.size() > kSignalNameMax)
    return fail(Errc::invalid_input, fmt::format("the name of a signal has 1 to {} bytes", kSignalNameMax));
  if (signal.json.size() <= kSignalBytesMax) return {};
  return fail(Errc::invalid_input,
              fmt::format("the signal has {} bytes, {} are allowed", signal.json.size(), kSignalBytesMax));
}

std::unexpected<Error> no_such_run(const std::string& run_id) {
  return fail(Errc::not_found, fmt::format("no run {} is known here", run_id));
}

Result<void> check_room(const SignalRow& signal, RunState state, std::size_t waiting) {
  if (state == RunState::done || state == RunState::cancelled)
    return fail(Errc::invalid_input, fmt::format("run {} is {}: it waits for no signal any more",
                                                 signal.run_id, to_string(state)));
  bool order = signal.name == kCancelSignal;
  // A failed run is called off already; an order that waited would end the life that is tried next.
  if (order && state != RunState::running)
    return fail(Errc::invalid_input,
                fmt::format("run {} is {}: there is nothing to call off", signal.run_id, to_string(state)));
  if (order || waiting < kSignalsWaitingMax) return {};
  return fail(Errc::refused, fmt::format("{} signals wait for run {} already", waiting, signal.run_id));
}

Result<void> put_signal(Connection& connection, const SignalRow& signal) {
  auto receiver = connection.prepare(kReceiver);
  if (!receiver) return std::unexpected(std::move(receiver.error()));
  auto row = receiver->with(signal.run_id).step();
  if (!row) return std::unexpected(std::move(row.error()));
  if (!*row) return no_such_run(signal.run_id);
  auto run = receiver->integer(0);
  auto room = check_room(signal, static_cast<RunState>(receiver->integer(1)),
                         static_cast<std::size_t>(receiver->integer(2)));
  receiver->reset();
  if (!room) return room;
  auto put = connection.prepare(kPutSignal);
  if (!put) return std::unexpected(std::move(put.error()));
  std::optional<std::int64_t> id;
  if (signal.id != 0) id = static_cast<std::int64_t>(signal.id);
  return put->with(run, id, signal.name, BlobView{signal.json}, signal.at.ms).run();
}

Result<void> put_signal_beside(const std::string& path, const SignalRow& signal) {
  auto connection = Connection::open(path, Connection::Mode::write);
  if (!connection) return std::unexpected(std::move(connection.error()));
  if (auto known = check_has_inbox(*connection, path); !known) return known;
  // Folding the log into the file is the affair of who writes there all the time.
  auto ready = connection->execute("PRAGMA wal_autocheckpoint=0; PRAGMA synchronous=FULL;");
  return ready ? put_signal(*connection, signal) : ready;
}

Result<std::vector<SignalRow>> read_signals(Connection& connection, std::uint64_t holder, std::uint64_t after,
                                            std::size_t limit) {
  auto statement = connection.prepare(kReadSignals);
  if (!statement) return std::unexpected(std::move(statement.error()));
  std::vector<SignalRow> out;
  auto row = statement->with(after, holder, limit).step();
  for (; row && *row; row = statement->step())
    out.push_back({statement->text(1), statement->text(3), static_cast<std::uint64_t>(statement->integer(2)),
                   statement->text(4), WallTime{statement->integer(5)},
                   static_cast<std::uint64_t>(statement->integer(0))});
  if (!row) return std::unexpected(std::move(row.error()));
  return out;
}

}  // namespace troupe::journal
