// The statements of a group commit: many rows each, column by column.
#pragma once

#include "runtime/journal/schema.hpp"
#include "runtime/journal/signal_row.hpp"

#include <string_view>

namespace troupe::journal {

inline constexpr std::string_view kPgInsertEntries =
    "INSERT INTO entry(run, seq, kind, step_key, input_hash, epoch, attempt, at, payload)"
    " SELECT * FROM unnest($1::int8[], $2::int8[], $3::int8[], $4::text[], $5::int8[], $6::int8[],"
    " $7::int8[], $8::int8[], $9::bytea[])";
// Content above 8 KiB (kInlineBytesMax) goes to the blob table; blobs in the order of their hashes, so that
// two nodes cannot wait for each other.
inline constexpr std::string_view kPgInsertLargeEntries =
    "WITH v AS MATERIALIZED (SELECT * FROM unnest($1::int8[], $2::int8[], $3::int8[], $4::text[], $5::int8[],"
    " $6::int8[], $7::int8[], $8::int8[], $9::bytea[]) v(run, seq, kind, step_key, input_hash, epoch,"
    " attempt, at, payload)),"
    " b AS (INSERT INTO blob SELECT DISTINCT ON (1) sha256(payload), payload FROM v"
    " WHERE length(payload) > 8192 ORDER BY 1 ON CONFLICT DO NOTHING)"
    " INSERT INTO entry(run, seq, kind, step_key, input_hash, epoch, attempt, at, payload, payload_sha)"
    " SELECT run, seq, kind, step_key, input_hash, epoch, attempt, at,"
    " CASE WHEN length(payload) <= 8192 THEN payload END,"
    " CASE WHEN length(payload) > 8192 THEN sha256(payload) END FROM v";
inline constexpr std::string_view kPgRunValues =
    "WITH v AS (SELECT * FROM unnest($1::int8[], $2::text[], $3::text[], $4::int8[],"
    " $5::bytea[], $6::bytea[], $7::text[], $8::text[], $9::int8[], $10::int8[], $11::int8[], $12::float8[],"
    " $13::int8[], $14::int8[], $15::text[], $16::text[], $17::text[], $18::int8[], $19::int8[])"
    " v(id, run_id, workflow, state, input, output, tenant, node, epoch, created, finished, usd, tokens_in,"
    " tokens_out, parent, budget, version, wake, durability))";
// Between the values and the statement, when content of them is large.
inline constexpr std::string_view kPgStoreRunBlobs =
    ", b AS (INSERT INTO blob SELECT DISTINCT ON (1) sha256(c), c FROM"
    " (SELECT input c FROM v UNION ALL SELECT output FROM v) x WHERE length(c) > 8192"
    " ORDER BY 1 ON CONFLICT DO NOTHING)";
inline constexpr std::string_view kPgInsertRuns =
    " INSERT INTO run(id, run_id, workflow, state, input, input_sha, output, output_sha, tenant, node, epoch,"
    " created, finished, usd, tokens_in, tokens_out, parent, budget, version, wake, durability, holder)"
    " SELECT id, run_id, workflow, state, CASE WHEN length(input) <= 8192 THEN input END,"
    " CASE WHEN length(input) > 8192 THEN sha256(input) END,"
    " CASE WHEN length(output) <= 8192 THEN output END,"
    " CASE WHEN length(output) > 8192 THEN sha256(output) END, tenant, node, epoch, created, finished, usd,"
    " tokens_in, tokens_out, parent, budget, version, wake, durability, $20::int8 FROM v";
// What called a failed run off was said to the life that failed, not to the one that begins. Before the rows
// say that it runs.
inline constexpr std::string_view kPgDropOrders =
    "DELETE FROM inbox USING run WHERE run.id = ANY($1::int8[]) AND run.holder = $2::int8"
    " AND run.state = 3 AND inbox.run = run.id AND inbox.name = 'troupe:cancel'";
inline constexpr std::string_view kPgUpdateRuns =
    " UPDATE run SET workflow = v.workflow, state = v.state,"
    " input = CASE WHEN length(v.input) <= 8192 THEN v.input END,"
    " input_sha = CASE WHEN length(v.input) > 8192 THEN sha256(v.input) END,"
    " output = CASE WHEN length(v.output) <= 8192 THEN v.output END,"
    " output_sha = CASE WHEN length(v.output) > 8192 THEN sha256(v.output) END, tenant = v.tenant,"
    " node = v.node, finished = v.finished, usd = v.usd, tokens_in = v.tokens_in,"
    " tokens_out = v.tokens_out, parent = v.parent, budget = v.budget, version = v.version, wake = v.wake"
    " FROM v WHERE run.id = v.id AND run.holder = $20::int8";
inline constexpr std::string_view kPgInsertUsage =
    "INSERT INTO usage(run_id, step_key, attempt, endpoint, started, feature, tenant, model, cause, error,"
    " node, input, output, cache_read, cache_write, reasoning, estimated, usd, ttft_ns, total_ns, price,"
    " unit_hours) SELECT * FROM unnest($1::text[], $2::text[], $3::int8[], $4::text[], $5::int8[], "
    "$6::text[],"
    " $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::int8[], $13::int8[], $14::int8[],"
    " $15::int8[], $16::int8[], $17::int8[], $18::float8[], $19::int8[], $20::int8[], $21::text[],"
    " $22::float8[]) ON CONFLICT DO NOTHING";
inline constexpr std::string_view kPgInsertBreakers =
    "INSERT INTO breaker(endpoint, node, before, after, reason, detail, at, cool_until, share)"
    " SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],"
    " $7::int8[], $8::int8[], $9::float8[])";
inline constexpr std::string_view kPgReplaceMemories =
    "INSERT INTO breaker_memory(endpoint, node, memory, at)"
    " SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::int8[]) ON CONFLICT(endpoint)"
    " DO UPDATE SET node = excluded.node, memory = excluded.memory, at = excluded.at";
inline constexpr std::string_view kPgInsertControls =
    "INSERT INTO control(kind, subject, epoch, node, body, who, why, at) SELECT * FROM unnest($1::text[],"
    " $2::text[], $3::int8[], $4::text[], $5::bytea[], $6::text[], $7::text[], $8::int8[])";
inline constexpr std::string_view kPgInsertExposures =
    "INSERT INTO exposure(experiment, version, arm, unit, decision, node, at) SELECT * FROM"
    " unnest($1::text[], $2::int8[], $3::text[], $4::int8[], $5::text[], $6::text[], $7::int8[])"
    " ON CONFLICT DO NOTHING";
inline constexpr std::string_view kPgTakeSignals = "DELETE FROM inbox WHERE n = ANY($1::int8[])";
inline constexpr std::string_view kPgInsertDecisions =
    "INSERT INTO decision(id, body, at, run_id, step_key, arm) SELECT * FROM unnest($1::text[], $2::bytea[],"
    " $3::int8[], $4::text[], $5::text[], $6::text[]) ON CONFLICT DO NOTHING";
inline constexpr std::string_view kPgInsertFeedback =
    "INSERT INTO feedback(run_id, step_key, rater, decision, feature, tenant, arm, model, endpoint, surface,"
    " note, node, score, asked_share, at) SELECT * FROM unnest($1::text[], $2::text[], $3::text[],"
    " $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[],"
    " $12::text[], $13::float8[], $14::float8[], $15::int8[]) ON CONFLICT DO NOTHING";

static_assert(kInlineBytesMax == 8192, "the statements above say it too");
static_assert(std::string_view(kCancelSignal) == "troupe:cancel", "and this");

}  // namespace troupe::journal
