#include "runtime/journal/postgres_tables.hpp"

namespace troupe::journal {

// As in SQLite, entries lie in commit order and runs are integers inside. Texts sort by their bytes, as
// SQLite's do. Times of runs and entries are milliseconds since 1970; leases are the server's own time.
// Content above the inline bound lies once under its SHA-256, which the server computes.
const char* const kPgTables = R"sql(
CREATE DOMAIN name_text AS text COLLATE "C";
CREATE TABLE meta(version int NOT NULL);
CREATE SEQUENCE run_seq;
CREATE TABLE run(
  id int8 PRIMARY KEY DEFAULT nextval('run_seq'), run_id name_text NOT NULL UNIQUE,
  workflow name_text NOT NULL, state int2 NOT NULL, input bytea, input_sha bytea, output bytea,
  output_sha bytea, tenant name_text NOT NULL, node name_text NOT NULL, epoch int8 NOT NULL,
  created int8 NOT NULL, finished int8 NOT NULL, usd float8 NOT NULL, tokens_in int8 NOT NULL,
  tokens_out int8 NOT NULL, parent name_text NOT NULL, budget name_text NOT NULL,
  version name_text NOT NULL, wake int8 NOT NULL, holder int8 NOT NULL);
CREATE INDEX run_due ON run(wake) WHERE state = 1 AND wake > 0;
CREATE INDEX run_unfinished ON run(node, id) WHERE state = 1 AND wake = 0;
CREATE INDEX run_held ON run(holder, id) WHERE state = 1;
CREATE INDEX run_by_parent ON run(parent) WHERE parent <> '';
CREATE INDEX run_finished ON run(finished) WHERE state IN (2, 4);
CREATE INDEX run_input_sha ON run(input_sha) WHERE input_sha IS NOT NULL;
CREATE INDEX run_output_sha ON run(output_sha) WHERE output_sha IS NOT NULL;
CREATE TABLE entry(
  lsn int8 GENERATED ALWAYS AS IDENTITY, run int8 NOT NULL, seq int8 NOT NULL, kind int2 NOT NULL,
  step_key name_text NOT NULL, input_hash int8 NOT NULL, epoch int8 NOT NULL, attempt int8 NOT NULL,
  at int8 NOT NULL, payload bytea, payload_sha bytea, PRIMARY KEY (run, seq));
CREATE UNIQUE INDEX result_by_step ON entry(run, step_key) WHERE kind = 3;
CREATE UNIQUE INDEX child_end_by_key ON entry(run, step_key) WHERE kind = 11;
CREATE INDEX entry_sha ON entry(payload_sha) WHERE payload_sha IS NOT NULL;
CREATE TABLE blob(sha bytea PRIMARY KEY, bytes bytea NOT NULL);
ALTER TABLE blob ALTER bytes SET STORAGE EXTERNAL;
CREATE TABLE usage(
  id int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY, run_id name_text NOT NULL, step_key name_text NOT NULL,
  attempt int8 NOT NULL, endpoint name_text NOT NULL, started int8 NOT NULL, feature name_text NOT NULL,
  tenant name_text NOT NULL, model name_text NOT NULL, cause name_text NOT NULL, error name_text NOT NULL,
  node name_text NOT NULL, input int8 NOT NULL, output int8 NOT NULL, cache_read int8 NOT NULL,
  cache_write int8 NOT NULL, reasoning int8 NOT NULL, estimated int8 NOT NULL, usd float8 NOT NULL,
  ttft_ns int8 NOT NULL, total_ns int8 NOT NULL, price name_text NOT NULL, unit_hours float8 NOT NULL);
CREATE UNIQUE INDEX usage_once ON usage(run_id, step_key, attempt, endpoint, started);
CREATE INDEX usage_by_time ON usage(started);
CREATE TABLE breaker(
  id int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY, endpoint name_text NOT NULL, node name_text NOT NULL,
  before name_text NOT NULL, after name_text NOT NULL, reason name_text NOT NULL, detail name_text NOT NULL,
  at int8 NOT NULL, cool_until int8 NOT NULL, share float8 NOT NULL);
CREATE TABLE breaker_memory(
  endpoint name_text PRIMARY KEY, node name_text NOT NULL, memory name_text NOT NULL, at int8 NOT NULL);
CREATE TABLE control(
  id int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY, kind name_text NOT NULL, subject name_text NOT NULL,
  epoch int8 NOT NULL, node name_text NOT NULL, body bytea NOT NULL, who name_text NOT NULL,
  why name_text NOT NULL, at int8 NOT NULL);
CREATE TABLE exposure(
  experiment name_text NOT NULL, version int8 NOT NULL, arm name_text NOT NULL, unit int8 NOT NULL,
  decision name_text NOT NULL, node name_text NOT NULL, at int8 NOT NULL,
  PRIMARY KEY (experiment, version, unit));
CREATE TABLE decision(
  n int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id name_text NOT NULL UNIQUE, body bytea NOT NULL,
  at int8 NOT NULL);
)sql";

// Whose answer a decision led to, and what people said of answers.
const char* const kPgFeedback = R"sql(
ALTER TABLE decision ADD COLUMN run_id name_text NOT NULL DEFAULT '',
  ADD COLUMN step_key name_text NOT NULL DEFAULT '', ADD COLUMN arm name_text NOT NULL DEFAULT '';
CREATE TABLE feedback(
  n int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY, run_id name_text NOT NULL, step_key name_text NOT NULL,
  rater name_text NOT NULL, decision name_text NOT NULL, feature name_text NOT NULL,
  tenant name_text NOT NULL, arm name_text NOT NULL, model name_text NOT NULL, endpoint name_text NOT NULL,
  surface name_text NOT NULL, note name_text NOT NULL, node name_text NOT NULL, score float8 NOT NULL,
  asked_share float8 NOT NULL, at int8 NOT NULL, UNIQUE (run_id, step_key, rater));
)sql";

// What a run's record survives.
const char* const kPgDurability = R"sql(
ALTER TABLE run ADD COLUMN IF NOT EXISTS durability int2 NOT NULL DEFAULT 0;
)sql";

// Signals that wait for their runs; they go with them.
const char* const kPgInbox = R"sql(
CREATE SEQUENCE signal_seq;
CREATE TABLE inbox(
  n int8 PRIMARY KEY DEFAULT nextval('signal_seq'), run int8 NOT NULL REFERENCES run(id) ON DELETE CASCADE,
  signal int8 NOT NULL, name name_text NOT NULL, json bytea NOT NULL, at int8 NOT NULL, UNIQUE (run, signal));
)sql";

}  // namespace troupe::journal
