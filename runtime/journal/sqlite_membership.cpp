#include "runtime/journal/sqlite_membership.hpp"

#include "runtime/base/clock.hpp"
#include "runtime/journal/queries.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace troupe::journal {
namespace {

constexpr std::string_view kJoin =
    "INSERT INTO node(id, incarnation, address, region, joined)"
    " VALUES (?1, (SELECT coalesce(max(incarnation), 0) + 1 FROM node), ?3, ?4, ?5) ON CONFLICT(id) DO UPDATE"
    " SET address = excluded.address, region = excluded.region,"
    " incarnation = CASE ?2 WHEN 0 THEN excluded.incarnation ELSE ?2 END,"
    " joined = CASE ?2 WHEN 0 THEN excluded.joined ELSE joined END";
constexpr std::string_view kAbandoned =
    "SELECT run_id FROM run WHERE state = 1 AND holder <> ? ORDER BY id LIMIT ?";

constexpr std::string_view kAbandonedKinds =
    "SELECT workflow, version, count(*) FROM run WHERE state = 1 AND holder <> ? GROUP BY 1, 2 ORDER BY 1, 2";
constexpr std::string_view kAbandonedOfKind =
    "SELECT run_id FROM run WHERE state = 1 AND holder <> ? AND workflow = ? AND version = ? ORDER BY id"
    " LIMIT ?";

Result<std::vector<RunKind>> abandoned_kinds(Connection& connection, std::uint64_t incarnation) {
  auto statement = connection.prepare(kAbandonedKinds);
  if (!statement) return std::unexpected(std::move(statement.error()));
  std::vector<RunKind> kinds;
  auto row = statement->with(incarnation).step();
  for (; row && *row; row = statement->step())
    kinds.push_back(
        {statement->text(0), statement->text(1), static_cast<std::uint64_t>(statement->integer(2))});
  if (!row) return std::unexpected(std::move(row.error()));
  return kinds;
}

/// Of one kind, or of any when there is none.
Result<std::vector<std::string>> abandoned(Connection& connection, std::uint64_t incarnation,
                                           const RunKind* kind, std::size_t limit) {
  auto statement = connection.prepare(kind != nullptr ? kAbandonedOfKind : kAbandoned);
  if (!statement) return std::unexpected(std::move(statement.error()));
  if (kind == nullptr) statement->with(incarnation, limit);
  if (kind != nullptr) statement->with(incarnation, kind->workflow, kind->version, limit);
  std::vector<std::string> ids;
  auto row = statement->step();
  for (; row && *row; row = statement->step()) ids.push_back(statement->text(0));
  if (!row) return std::unexpected(std::move(row.error()));
  return ids;
}

}  // namespace

void keep_served(std::vector<RunKind>& kinds, const Serves& serves, std::vector<RunKind>* waiting) {
  auto rest = std::stable_partition(kinds.begin(), kinds.end(), serves);
  if (waiting != nullptr) waiting->assign(rest, kinds.end());
  kinds.erase(rest, kinds.end());
}

Result<void> check_node_name(const std::string& name) {
  if (!name.empty() && name.size() <= kNodeNameBytesMax) return {};
  return fail(Errc::invalid_input, fmt::format("the name of a node or topic has 1 to {} bytes, not {}",
                                               kNodeNameBytesMax, name.size()));
}

SqliteMembership::Seat SqliteMembership::seat() const {
  std::lock_guard lock(mutex_);
  return seat_;
}

Result<void> SqliteMembership::work(std::function<Result<void>(Connection&, Writer&)> work) {
  Job job;
  job.work = std::move(work);
  return committer_.push_and_wait(std::move(job));
}

Result<std::uint64_t> SqliteMembership::join(const std::string& node, const std::string& address,
                                             const std::string& region) {
  if (auto ok = check_node_name(node); !ok) return std::unexpected(std::move(ok.error()));
  auto now = system_clock().wall();
  auto held = seat();
  std::uint64_t again = held.node == node ? held.incarnation : 0, incarnation = 0;
  auto joined = work([&](Connection& connection, Writer& writer) -> Result<void> {
    auto put = connection.prepare(kJoin);
    if (!put) return std::unexpected(std::move(put.error()));
    if (auto done = put->with(node, again, address, region, now.ms).run(); !done) return done;
    auto get = connection.prepare("SELECT incarnation FROM node WHERE id = ?");
    if (!get) return std::unexpected(std::move(get.error()));
    if (auto row = get->with(node).step(); !row) return std::unexpected(std::move(row.error()));
    incarnation = static_cast<std::uint64_t>(get->integer(0));
    writer.hold_as(incarnation);
    return {};
  });
  if (!joined) return std::unexpected(std::move(joined.error()));
  std::lock_guard lock(mutex_);
  seat_ = {node, incarnation};
  return incarnation;
}

Result<void> SqliteMembership::renew() {
  return held() ? Result<void>() : fail(Errc::refused, "this node has not joined");
}

bool SqliteMembership::held() const { return seat().incarnation != 0; }

Result<std::vector<NodeRow>> SqliteMembership::nodes() {
  auto held = seat();
  return readers_.ask([&](Connection& connection) -> Result<std::vector<NodeRow>> {
    auto all = connection.prepare("SELECT id, incarnation, address, region, joined FROM node ORDER BY id");
    if (!all) return std::unexpected(std::move(all.error()));
    std::vector<NodeRow> rows;
    auto row = all->step();
    for (; row && *row; row = all->step()) {
      auto incarnation = static_cast<std::uint64_t>(all->integer(1));
      bool alive = incarnation == held.incarnation;
      rows.push_back({all->text(0), incarnation, all->text(2), all->text(3), WallTime{all->integer(4)},
                      WallTime{alive ? INT64_MAX : 0}, alive});
    }
    if (!row) return std::unexpected(std::move(row.error()));
    return rows;
  });
}

Result<std::vector<RunRow>> SqliteMembership::take_over(std::size_t limit) {
  std::vector<RunRow> taken;
  auto done = take(nullptr, limit, taken);
  return done ? Result<std::vector<RunRow>>(std::move(taken)) : std::unexpected(std::move(done.error()));
}

Result<std::vector<RunRow>> SqliteMembership::take_over_served(std::size_t limit, const Serves& serves,
                                                               std::vector<RunKind>* waiting) {
  auto mine = seat().incarnation;
  auto kinds = readers_.ask([&](Connection& connection) { return abandoned_kinds(connection, mine); });
  if (!kinds) return std::unexpected(std::move(kinds.error()));
  keep_served(*kinds, serves, waiting);
  std::vector<RunRow> taken;
  for (const auto& kind : *kinds)
    if (auto done = take(&kind, limit, taken); !done) return std::unexpected(std::move(done.error()));
  return taken;
}

Result<void> SqliteMembership::take(const RunKind* kind, std::size_t limit, std::vector<RunRow>& taken) {
  auto held = seat();
  if (held.incarnation == 0) return fail(Errc::refused, "this node has not joined");
  while (taken.size() < limit) {
    std::vector<RunRow> batch;
    auto done = work([&](Connection& connection, Writer& writer) -> Result<void> {
      auto ids =
          abandoned(connection, held.incarnation, kind, std::min(limit - taken.size(), kTakeOverBatch));
      if (!ids) return std::unexpected(std::move(ids.error()));
      for (auto& id : *ids) {
        batch.push_back({.run_id = std::move(id), .node = held.node});
        if (auto claimed = writer.claim(batch.back()); !claimed) return claimed;
      }
      return {};
    });
    if (!done) return done;
    if (batch.empty()) break;
    std::ranges::move(batch, std::back_inserter(taken));
  }
  return {};
}

Result<void> SqliteMembership::leave() {
  auto left = work([](Connection&, Writer& writer) -> Result<void> {
    writer.hold_as(0);
    return {};
  });
  if (!left) return left;
  std::lock_guard lock(mutex_);
  seat_ = {};
  return {};
}

Result<void> SqliteMembership::poke(const std::string& topic) {
  if (auto ok = check_node_name(topic); !ok) return ok;
  std::lock_guard lock(hint_mutex_);
  if (hint_) hint_(topic);
  return {};
}

void SqliteMembership::watch(std::function<void(const std::string&)> hint) {
  std::lock_guard lock(hint_mutex_);
  hint_ = std::move(hint);
}

}  // namespace troupe::journal
