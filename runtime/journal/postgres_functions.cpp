// The functions that hold the fence, move runs between nodes and forget old ones.
#include "runtime/journal/postgres_tables.hpp"

namespace troupe::journal {

// A seat is written by every commit of its node, so its row is apart from the lease, which others read, and
// its page has room for many versions.
const char* const kPgSeats = R"sql(
CREATE SEQUENCE incarnation_seq;
CREATE TABLE node(
  id name_text PRIMARY KEY, incarnation int8 NOT NULL UNIQUE, address name_text NOT NULL,
  region name_text NOT NULL, joined timestamptz NOT NULL, lease_until timestamptz NOT NULL,
  fenced boolean NOT NULL);
CREATE TABLE seat(
  incarnation int8 PRIMARY KEY, session int8 NOT NULL, commits int8 NOT NULL, fenced boolean NOT NULL)
  WITH (fillfactor = 10, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);
CREATE FUNCTION ms(t timestamptz) RETURNS int8 LANGUAGE sql IMMUTABLE AS
  $$ SELECT CASE WHEN isfinite(t) THEN (extract(epoch FROM t) * 1000)::int8 ELSE 0 END $$;

-- First statement of every group commit. The row lock it takes is what a fencing node waits for; the number
-- it leaves behind says, after a connection broke, whether the group became durable.
CREATE FUNCTION open_commit(mine int8, my_session int8, number int8) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  UPDATE seat SET commits = number WHERE incarnation = mine AND session = my_session AND NOT fenced;
  IF NOT FOUND THEN RAISE EXCEPTION 'this node is fenced' USING ERRCODE = 'TRP01'; END IF;
END $$;

-- The same promise for writes beside the commits, which do not wait for one another.
CREATE FUNCTION hold_seat(mine int8) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM seat WHERE incarnation = mine AND NOT fenced FOR KEY SHARE;
  IF NOT FOUND THEN RAISE EXCEPTION 'this node is fenced' USING ERRCODE = 'TRP01'; END IF;
END $$;

-- A new connection of the committer: what an earlier one still has under way ends first or fails. Session 0
-- says that the seat is fenced; its last commit is final then too. -1: nobody knows any more.
CREATE FUNCTION open_session(mine int8, OUT my_session int8, OUT last_commit int8) LANGUAGE plpgsql AS $$
BEGIN
  UPDATE seat SET session = session + 1 WHERE incarnation = mine AND NOT fenced
    RETURNING session, commits INTO my_session, last_commit;
  IF FOUND THEN
    PERFORM set_config('application_name', 'troupe seat ' || mine, false);
    RETURN;
  END IF;
  my_session := 0;
  SELECT commits INTO last_commit FROM seat WHERE incarnation = mine;
  last_commit := coalesce(last_commit, -1);
END $$;

-- Waits for the writes of that seat that are under way; later ones are refused. FOR UPDATE, because an update
-- alone would not wait for hold_seat.
CREATE FUNCTION fence_seat(theirs int8) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM seat WHERE incarnation = theirs FOR UPDATE;
  UPDATE seat SET fenced = true WHERE incarnation = theirs;
END $$;
)sql";

// What a node does with its seat. A lease counts from the server's start at the earliest: a server that was
// away for longer than a lease must not make every node think that all others are dead.
const char* const kPgMembership = R"sql(
CREATE FUNCTION join_node(name text, new_address text, new_region text, ttl_ms int8) RETURNS int8
LANGUAGE plpgsql AS $$
DECLARE
  old int8;
  mine int8;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended(current_schema() || '.join.' || name, 0));
  SELECT incarnation INTO old FROM node WHERE id = name FOR UPDATE;
  mine := nextval('incarnation_seq');
  INSERT INTO seat VALUES (mine, 0, 0, false);
  INSERT INTO node VALUES (name, mine, new_address, new_region, clock_timestamp(),
                           clock_timestamp() + ttl_ms * interval '1 ms', false)
    ON CONFLICT (id) DO UPDATE SET incarnation = excluded.incarnation, address = excluded.address,
      region = excluded.region, joined = excluded.joined, lease_until = excluded.lease_until, fenced = false;
  IF old IS NOT NULL THEN PERFORM fence_seat(old); END IF;
  -- Seats long gone; the newest stay, for processes that still ask how their last commit ended.
  DELETE FROM seat s WHERE s.fenced AND s.incarnation < mine - 1000
    AND NOT EXISTS (SELECT 1 FROM run WHERE state = 1 AND holder = s.incarnation);
  RETURN mine;
END $$;

CREATE FUNCTION fence_node(theirs int8, ttl_ms int8) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  UPDATE node SET fenced = true WHERE incarnation = theirs AND NOT fenced
    AND greatest(lease_until, pg_postmaster_start_time() + ttl_ms * interval '1 ms') < clock_timestamp();
  IF NOT FOUND THEN RETURN false; END IF;
  PERFORM fence_seat(theirs);
  RETURN true;
END $$;

CREATE FUNCTION leave_node(mine int8) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  UPDATE node SET fenced = true WHERE incarnation = mine;
  PERFORM fence_seat(mine);
END $$;

-- A run may be taken when its holder's seat is fenced, or it was never held by one.
CREATE FUNCTION is_free(holder int8) RETURNS boolean LANGUAGE sql STABLE AS
  $$ SELECT NOT EXISTS (SELECT 1 FROM seat WHERE incarnation = holder AND NOT fenced) $$;

-- Seats that are gone from the table were fenced; 0 is held by nobody. Each holder's runs are found in order
-- by an index, as many as are asked for and no more.
CREATE FUNCTION take_runs(mine int8, my_node text, most int8) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM hold_seat(mine);
  RETURN QUERY UPDATE run SET epoch = epoch + 1, node = my_node, holder = mine WHERE id IN
    (SELECT r.id FROM (SELECT incarnation FROM seat WHERE fenced UNION ALL SELECT 0) free(holder),
       LATERAL (SELECT a.id FROM run a WHERE a.state = 1 AND a.holder = free.holder ORDER BY a.id LIMIT most
                FOR UPDATE SKIP LOCKED) r LIMIT most)
    RETURNING run_id::text;
END $$;
)sql";

// Commits that carry large content hold this shared, retention holds it alone: content is not removed while
// somebody is about to refer to it.
const char* const kPgBlobLock = R"sql(
CREATE FUNCTION blob_lock() RETURNS int8 LANGUAGE sql STABLE AS
  $$ SELECT hashtextextended(current_schema() || '.blob', 0) $$;
)sql";

// Answers 0 and the new row's epoch, 1 when the run is another workflow's, 2 when a living node holds it. The
// row itself is read afterwards, in the same transaction. Nodes of an older version that still go call the
// one without new_durability, which stays.
const char* const kPgClaim = R"sql(
CREATE OR REPLACE FUNCTION claim_run(mine int8, name text, new_workflow text, new_input bytea,
  new_tenant text, new_node text, new_created int8, new_state int2, new_output bytea, new_finished int8,
  new_usd float8, new_tokens_in int8, new_tokens_out int8, new_parent text, new_budget text, new_version text,
  new_wake int8, new_durability int2, inline_max int8, OUT verdict int4, OUT detail text)
LANGUAGE plpgsql AS $$
DECLARE
  stored record;
BEGIN
  LOOP
    UPDATE run SET epoch = epoch + 1, node = CASE state WHEN 1 THEN new_node ELSE node END, holder = mine
      WHERE run_id = name AND (new_workflow = '' OR workflow = new_workflow)
        AND (holder = mine OR state <> 1 OR is_free(holder));
    IF FOUND THEN verdict := 0; RETURN; END IF;
    SELECT workflow, node INTO stored FROM run WHERE run_id = name;
    IF FOUND THEN
      verdict := CASE WHEN new_workflow <> '' AND stored.workflow <> new_workflow THEN 1 ELSE 2 END;
      detail := CASE verdict WHEN 1 THEN stored.workflow ELSE stored.node END;
      RETURN;
    END IF;
    INSERT INTO blob SELECT sha256(c), c FROM (VALUES (new_input), (new_output)) v(c)
      WHERE length(c) > inline_max ORDER BY 1 ON CONFLICT DO NOTHING;
    INSERT INTO run(run_id, workflow, state, input, input_sha, output, output_sha, tenant, node, epoch,
        created, finished, usd, tokens_in, tokens_out, parent, budget, version, wake, durability, holder)
      VALUES (name, new_workflow, new_state,
        CASE WHEN length(new_input) <= inline_max THEN new_input END,
        CASE WHEN length(new_input) > inline_max THEN sha256(new_input) END,
        CASE WHEN length(new_output) <= inline_max THEN new_output END,
        CASE WHEN length(new_output) > inline_max THEN sha256(new_output) END,
        new_tenant, new_node, 1, new_created, new_finished, new_usd, new_tokens_in, new_tokens_out,
        new_parent, new_budget, new_version, new_wake, new_durability, mine)
      ON CONFLICT DO NOTHING;
    IF FOUND THEN verdict := 0; RETURN; END IF;
  END LOOP;
END $$;
)sql";

// A child stays while its parent may still be resumed and look for it; and so does the run of the newest slot
// of a schedule and tenant ("SCHEDULE/TENANT@2026-11-23T04:00Z"): without it that slot would count as missed.
const char* const kPgForget = R"sql(
CREATE OR REPLACE FUNCTION forget_runs(before int8, of_workflow text, runs_max int8, entries_max int8)
RETURNS int8
LANGUAGE plpgsql AS $$
DECLARE
  old int8[];
  content bytea[];
  more bytea[];
BEGIN
  PERFORM pg_advisory_xact_lock(blob_lock());
  SELECT array_agg(id) INTO old FROM (
    SELECT id, entries, sum(entries) OVER w AS upto, row_number() OVER w AS place FROM (
      SELECT r.id, r.finished, (SELECT count(*) FROM entry WHERE entry.run = r.id) AS entries FROM run r
      WHERE r.state IN (2, 4) AND r.finished < before AND (of_workflow = '' OR r.workflow = of_workflow)
        AND (r.parent = '' OR NOT EXISTS
             (SELECT 1 FROM run p WHERE p.run_id = r.parent AND p.state IN (1, 3)))
        AND NOT (r.run_id ~ '^.+/.+@\d{4}-\d\d-\d\dT\d\d:\d\dZ$'
                 AND NOT EXISTS (SELECT 1 FROM run n WHERE n.run_id > r.run_id
                   AND n.run_id < left(r.run_id, length(r.run_id) - 17) || ':'
                   AND length(n.run_id) = length(r.run_id)
                   AND right(n.run_id, 17) ~ '^\d{4}-\d\d-\d\dT\d\d:\d\dZ$'))
      ORDER BY r.finished, r.id LIMIT runs_max FOR UPDATE OF r SKIP LOCKED) a
    WINDOW w AS (ORDER BY finished, id)) b
  WHERE place = 1 OR upto <= entries_max;
  IF old IS NULL THEN RETURN 0; END IF;
  WITH gone AS (DELETE FROM entry WHERE run = ANY(old) RETURNING payload_sha)
    SELECT array_agg(DISTINCT payload_sha) INTO content FROM gone WHERE payload_sha IS NOT NULL;
  WITH gone AS (DELETE FROM run WHERE id = ANY(old) RETURNING input_sha, output_sha)
    SELECT array_agg(sha) INTO more FROM (SELECT input_sha FROM gone UNION SELECT output_sha FROM gone) s(sha)
    WHERE sha IS NOT NULL;
  DELETE FROM blob b WHERE b.sha = ANY(coalesce(content, '{}') || coalesce(more, '{}'))
    AND NOT EXISTS (SELECT 1 FROM entry WHERE payload_sha = b.sha)
    AND NOT EXISTS (SELECT 1 FROM run WHERE input_sha = b.sha)
    AND NOT EXISTS (SELECT 1 FROM run WHERE output_sha = b.sha);
  RETURN cardinality(old);
END $$;
)sql";

}  // namespace troupe::journal
