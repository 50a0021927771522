// The reading statements and how their rows become values.
#include "runtime/journal/queries.hpp"

#include "runtime/journal/schema.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace troupe::journal {
namespace {

constexpr const char* kRunColumns =
    "SELECT run_id, workflow, state, coalesce(i.bytes, input), coalesce(o.bytes, output), tenant, node,"
    " epoch, created, finished, usd, tokens_in, tokens_out, parent, budget, version, wake, durability"
    " FROM {} run LEFT JOIN blob i ON i.id = input_blob LEFT JOIN blob o ON o.id = output_blob ";
constexpr std::string_view kHistory =
    "SELECT run_id, seq, kind, step_key, input_hash, e.epoch, attempt, at, coalesce(b.bytes, payload), lsn"
    " FROM run JOIN entry e ON e.run = run.id LEFT JOIN blob b ON b.id = payload_blob"
    " WHERE run_id = ? ORDER BY seq";
constexpr std::string_view kHistoryFromTheEnd =
    "SELECT run_id, seq, kind, step_key, input_hash, e.epoch, attempt, at, coalesce(b.bytes, payload), lsn"
    " FROM run JOIN entry e ON e.run = run.id LEFT JOIN blob b ON b.id = payload_blob"
    " WHERE run_id = ? ORDER BY seq DESC";
constexpr const char* kUsage =
    "SELECT run_id, step_key, attempt, feature, tenant, model, endpoint, cause, error, node, input, output,"
    " cache_read, cache_write, reasoning, estimated, usd, started, ttft_ns, total_ns, price, unit_hours"
    " FROM {} WHERE (?1 = '' OR run_id = ?1) AND started >= ?2 AND started < ?3 ORDER BY id";
constexpr const char* kCost =
    "SELECT {0}, count(*), sum(error <> ''), sum(input), sum(output), sum(cache_read), sum(cache_write),"
    " sum(reasoning), max(estimated), sum(usd), sum(cast(round(usd * 1e9) AS INTEGER)), sum(unit_hours),"
    " sum(price = 'unpriced') FROM {1}"
    " WHERE (?1 = '' OR run_id = ?1) AND started >= ?2 AND started < ?3 GROUP BY {0}"
    " ORDER BY sum(usd) DESC, {0}";
constexpr int kCostKeysMax = 10;
// A file that nobody has opened for writing since version 9 says nothing of durability, since version 6 knows
// no parents, since version 4 no prices.
constexpr const char* kNoDurability = "(SELECT *, 0 AS durability FROM run)";
constexpr const char* kNoParents =
    "(SELECT *, '' AS parent, '' AS budget, '' AS version, 0 AS wake, 0 AS durability FROM run)";
constexpr std::string_view kLaterRunColumns =
    "SELECT count(*) FROM pragma_table_info('run') WHERE name IN ('parent', 'durability')";
constexpr std::string_view kDue =
    "SELECT run_id FROM run WHERE state = 1 AND wake > 0 AND wake <= ? ORDER BY wake, id LIMIT ?";
constexpr const char* kNotPriced = "(SELECT *, '' AS price, 0.0 AS unit_hours FROM usage)";
constexpr std::string_view kBreakers =
    "SELECT endpoint, node, before, after, reason, detail, at, cool_until, share FROM breaker"
    " WHERE at >= ? ORDER BY id";
constexpr std::string_view kControls =
    "SELECT kind, subject, epoch, node, body, who, why, at FROM control WHERE at >= ? ORDER BY id";
constexpr std::string_view kExposures =
    "SELECT experiment, version, arm, count(*), min(at), max(at) FROM exposure GROUP BY 1, 2, 3"
    " ORDER BY 1, 5, 3";
constexpr std::string_view kMemories = "SELECT endpoint, node, memory, at FROM breaker_memory ORDER BY 1";
constexpr std::string_view kHasMemories = "SELECT count(*) FROM sqlite_schema WHERE name = 'breaker_memory'";
constexpr std::string_view kDecision =
    "SELECT id, body, at, run_id, step_key, arm FROM decision WHERE id = ?";
constexpr std::string_view kDecisionAlone = "SELECT id, body, at, '', '', '' FROM decision WHERE id = ?";
constexpr std::string_view kFeedback =
    "SELECT * FROM (SELECT run_id, step_key, rater, decision, feature, tenant, arm, model, endpoint, surface,"
    " note, node, score, asked_share, at, n FROM feedback WHERE (?1 = '' OR run_id = ?1)"
    " AND (?2 = '' OR step_key = ?2) AND at >= ?3 ORDER BY n DESC LIMIT ?4) ORDER BY n";
constexpr std::string_view kHasDecisions = "SELECT count(*) FROM sqlite_schema WHERE name = 'decision'";
constexpr std::string_view kHasControls = "SELECT count(*) FROM sqlite_schema WHERE name = 'control'";

BreakerMemoryRow memory_of(const Statement& row) {
  BreakerMemoryRow memory;
  memory.endpoint = row.text(0);
  memory.node = row.text(1);
  memory.memory = row.text(2);
  memory.at.ms = row.integer(3);
  return memory;
}

RunRow run_of(const Statement& row) {
  RunRow run;
  run.run_id = row.text(0);
  run.workflow = row.text(1);
  run.state = static_cast<RunState>(row.integer(2));
  run.input = row.text(3);
  run.output = row.text(4);
  run.tenant = row.text(5);
  run.node = row.text(6);
  run.epoch = static_cast<std::uint64_t>(row.integer(7));
  run.created.ms = row.integer(8);
  run.finished.ms = row.integer(9);
  run.usd = row.real(10);
  run.tokens_in = row.integer(11);
  run.tokens_out = row.integer(12);
  run.parent = row.text(13);
  run.budget = row.text(14);
  run.version = row.text(15);
  run.wake.ms = row.integer(16);
  run.durability = static_cast<Durability>(row.integer(17));
  return run;
}

Entry entry_of(const Statement& row) {
  Entry entry;
  entry.run_id = row.text(0);
  entry.seq = static_cast<std::uint64_t>(row.integer(1));
  entry.kind = static_cast<Kind>(row.integer(2));
  entry.step_key = row.text(3);
  entry.input_hash = static_cast<std::uint64_t>(row.integer(4));
  entry.epoch = static_cast<std::uint64_t>(row.integer(5));
  entry.attempt = static_cast<std::uint32_t>(row.integer(6));
  entry.at.ms = row.integer(7);
  entry.payload = row.text(8);
  entry.lsn = static_cast<std::uint64_t>(row.integer(9));
  return entry;
}

/// Five token columns and the estimate flag, from `column` on.
Usage tokens_of(const Statement& row, int column) {
  Usage usage;
  usage.input = row.integer(column);
  usage.output = row.integer(column + 1);
  usage.cache_read = row.integer(column + 2);
  usage.cache_write = row.integer(column + 3);
  usage.reasoning = row.integer(column + 4);
  usage.estimated = row.integer(column + 5) != 0;
  return usage;
}

UsageRow usage_of(const Statement& row) {
  UsageRow usage;
  usage.run_id = row.text(0);
  usage.step_key = row.text(1);
  usage.attempt = static_cast<std::uint32_t>(row.integer(2));
  usage.feature = row.text(3);
  usage.tenant = row.text(4);
  usage.model = row.text(5);
  usage.endpoint = row.text(6);
  usage.cause = row.text(7);
  usage.error = row.text(8);
  usage.node = row.text(9);
  usage.usage = tokens_of(row, 10);
  usage.usd = row.real(16);
  usage.started.ms = row.integer(17);
  usage.ttft = Duration(row.integer(18));
  usage.total = Duration(row.integer(19));
  usage.price = row.text(20);
  usage.unit_hours = row.real(21);
  return usage;
}

/// The sums behind `keys` columns.
CostRow cost_of(const Statement& row, int keys) {
  CostRow cost;
  for (int i = 0; i < keys; ++i) cost.keys.push_back(row.text(i));
  cost.key = cost.keys.front();
  cost.attempts = static_cast<std::uint64_t>(row.integer(keys));
  cost.failed = static_cast<std::uint64_t>(row.integer(keys + 1));
  cost.usage = tokens_of(row, keys + 2);
  cost.usd = row.real(keys + 8);
  cost.nano_usd = row.integer(keys + 9);
  cost.unit_hours = row.real(keys + 10);
  cost.unpriced = static_cast<std::uint64_t>(row.integer(keys + 11));
  return cost;
}

Result<const char*> usage_source(Connection& connection) {
  auto priced = connection.integer(kHasPrices);
  if (!priced) return std::unexpected(std::move(priced.error()));
  return *priced != 0 ? "usage" : kNotPriced;
}

/// How a word of `by` is read from a row; nothing for other words.
std::optional<std::string_view> cost_column(std::string_view word) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 10> columns{
      {{"feature", "feature"},
       {"tenant", "tenant"},
       {"model", "model"},
       {"endpoint", "endpoint"},
       {"cause", "cause"},
       {"run", "run_id"},
       {"node", "node"},
       {"price", "price"},
       {"hour", "strftime('%Y-%m-%dT%H:00:00Z', started / 1000, 'unixepoch')"},
       {"day", "strftime('%Y-%m-%d', started / 1000, 'unixepoch')"}}};
  for (auto [key, column] : columns)
    if (key == word) return column;
  return std::nullopt;
}

BreakerRow breaker_of(const Statement& row) {
  BreakerRow breaker;
  breaker.endpoint = row.text(0);
  breaker.node = row.text(1);
  breaker.from = row.text(2);
  breaker.to = row.text(3);
  breaker.reason = row.text(4);
  breaker.detail = row.text(5);
  breaker.at.ms = row.integer(6);
  breaker.cool_until.ms = row.integer(7);
  breaker.share = row.real(8);
  return breaker;
}

ControlRow control_of(const Statement& row) {
  ControlRow control;
  control.kind = row.text(0);
  control.subject = row.text(1);
  control.epoch = static_cast<std::uint64_t>(row.integer(2));
  control.node = row.text(3);
  control.body = row.text(4);
  control.who = row.text(5);
  control.why = row.text(6);
  control.at.ms = row.integer(7);
  return control;
}

ExposureCount exposure_count_of(const Statement& row) {
  ExposureCount count;
  count.experiment = row.text(0);
  count.version = static_cast<std::uint64_t>(row.integer(1));
  count.arm = row.text(2);
  count.units = static_cast<std::uint64_t>(row.integer(3));
  count.first.ms = row.integer(4);
  count.last.ms = row.integer(5);
  return count;
}

FeedbackRow feedback_of(const Statement& row) {
  return {row.text(0),  row.text(1),  row.text(2),  row.text(3),  row.text(4),
          row.text(5),  row.text(6),  row.text(7),  row.text(8),  row.text(9),
          row.text(10), row.text(11), row.real(12), row.real(13), WallTime{row.integer(14)}};
}

template <class Read, class... Values>
auto read_rows(Connection& connection, std::string_view sql, Read read, const Values&... values)
    -> Result<std::vector<std::invoke_result_t<Read, const Statement&>>> {
  auto statement = connection.prepare(sql);
  if (!statement) return std::unexpected(std::move(statement.error()));
  std::vector<std::invoke_result_t<Read, const Statement&>> rows;
  auto row = statement->with(values...).step();
  for (; row && *row; row = statement->step()) rows.push_back(read(*statement));
  if (!row) return std::unexpected(std::move(row.error()));
  return rows;
}

template <class... Values>
Result<std::vector<RunRow>> read_run_rows(Connection& connection, const char* rest, const Values&... values) {
  auto later = connection.integer(kLaterRunColumns);
  if (!later) return std::unexpected(std::move(later.error()));
  const auto* source = *later == 2 ? "run" : *later == 1 ? kNoDurability : kNoParents;
  return read_rows(connection, fmt::format(fmt::runtime(kRunColumns), source) + rest, run_of, values...);
}

std::int64_t limit_of(std::size_t limit) {
  return static_cast<std::int64_t>(std::min<std::size_t>(limit, INT64_MAX));
}

}  // namespace

Result<std::optional<RunRow>> read_run(Connection& connection, const std::string& run_id) {
  auto rows = read_run_rows(connection, "WHERE run_id = ?", run_id);
  if (!rows) return std::unexpected(std::move(rows.error()));
  if (rows->empty()) return std::nullopt;
  return std::move(rows->front());
}

Result<std::vector<RunRow>> read_runs(Connection& connection, std::size_t limit, const RunFilter& filter) {
  constexpr const char* rest =
      "WHERE (?1 = 0 OR state = ?1) AND (?2 = '' OR workflow = ?2) AND (?3 = '' OR parent = ?3)"
      " AND (?4 = '' OR tenant = ?4) ORDER BY run.id DESC LIMIT ?5";
  return read_run_rows(connection, rest, filter.state ? static_cast<int>(*filter.state) : 0, filter.workflow,
                       filter.parent, filter.tenant, limit_of(limit));
}

Result<std::vector<RunRow>> read_children(Connection& connection, const std::string& run_id) {
  return read_run_rows(connection, "WHERE parent <> '' AND parent = ? ORDER BY run.id", run_id);
}

Result<std::vector<RunRow>> read_unfinished(Connection& connection, const std::string& node,
                                            std::size_t limit) {
  if (node.empty())
    return read_run_rows(connection, "WHERE state = 1 AND wake = 0 ORDER BY run.id LIMIT ?", limit_of(limit));
  return read_run_rows(connection, "WHERE state = 1 AND wake = 0 AND node = ? ORDER BY run.id LIMIT ?", node,
                       limit_of(limit));
}

Result<std::vector<std::string>> read_due(Connection& connection, WallTime until, std::size_t limit) {
  auto there = connection.integer(kHasParents);
  if (!there) return std::unexpected(std::move(there.error()));
  if (*there == 0) return std::vector<std::string>{};
  return read_rows(
      connection, kDue, [](const Statement& row) { return row.text(0); },
      std::min(until.ms, kWakeBySignal.ms - 1), limit_of(limit));
}

Result<std::vector<Entry>> read_history(Connection& connection, const std::string& run_id) {
  return read_rows(connection, kHistory, entry_of, run_id);
}

Result<std::vector<Entry>> read_since_snapshot(Connection& connection, const std::string& run_id) {
  auto statement = connection.prepare(kHistoryFromTheEnd);
  if (!statement) return std::unexpected(std::move(statement.error()));
  std::vector<Entry> entries;
  auto row = statement->with(run_id).step();
  for (; row && *row; row = statement->step()) {
    entries.push_back(entry_of(*statement));
    if (entries.back().kind == Kind::snapshot) break;
  }
  if (!row) return std::unexpected(std::move(row.error()));
  std::ranges::reverse(entries);
  return entries;
}

Result<std::vector<UsageRow>> read_usage(Connection& connection, const UsageFilter& filter) {
  auto source = usage_source(connection);
  if (!source) return std::unexpected(std::move(source.error()));
  return read_rows(connection, fmt::format(fmt::runtime(kUsage), *source), usage_of, filter.run_id,
                   filter.since.ms, filter.until.ms);
}

Result<std::vector<CostRow>> read_cost(Connection& connection, const std::string& by,
                                       const UsageFilter& filter) {
  std::string columns;
  int keys = 0;
  std::string_view rest = by;
  for (bool more = true; more;) {
    auto cut = std::min(rest.find(','), rest.size());
    auto column = cost_column(rest.substr(0, cut));
    if (!column || keys == kCostKeysMax)
      return fail(Errc::invalid_input,
                  fmt::format("cost by '{}': it must be feature, tenant, model, endpoint, cause, run, node, "
                              "price, hour or day",
                              by));
    columns += fmt::format("{}{}", keys++ > 0 ? ", " : "", *column);
    more = cut < rest.size();
    rest.remove_prefix(more ? cut + 1 : cut);
  }
  auto source = usage_source(connection);
  if (!source) return std::unexpected(std::move(source.error()));
  auto read = [keys](const Statement& row) { return cost_of(row, keys); };
  return read_rows(connection, fmt::format(fmt::runtime(kCost), columns, *source), read, filter.run_id,
                   filter.since.ms, filter.until.ms);
}

Result<std::vector<BreakerRow>> read_breakers(Connection& connection, WallTime since) {
  return read_rows(connection, kBreakers, breaker_of, since.ms);
}

Result<std::vector<BreakerMemoryRow>> read_breaker_memories(Connection& connection) {
  auto there = connection.integer(kHasMemories);
  if (!there) return std::unexpected(std::move(there.error()));
  if (*there == 0) return std::vector<BreakerMemoryRow>{};
  return read_rows(connection, kMemories, memory_of);
}

// A file of version 1 that nobody has opened for writing since has no such tables yet.
Result<std::vector<ControlRow>> read_controls(Connection& connection, WallTime since) {
  auto there = connection.integer(kHasControls);
  if (!there) return std::unexpected(std::move(there.error()));
  if (*there == 0) return std::vector<ControlRow>{};
  return read_rows(connection, kControls, control_of, since.ms);
}

Result<std::optional<DecisionRow>> read_decision(Connection& connection, const std::string& id) {
  auto there = connection.integer(kHasDecisions);
  if (!there) return std::unexpected(std::move(there.error()));
  if (*there == 0) return std::optional<DecisionRow>();
  auto linked = connection.integer(kHasFeedback);
  if (!linked) return std::unexpected(std::move(linked.error()));
  auto rows = read_rows(
      connection, *linked == 0 ? kDecisionAlone : kDecision,
      [](const Statement& row) {
        return DecisionRow{
            row.text(0), std::string(row.bytes(1)), WallTime{row.integer(2)}, row.text(3), row.text(4),
            row.text(5)};
      },
      id);
  if (!rows) return std::unexpected(std::move(rows.error()));
  return rows->empty() ? std::nullopt : std::optional(std::move(rows->front()));
}

Result<std::vector<FeedbackRow>> read_feedback(Connection& connection, const FeedbackFilter& filter) {
  auto there = connection.integer(kHasFeedback);
  if (!there) return std::unexpected(std::move(there.error()));
  if (*there == 0) return std::vector<FeedbackRow>{};
  return read_rows(connection, kFeedback, feedback_of, filter.run_id, filter.step_key, filter.since.ms,
                   limit_of(filter.rows_max));
}

Result<std::vector<ExposureCount>> read_exposures(Connection& connection) {
  auto there = connection.integer(kHasControls);
  if (!there) return std::unexpected(std::move(there.error()));
  if (*there == 0) return std::vector<ExposureCount>{};
  return read_rows(connection, kExposures, exposure_count_of);
}

}  // namespace troupe::journal
