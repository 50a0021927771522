#include "runtime/journal/postgres_membership.hpp"

#include "runtime/base/log.hpp"
#include "runtime/journal/postgres_queries.hpp"
#include "runtime/journal/postgres_schema.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace troupe::journal {
namespace {

/// How long fencing waits for a commit under way; a process that was stopped in the middle of one would hold
/// it for ever, so then its sessions are ended.
constexpr Duration kFencingPatience = std::chrono::seconds(2);

constexpr std::string_view kPgJoin = "SELECT join_node($1::text, $2::text, $3::text, $4::int8)";
constexpr std::string_view kPgReaddress =
    "UPDATE node SET address = $2::text, region = $3::text WHERE incarnation = $1::int8 AND NOT fenced"
    " RETURNING 1";
constexpr std::string_view kPgRenew =
    "UPDATE node SET lease_until = clock_timestamp() + $2::int8 * interval '1 ms'"
    " WHERE incarnation = $1::int8 AND NOT fenced RETURNING 1";
constexpr std::string_view kPgNodes =
    "SELECT id, incarnation, address, region, ms(joined), ms(lease_until),"
    " NOT fenced AND lease_until >= clock_timestamp() FROM node ORDER BY id";
constexpr std::string_view kPgExpired =
    "SELECT incarnation FROM node WHERE NOT fenced AND incarnation <> $1::int8 AND"
    " greatest(lease_until, pg_postmaster_start_time() + $2::int8 * interval '1 ms') < clock_timestamp()";
constexpr std::string_view kPgEndSessions =
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
    " AND application_name = 'troupe seat ' || $1::int8";
constexpr std::string_view kPgTakeRuns = "SELECT take_runs($1::int8, $2::text, $3::int8)";

// As take_runs does, of some kinds only. Runs that no living node holds are those of fenced seats and of 0.
constexpr std::string_view kPgFreeKinds =
    "SELECT f.workflow, f.version, count(*) FROM (SELECT incarnation FROM seat WHERE fenced UNION ALL SELECT "
    "0)"
    " free(holder), LATERAL (SELECT a.workflow, a.version FROM run a WHERE a.state = 1"
    " AND a.holder = free.holder OFFSET 0) f GROUP BY 1, 2 ORDER BY 1, 2";
constexpr std::string_view kPgTakeKinds =
    "UPDATE run SET epoch = epoch + 1, node = $2::text, holder = $1::int8"
    " FROM (SELECT hold_seat($1::int8)) held WHERE id IN"
    " (SELECT r.id FROM (SELECT incarnation FROM seat WHERE fenced UNION ALL SELECT 0) free(holder),"
    " LATERAL (SELECT a.id FROM run a WHERE a.state = 1 AND a.holder = free.holder AND EXISTS"
    " (SELECT 1 FROM unnest($4::text[], $5::text[]) k(workflow, version)"
    " WHERE k.workflow = a.workflow AND k.version = a.version) ORDER BY a.id LIMIT $3::int8"
    " FOR UPDATE SKIP LOCKED) r LIMIT $3::int8) RETURNING run_id::text";

PgTarget impatient(PgTarget target) {
  target.lock_max = kFencingPatience;
  return target;
}

}  // namespace

PgMembership::PgMembership(PgTarget target, PgSeat& seat, const Clock& clock, Timing timing)
    : target_(std::move(target)),
      seat_(seat),
      clock_(clock),
      timing_(timing),
      pool_(target_),
      fencing_pool_(impatient(target_)),
      heartbeat_(target_, channel_of(target_), clock, timing.renew_every,
                 {[this] { return renew(); }, [this] { return seat_.incarnation() != 0; }}) {}

std::int64_t PgMembership::lease_ms() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(timing_.lease).count();
}

std::string PgMembership::node_name() {
  std::lock_guard lock(mutex_);
  return node_;
}

/// Notes when the store says that the seat is gone.
Error PgMembership::seat_failure(PgConnection& connection, std::uint64_t mine, Error error) {
  if (connection.fault().state == kPgSeatLost) seat_.lose(mine);
  return error;
}

Result<bool> PgMembership::update_address(const std::string& address, const std::string& region) {
  auto mine = seat_.incarnation();
  if (mine == 0) return false;
  return pool_.ask([&](PgConnection& connection) -> Result<bool> {
    auto rows = connection.query(kPgReaddress, PgParams::of(mine, address, region));
    if (!rows) return std::unexpected(std::move(rows.error()));
    return rows->size() > 0;
  });
}

Result<std::uint64_t> PgMembership::join(const std::string& node, const std::string& address,
                                         const std::string& region) {
  if (auto ok = check_node_name(node); !ok) return std::unexpected(std::move(ok.error()));
  for (const auto& text : {node, address, region})
    if (!is_storable_text(text)) return fail(Errc::invalid_input, "a node's words must be UTF-8");
  if (node == node_name()) {
    auto same = update_address(address, region);
    if (!same) return std::unexpected(std::move(same.error()));
    if (*same) return seat_.incarnation();
  }
  auto ttl = lease_ms();
  auto sent = clock_.now();
  auto joined = pool_.ask([&](PgConnection& connection) -> Result<std::uint64_t> {
    auto rows = connection.query(kPgJoin, PgParams::of(node, address, region, ttl));
    if (!rows) return std::unexpected(std::move(rows.error()));
    return static_cast<std::uint64_t>(rows->integer(0, 0));
  });
  if (!joined) return joined;
  seat_.take(*joined, trusted_until(sent));
  std::lock_guard lock(mutex_);
  node_ = node;
  heartbeat_.wake();
  return joined;
}

Result<void> PgMembership::renew() {
  auto mine = seat_.incarnation();
  if (mine == 0) return fail(Errc::refused, "this node holds no seat");
  auto ttl = lease_ms();
  auto sent = clock_.now();
  auto renewed = pool_.ask([&](PgConnection& connection) -> Result<bool> {
    auto rows = connection.query(kPgRenew, PgParams::of(mine, ttl));
    if (!rows) return std::unexpected(std::move(rows.error()));
    return rows->size() > 0;
  });
  if (!renewed) return std::unexpected(std::move(renewed.error()));
  if (*renewed) return seat_.extend(trusted_until(sent)), Result<void>();
  seat_.lose(mine);
  return fail(Errc::refused, fmt::format("node {} is fenced: it has to join anew", node_name()));
}

Result<std::vector<NodeRow>> PgMembership::nodes() {
  return pool_.ask([](PgConnection& connection) -> Result<std::vector<NodeRow>> {
    auto rows = connection.query(kPgNodes);
    if (!rows) return std::unexpected(std::move(rows.error()));
    std::vector<NodeRow> out;
    for (std::size_t row = 0; row < rows->size(); ++row)
      out.push_back({rows->text(row, 0), static_cast<std::uint64_t>(rows->integer(row, 1)),
                     rows->text(row, 2), rows->text(row, 3), WallTime{rows->integer(row, 4)},
                     WallTime{rows->integer(row, 5)}, rows->integer(row, 6) != 0});
    return out;
  });
}

/// Each in a transaction of its own, so that one that has to be waited for does not hold up the others.
Result<void> PgMembership::fence_the_dead() {
  auto mine = seat_.incarnation();
  auto ttl = lease_ms();
  std::vector<std::uint64_t> dead;
  auto found = pool_.ask([&](PgConnection& connection) -> Result<void> {
    auto rows = connection.query(kPgExpired, PgParams::of(mine, ttl));
    if (!rows) return std::unexpected(std::move(rows.error()));
    dead.clear();
    for (std::size_t row = 0; row < rows->size(); ++row)
      dead.push_back(static_cast<std::uint64_t>(rows->integer(row, 0)));
    return {};
  });
  if (!found) return found;
  for (auto incarnation : dead)
    if (auto fenced = fence(incarnation); !fenced) log::warn("journal", fenced.error().what);
  return {};
}

Result<void> PgMembership::fence(std::uint64_t incarnation) {
  auto ttl = lease_ms();
  return fencing_pool_.ask([&](PgConnection& connection) -> Result<void> {
    constexpr std::string_view fence = "SELECT fence_node($1::int8, $2::int8)";
    auto done = connection.query(fence, PgParams::of(incarnation, ttl));
    if (!done && connection.fault().state == "55P03") {
      auto ended = connection.query(kPgEndSessions, PgParams::of(incarnation));
      if (ended) done = connection.query(fence, PgParams::of(incarnation, ttl));
    }
    if (!done) return std::unexpected(std::move(done.error()));
    return {};
  });
}

Result<std::vector<RunRow>> PgMembership::take_batch(std::size_t count) {
  auto mine = seat_.incarnation();
  auto node = node_name();
  return pool_.ask([&](PgConnection& connection) -> Result<std::vector<RunRow>> {
    auto rows = connection.query(kPgTakeRuns, PgParams::of(mine, node, count));
    if (!rows) return std::unexpected(seat_failure(connection, mine, std::move(rows.error())));
    std::vector<std::string> ids;
    for (std::size_t row = 0; row < rows->size(); ++row) ids.push_back(rows->text(row, 0));
    return ids.empty() ? std::vector<RunRow>() : pg_runs_named(connection, ids);
  });
}

Result<std::vector<RunRow>> PgMembership::take_over(std::size_t limit) {
  if (seat_.incarnation() == 0) return fail(Errc::refused, "this node holds no seat");
  if (auto fenced = fence_the_dead(); !fenced) return std::unexpected(std::move(fenced.error()));
  std::vector<RunRow> taken;
  while (taken.size() < limit) {
    auto batch = take_batch(std::min(limit - taken.size(), kTakeOverBatch));
    if (!batch) return batch;
    if (batch->empty()) break;
    std::ranges::move(*batch, std::back_inserter(taken));
  }
  return taken;
}

Result<std::vector<RunKind>> PgMembership::free_kinds() {
  return pool_.ask([](PgConnection& connection) -> Result<std::vector<RunKind>> {
    auto rows = connection.query(kPgFreeKinds);
    if (!rows) return std::unexpected(std::move(rows.error()));
    std::vector<RunKind> kinds;
    for (std::size_t row = 0; row < rows->size(); ++row)
      kinds.push_back(
          {rows->text(row, 0), rows->text(row, 1), static_cast<std::uint64_t>(rows->integer(row, 2))});
    return kinds;
  });
}

Result<std::vector<RunRow>> PgMembership::take_kinds(std::size_t count, const std::vector<RunKind>& kinds) {
  auto mine = seat_.incarnation();
  auto node = node_name();
  PgColumn workflows(PgColumn::Type::text), versions(PgColumn::Type::text);
  for (const auto& kind : kinds) {
    workflows.add(kind.workflow);
    versions.add(kind.version);
  }
  return pool_.ask([&](PgConnection& connection) -> Result<std::vector<RunRow>> {
    auto rows = connection.query(kPgTakeKinds, PgParams::of(mine, node, count, workflows, versions));
    if (!rows) return std::unexpected(seat_failure(connection, mine, std::move(rows.error())));
    std::vector<std::string> ids;
    for (std::size_t row = 0; row < rows->size(); ++row) ids.push_back(rows->text(row, 0));
    return ids.empty() ? std::vector<RunRow>() : pg_runs_named(connection, ids);
  });
}

Result<std::vector<RunRow>> PgMembership::take_over_served(std::size_t limit, const Serves& serves,
                                                           std::vector<RunKind>* waiting) {
  if (seat_.incarnation() == 0) return fail(Errc::refused, "this node holds no seat");
  if (auto fenced = fence_the_dead(); !fenced) return std::unexpected(std::move(fenced.error()));
  auto kinds = free_kinds();
  if (!kinds) return std::unexpected(std::move(kinds.error()));
  keep_served(*kinds, serves, waiting);
  std::vector<RunRow> taken;
  while (taken.size() < limit && !kinds->empty()) {
    auto batch = take_kinds(std::min(limit - taken.size(), kTakeOverBatch), *kinds);
    if (!batch) return batch;
    if (batch->empty()) break;
    std::ranges::move(*batch, std::back_inserter(taken));
  }
  return taken;
}

Result<void> PgMembership::leave() {
  auto mine = seat_.incarnation();
  if (mine == 0) return {};
  auto left = pool_.ask([&](PgConnection& connection) -> Result<void> {
    auto rows = connection.query("SELECT leave_node($1::int8)", PgParams::of(mine));
    if (!rows) return std::unexpected(std::move(rows.error()));
    return {};
  });
  if (left) seat_.lose(mine);
  return left;
}

Result<void> PgMembership::poke(const std::string& topic) {
  if (auto ok = check_node_name(topic); !ok) return ok;
  if (!is_storable_text(topic)) return fail(Errc::invalid_input, "a topic must be UTF-8");
  return pool_.ask([&](PgConnection& connection) -> Result<void> {
    auto rows =
        connection.query("SELECT pg_notify($1::text, $2::text)", PgParams::of(heartbeat_.channel(), topic));
    if (!rows) return std::unexpected(std::move(rows.error()));
    return {};
  });
}

void PgMembership::watch(std::function<void(const std::string&)> hint) { heartbeat_.watch(std::move(hint)); }

}  // namespace troupe::journal
