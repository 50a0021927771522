#include "runtime/journal/postgres_rows.hpp"

#include <utility>

namespace troupe::journal {
namespace {

std::uint64_t natural(const PgRows& rows, std::size_t row, int column) {
  return static_cast<std::uint64_t>(rows.integer(row, column));
}

/// Five token columns and the estimate flag, from `column` on.
Usage pg_tokens_of(const PgRows& rows, std::size_t row, int column) {
  Usage usage;
  usage.input = rows.integer(row, column);
  usage.output = rows.integer(row, column + 1);
  usage.cache_read = rows.integer(row, column + 2);
  usage.cache_write = rows.integer(row, column + 3);
  usage.reasoning = rows.integer(row, column + 4);
  usage.estimated = rows.integer(row, column + 5) != 0;
  return usage;
}

}  // namespace

RunRow run_from(const PgRows& rows, std::size_t row) {
  RunRow run;
  run.run_id = rows.text(row, 0);
  run.workflow = rows.text(row, 1);
  run.state = static_cast<RunState>(rows.integer(row, 2));
  run.input = rows.text(row, 3);
  run.output = rows.text(row, 4);
  run.tenant = rows.text(row, 5);
  run.node = rows.text(row, 6);
  run.epoch = natural(rows, row, 7);
  run.created.ms = rows.integer(row, 8);
  run.finished.ms = rows.integer(row, 9);
  run.usd = rows.real(row, 10);
  run.tokens_in = rows.integer(row, 11);
  run.tokens_out = rows.integer(row, 12);
  run.parent = rows.text(row, 13);
  run.budget = rows.text(row, 14);
  run.version = rows.text(row, 15);
  run.wake.ms = rows.integer(row, 16);
  run.durability = static_cast<Durability>(rows.integer(row, 17));
  return run;
}

Entry pg_entry_of(const PgRows& rows, std::size_t row) {
  Entry entry;
  entry.run_id = rows.text(row, 0);
  entry.seq = natural(rows, row, 1);
  entry.kind = static_cast<Kind>(rows.integer(row, 2));
  entry.step_key = rows.text(row, 3);
  entry.input_hash = natural(rows, row, 4);
  entry.epoch = natural(rows, row, 5);
  entry.attempt = static_cast<std::uint32_t>(rows.integer(row, 6));
  entry.at.ms = rows.integer(row, 7);
  entry.payload = rows.text(row, 8);
  entry.lsn = natural(rows, row, 9);
  return entry;
}

UsageRow pg_usage_of(const PgRows& rows, std::size_t row) {
  UsageRow usage;
  usage.run_id = rows.text(row, 0);
  usage.step_key = rows.text(row, 1);
  usage.attempt = static_cast<std::uint32_t>(rows.integer(row, 2));
  usage.feature = rows.text(row, 3);
  usage.tenant = rows.text(row, 4);
  usage.model = rows.text(row, 5);
  usage.endpoint = rows.text(row, 6);
  usage.cause = rows.text(row, 7);
  usage.error = rows.text(row, 8);
  usage.node = rows.text(row, 9);
  usage.usage = pg_tokens_of(rows, row, 10);
  usage.usd = rows.real(row, 16);
  usage.started.ms = rows.integer(row, 17);
  usage.ttft = Duration(rows.integer(row, 18));
  usage.total = Duration(rows.integer(row, 19));
  usage.price = rows.text(row, 20);
  usage.unit_hours = rows.real(row, 21);
  return usage;
}

/// The sums behind `keys` columns.
CostRow pg_cost_of(const PgRows& rows, std::size_t row, int keys) {
  CostRow cost;
  for (int i = 0; i < keys; ++i) cost.keys.push_back(rows.text(row, i));
  cost.key = cost.keys.front();
  cost.attempts = natural(rows, row, keys);
  cost.failed = natural(rows, row, keys + 1);
  cost.usage = pg_tokens_of(rows, row, keys + 2);
  cost.usd = rows.real(row, keys + 8);
  cost.nano_usd = rows.integer(row, keys + 9);
  cost.unit_hours = rows.real(row, keys + 10);
  cost.unpriced = natural(rows, row, keys + 11);
  return cost;
}

BreakerRow pg_breaker_of(const PgRows& rows, std::size_t row) {
  return BreakerRow{rows.text(row, 0),
                    rows.text(row, 1),
                    rows.text(row, 2),
                    rows.text(row, 3),
                    rows.text(row, 4),
                    rows.text(row, 5),
                    WallTime{rows.integer(row, 6)},
                    WallTime{rows.integer(row, 7)},
                    rows.real(row, 8)};
}

BreakerMemoryRow pg_memory_of(const PgRows& rows, std::size_t row) {
  return BreakerMemoryRow{rows.text(row, 0), rows.text(row, 1), rows.text(row, 2),
                          WallTime{rows.integer(row, 3)}};
}

ControlRow pg_control_of(const PgRows& rows, std::size_t row) {
  return ControlRow{
      rows.text(row, 0), rows.text(row, 1), natural(rows, row, 2), rows.text(row, 3),
      rows.text(row, 4), rows.text(row, 5), rows.text(row, 6),     WallTime{rows.integer(row, 7)}};
}

ExposureCount pg_exposure_of(const PgRows& rows, std::size_t row) {
  return ExposureCount{rows.text(row, 0),     natural(rows, row, 1),          rows.text(row, 2),
                       natural(rows, row, 3), WallTime{rows.integer(row, 4)}, WallTime{rows.integer(row, 5)}};
}

FeedbackRow pg_feedback_of(const PgRows& rows, std::size_t row) {
  auto text = [&](int column) { return rows.text(row, column); };
  return {text(0),
          text(1),
          text(2),
          text(3),
          text(4),
          text(5),
          text(6),
          text(7),
          text(8),
          text(9),
          text(10),
          text(11),
          rows.real(row, 12),
          rows.real(row, 13),
          WallTime{rows.integer(row, 14)}};
}

}  // namespace troupe::journal
