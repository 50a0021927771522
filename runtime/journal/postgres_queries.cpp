#include "runtime/journal/postgres_queries.hpp"

#include "runtime/journal/postgres_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <type_traits>
#include <utility>

namespace troupe::journal {
namespace {

constexpr std::string_view kPgRunColumns =
    "SELECT run_id, workflow, state, coalesce(i.bytes, input), coalesce(o.bytes, output), tenant, node, "
    "epoch,"
    " created, finished, usd, tokens_in, tokens_out, parent, budget, version, wake, durability FROM run"
    " LEFT JOIN blob i ON i.sha = input_sha LEFT JOIN blob o ON o.sha = output_sha ";
constexpr std::string_view kPgHistory =
    "SELECT run_id, seq, kind, step_key, input_hash, e.epoch, attempt, at, coalesce(b.bytes, payload), lsn"
    " FROM run JOIN entry e ON e.run = run.id LEFT JOIN blob b ON b.sha = payload_sha"
    " WHERE run_id = $1::text ORDER BY seq";
// The latest snapshot is found from the end, along the primary key.
constexpr std::string_view kPgSinceSnapshot =
    "WITH r AS MATERIALIZED (SELECT id, run_id FROM run WHERE run_id = $1::text),"
    " s AS MATERIALIZED (SELECT coalesce((SELECT seq FROM entry WHERE run = (SELECT id FROM r) AND kind = 14"
    " ORDER BY seq DESC LIMIT 1), 0) AS seq)"
    " SELECT run_id, e.seq, kind, step_key, input_hash, e.epoch, attempt, at, coalesce(b.bytes, payload), lsn"
    " FROM r JOIN entry e ON e.run = r.id LEFT JOIN blob b ON b.sha = payload_sha"
    " WHERE e.seq >= (SELECT seq FROM s) ORDER BY e.seq";
constexpr std::string_view kPgUsage =
    "SELECT run_id, step_key, attempt, feature, tenant, model, endpoint, cause, error, node, input, output,"
    " cache_read, cache_write, reasoning, estimated, usd, started, ttft_ns, total_ns, price, unit_hours"
    " FROM usage WHERE ($1::text = '' OR run_id = $1::text) AND started >= $2::int8 AND started < $3::int8"
    " ORDER BY id";
constexpr const char* kPgCost =
    "SELECT {0}, count(*), count(*) FILTER (WHERE error <> ''), sum(input)::int8, sum(output)::int8,"
    " sum(cache_read)::int8, sum(cache_write)::int8, sum(reasoning)::int8, max(estimated), sum(usd),"
    " sum(floor(usd * 1e9 + 0.5)::int8)::int8, sum(unit_hours), count(*) FILTER (WHERE price = 'unpriced')"
    " FROM usage WHERE ($1::text = '' OR run_id = $1::text) AND started >= $2::int8 AND started < $3::int8"
    " GROUP BY {0} ORDER BY sum(usd) DESC, {0}";
constexpr int kPgCostKeysMax = 10;
constexpr std::string_view kPgDue =
    "SELECT run_id FROM run WHERE state = 1 AND wake > 0 AND wake <= $1::int8 ORDER BY wake, id"
    " LIMIT $2::int8";
constexpr std::string_view kPgDueOf =
    "SELECT run_id FROM run WHERE state = 1 AND wake > 0 AND wake <= $1::int8 AND holder = $3::int8"
    " ORDER BY wake, id LIMIT $2::int8";
constexpr std::string_view kPgBreakers =
    "SELECT endpoint, node, before, after, reason, detail, at, cool_until, share FROM breaker"
    " WHERE at >= $1::int8 ORDER BY id";
constexpr std::string_view kPgControls =
    "SELECT kind, subject, epoch, node, body, who, why, at FROM control WHERE at >= $1::int8 ORDER BY id";
constexpr std::string_view kPgExposures =
    "SELECT experiment, version, arm, count(*), min(at), max(at) FROM exposure GROUP BY 1, 2, 3"
    " ORDER BY 1, 5, 3";
constexpr std::string_view kPgFeedbackRows =
    "SELECT * FROM (SELECT run_id, step_key, rater, decision, feature, tenant, arm, model, endpoint, surface,"
    " note, node, score, asked_share, at, n FROM feedback WHERE ($1::text = '' OR run_id = $1::text)"
    " AND ($2::text = '' OR step_key = $2::text) AND at >= $3::int8 ORDER BY n DESC LIMIT $4::int8) newest"
    " ORDER BY n";
constexpr std::string_view kPgDecision =
    "SELECT id, body, at, run_id, step_key, arm FROM decision WHERE id = $1::text";
constexpr std::string_view kPgMemories = "SELECT endpoint, node, memory, at FROM breaker_memory ORDER BY 1";

/// How a word of `by` is read from a row; nothing for other words.
std::optional<std::string_view> pg_cost_column(std::string_view word) {
  constexpr std::string_view plain[] = {"feature", "tenant", "model", "endpoint", "cause", "node", "price"};
  for (auto column : plain)
    if (column == word) return column;
  if (word == "run") return "run_id";
  if (word == "hour")
    return "to_char(to_timestamp(started / 1000) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:00:00\"Z\"')";
  if (word == "day") return "to_char(to_timestamp(started / 1000) AT TIME ZONE 'UTC', 'YYYY-MM-DD')";
  return std::nullopt;
}

std::int64_t pg_limit_of(std::size_t limit) {
  auto most = static_cast<std::size_t>(std::numeric_limits<std::int64_t>::max());
  return static_cast<std::int64_t>(std::min(limit, most));
}

template <class Read>
auto pg_rows(PgConnection& connection, std::string_view sql, const PgParams& params, Read read)
    -> Result<std::vector<std::invoke_result_t<Read, const PgRows&, std::size_t>>> {
  auto rows = connection.query(sql, params);
  if (!rows) return std::unexpected(std::move(rows.error()));
  std::vector<std::invoke_result_t<Read, const PgRows&, std::size_t>> out;
  out.reserve(rows->size());
  for (std::size_t row = 0; row < rows->size(); ++row) out.push_back(read(*rows, row));
  return out;
}

Result<std::vector<RunRow>> pg_run_rows(PgConnection& connection, std::string_view rest,
                                        const PgParams& params) {
  return pg_rows(connection, fmt::format("{}{}", kPgRunColumns, rest), params, run_from);
}

}  // namespace

const std::string& run_rows_by_id() {
  static const std::string sql =
      fmt::format("{}WHERE run_id = ANY($1::text[]) ORDER BY run.id", kPgRunColumns);
  return sql;
}

Result<std::vector<RunRow>> pg_runs_named(PgConnection& connection, const std::vector<std::string>& run_ids) {
  PgColumn ids(PgColumn::Type::text);
  for (const auto& id : run_ids) ids.add(id);
  return pg_rows(connection, run_rows_by_id(), PgParams::of(ids), run_from);
}

Result<std::optional<RunRow>> pg_run(PgConnection& connection, const std::string& run_id) {
  auto rows = pg_run_rows(connection, "WHERE run_id = $1::text", PgParams::of(run_id));
  if (!rows) return std::unexpected(std::move(rows.error()));
  if (rows->empty()) return std::nullopt;
  return std::move(rows->front());
}

Result<std::vector<RunRow>> pg_runs(PgConnection& connection, std::size_t limit, const RunFilter& filter) {
  auto state = filter.state ? static_cast<int>(*filter.state) : 0;
  auto most = pg_limit_of(limit);
  return pg_run_rows(connection,
                     "WHERE ($1::int8 = 0 OR state = $1::int8) AND ($2::text = '' OR workflow = $2::text)"
                     " AND ($3::text = '' OR parent = $3::text) AND ($4::text = '' OR tenant = $4::text)"
                     " ORDER BY run.id DESC LIMIT $5::int8",
                     PgParams::of(state, filter.workflow, filter.parent, filter.tenant, most));
}

Result<std::vector<RunRow>> pg_children(PgConnection& connection, const std::string& run_id) {
  return pg_run_rows(connection, "WHERE parent <> '' AND parent = $1::text ORDER BY run.id",
                     PgParams::of(run_id));
}

Result<std::vector<RunRow>> pg_unfinished(PgConnection& connection, const std::string& node,
                                          std::size_t limit) {
  auto most = pg_limit_of(limit);
  if (node.empty())
    return pg_run_rows(connection, "WHERE state = 1 AND wake = 0 ORDER BY run.id LIMIT $1::int8",
                       PgParams::of(most));
  return pg_run_rows(connection,
                     "WHERE state = 1 AND wake = 0 AND node = $1::text ORDER BY run.id LIMIT $2::int8",
                     PgParams::of(node, most));
}

Result<std::vector<std::string>> pg_due(PgConnection& connection, WallTime until, std::size_t limit) {
  auto latest = std::min(until.ms, kWakeBySignal.ms - 1);
  auto most = pg_limit_of(limit);
  return pg_rows(connection, kPgDue, PgParams::of(latest, most),
                 [](const PgRows& rows, std::size_t row) { return rows.text(row, 0); });
}

Result<std::vector<std::string>> pg_due_of(PgConnection& connection, std::uint64_t holder, WallTime until,
                                           std::size_t limit) {
  auto latest = std::min(until.ms, kWakeBySignal.ms - 1);
  auto most = pg_limit_of(limit);
  return pg_rows(connection, kPgDueOf, PgParams::of(latest, most, holder),
                 [](const PgRows& rows, std::size_t row) { return rows.text(row, 0); });
}

Result<std::vector<Entry>> pg_since_snapshot(PgConnection& connection, const std::string& run_id) {
  return pg_rows(connection, kPgSinceSnapshot, PgParams::of(run_id), pg_entry_of);
}

Result<std::vector<Entry>> pg_history(PgConnection& connection, const std::string& run_id) {
  return pg_rows(connection, kPgHistory, PgParams::of(run_id), pg_entry_of);
}

Result<std::vector<UsageRow>> pg_usage(PgConnection& connection, const UsageFilter& filter) {
  return pg_rows(connection, kPgUsage, PgParams::of(filter.run_id, filter.since.ms, filter.until.ms),
                 pg_usage_of);
}

Result<std::vector<CostRow>> pg_cost(PgConnection& connection, const std::string& by,
                                     const UsageFilter& filter) {
  std::string columns;
  int keys = 0;
  std::string_view rest = by;
  for (bool more = true; more;) {
    auto cut = std::min(rest.find(','), rest.size());
    auto column = pg_cost_column(rest.substr(0, cut));
    if (!column || keys == kPgCostKeysMax)
      return fail(Errc::invalid_input,
                  fmt::format("cost by '{}': it must be feature, tenant, model, endpoint, cause, run, node, "
                              "price, hour or day",
                              by));
    columns += fmt::format("{}{}", keys++ > 0 ? ", " : "", *column);
    more = cut < rest.size();
    rest.remove_prefix(more ? cut + 1 : cut);
  }
  auto read = [keys](const PgRows& rows, std::size_t row) { return pg_cost_of(rows, row, keys); };
  return pg_rows(connection, fmt::format(fmt::runtime(kPgCost), columns),
                 PgParams::of(filter.run_id, filter.since.ms, filter.until.ms), read);
}

Result<std::vector<BreakerRow>> pg_breakers(PgConnection& connection, WallTime since) {
  return pg_rows(connection, kPgBreakers, PgParams::of(since.ms), pg_breaker_of);
}

Result<std::vector<BreakerMemoryRow>> pg_breaker_memories(PgConnection& connection) {
  return pg_rows(connection, kPgMemories, {}, pg_memory_of);
}

Result<std::vector<ControlRow>> pg_controls(PgConnection& connection, WallTime since) {
  return pg_rows(connection, kPgControls, PgParams::of(since.ms), pg_control_of);
}

Result<std::vector<FeedbackRow>> pg_feedback(PgConnection& connection, const FeedbackFilter& filter) {
  return pg_rows(connection, kPgFeedbackRows,
                 PgParams::of(filter.run_id, filter.step_key, filter.since.ms, pg_limit_of(filter.rows_max)),
                 pg_feedback_of);
}

Result<std::vector<ExposureCount>> pg_exposures(PgConnection& connection) {
  return pg_rows(connection, kPgExposures, {}, pg_exposure_of);
}

Result<std::optional<DecisionRow>> pg_decision(PgConnection& connection, const std::string& id) {
  auto rows = pg_rows(connection, kPgDecision, PgParams::of(id), [](const PgRows& found, std::size_t row) {
    return DecisionRow{found.text(row, 0), found.text(row, 1), WallTime{found.integer(row, 2)},
                       found.text(row, 3), found.text(row, 4), found.text(row, 5)};
  });
  if (!rows) return std::unexpected(std::move(rows.error()));
  return rows->empty() ? std::nullopt : std::optional(std::move(rows->front()));
}

}  // namespace troupe::journal
