// The writing statements and the rules of fencing and order.
#include "runtime/journal/writer.hpp"

#include "runtime/journal/queries.hpp"

#include <fmt/format.h>

#include <utility>

namespace troupe::journal {
namespace {

constexpr std::string_view kInsertRun =
    "INSERT INTO run(run_id, workflow, state, input, input_blob, output, output_blob, tenant, node, epoch, "
    "created,"
    " finished, usd, tokens_in, tokens_out, parent, budget, version, wake, durability, holder)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
constexpr std::string_view kUpdateRun =
    "UPDATE run SET workflow = ?, state = ?, input = ?, input_blob = ?, output = ?, output_blob = ?, tenant "
    "= ?,"
    " node = ?, finished = ?, usd = ?, tokens_in = ?, tokens_out = ?, parent = ?, budget = ?, version = ?,"
    " wake = ? WHERE id = ?";
// A run that has ended keeps the node that ended it.
constexpr std::string_view kClaimRun =
    "UPDATE run SET epoch = epoch + 1, node = CASE state WHEN 1 THEN ? ELSE node END, holder = ?"
    " WHERE run_id = ?";
constexpr std::string_view kInsertEntry =
    "INSERT INTO entry(run, seq, kind, step_key, input_hash, epoch, attempt, at, payload, payload_blob)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
constexpr std::string_view kInsertUsage =
    "INSERT INTO usage(run_id, step_key, attempt, endpoint, started, feature, tenant, model, cause, error, "
    "node,"
    " input, output, cache_read, cache_write, reasoning, estimated, usd, ttft_ns, total_ns, price, "
    "unit_hours)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
constexpr std::string_view kInsertBreaker =
    "INSERT INTO breaker(endpoint, node, before, after, reason, detail, at, cool_until, share)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
constexpr std::string_view kReplaceMemory =
    "INSERT INTO breaker_memory(endpoint, node, memory, at) VALUES (?, ?, ?, ?) ON CONFLICT(endpoint)"
    " DO UPDATE SET node = excluded.node, memory = excluded.memory, at = excluded.at";
constexpr std::string_view kInsertControl =
    "INSERT INTO control(kind, subject, epoch, node, body, who, why, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
constexpr std::string_view kInsertDecision =
    "INSERT INTO decision(id, body, at, run_id, step_key, arm) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO "
    "NOTHING";
constexpr std::string_view kForgetDecisions =
    "DELETE FROM decision WHERE n <= (SELECT max(n) FROM decision) - ?";
constexpr std::string_view kInsertFeedback =
    "INSERT INTO feedback(run_id, step_key, rater, decision, feature, tenant, arm, model, endpoint, surface,"
    " note, node, score, asked_share, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT DO NOTHING";
constexpr std::string_view kTakeSignal = "DELETE FROM inbox WHERE n = ?";
// What called a failed run off was said to the life that failed, not to the one that begins.
constexpr std::string_view kDropOrder =
    "DELETE FROM inbox WHERE run = ? AND name = ? AND EXISTS (SELECT 1 FROM run WHERE id = run AND state = "
    "3)";
constexpr std::string_view kInsertExposure =
    "INSERT INTO exposure(experiment, version, arm, unit, decision, node, at) VALUES (?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT DO NOTHING";

}  // namespace

Result<Writer> Writer::open(Connection& connection) {
  auto blobs = BlobStore::open(connection);
  if (!blobs) return std::unexpected(std::move(blobs.error()));
  auto heads = RunHeads::open(connection);
  if (!heads) return std::unexpected(std::move(heads.error()));
  auto feed = EntryFeed::open(connection);
  if (!feed) return std::unexpected(std::move(feed.error()));
  std::vector<Statement> all;
  for (auto sql : {kInsertRun, kUpdateRun, kClaimRun, kInsertEntry, kInsertUsage, kInsertBreaker,
                   kInsertControl, kInsertExposure, kReplaceMemory, kInsertDecision, kForgetDecisions,
                   kTakeSignal, kInsertFeedback, kDropOrder}) {
    auto statement = connection.prepare(sql);
    if (!statement) return std::unexpected(std::move(statement.error()));
    all.push_back(std::move(*statement));
  }
  Statements statements{std::move(all[0]),  std::move(all[1]), std::move(all[2]),  std::move(all[3]),
                        std::move(all[4]),  std::move(all[5]), std::move(all[6]),  std::move(all[7]),
                        std::move(all[8]),  std::move(all[9]), std::move(all[10]), std::move(all[11]),
                        std::move(all[12]), std::move(all[13])};
  return Writer(connection, std::move(*blobs), std::move(*heads), std::move(*feed), std::move(statements));
}

Writer::Writer(Connection& connection, BlobStore blobs, RunHeads heads, EntryFeed feed, Statements statements)
    : connection_(&connection),
      blobs_(std::move(blobs)),
      heads_(std::move(heads)),
      feed_(std::move(feed)),
      statements_(std::move(statements)) {}

Result<void> Writer::apply(const Batch& batch) {
  Result<void> ok;
  if (batch.run) ok = put_run(*batch.run);
  for (auto at = batch.entries.begin(); ok && at != batch.entries.end(); ++at) ok = put_entry(*at);
  return ok ? put_beside(batch) : ok;
}

Result<void> Writer::gather(const Batch& batch) {
  Result<void> ok;
  if (batch.run) ok = put_run(*batch.run);
  for (auto at = batch.entries.begin(); ok && at != batch.entries.end(); ++at) ok = gather_entry(*at);
  return ok ? put_beside(batch) : ok;
}

Result<void> Writer::put_beside(const Batch& batch) {
  Result<void> ok;
  for (auto at = batch.usage.begin(); ok && at != batch.usage.end(); ++at) ok = put_usage(*at);
  for (auto at = batch.breakers.begin(); ok && at != batch.breakers.end(); ++at) ok = put_breaker(*at);
  const auto& memories = batch.breaker_memories;
  for (auto at = memories.begin(); ok && at != memories.end(); ++at) ok = put_memory(*at);
  for (auto at = batch.controls.begin(); ok && at != batch.controls.end(); ++at) ok = put_control(*at);
  for (auto at = batch.exposures.begin(); ok && at != batch.exposures.end(); ++at) ok = put_exposure(*at);
  for (auto at = batch.decisions.begin(); ok && at != batch.decisions.end(); ++at) ok = put_decision(*at);
  for (auto at = batch.feedback.begin(); ok && at != batch.feedback.end(); ++at) ok = put_feedback(*at);
  for (auto at = batch.taken.begin(); ok && at != batch.taken.end(); ++at)
    ok = statements_.take_signal.with(*at).run();
  return ok;
}

void Writer::forget(const Batch& batch) {
  if (batch.run) heads_.forget(batch.run->run_id);
  for (const auto& entry : batch.entries) heads_.forget(entry.run_id);
}

void Writer::end_group() {
  feed_.clear();
  heads_.trim();
}

Result<void> Writer::claim(RunRow& row) {
  auto head = heads_.find(row.run_id);
  if (!head) return std::unexpected(std::move(head.error()));
  if (*head) return take_over(row);
  row.epoch = 1;
  return insert_run(row);
}

Result<void> Writer::take_over(RunRow& row) {
  auto stored = read_run(*connection_, row.run_id);
  if (!stored) return std::unexpected(std::move(stored.error()));
  if (!*stored) return fail(Errc::internal, fmt::format("run {} vanished while it was claimed", row.run_id));
  if (!row.workflow.empty() && (*stored)->workflow != row.workflow)
    return other_workflow(row.run_id, (*stored)->workflow, row.workflow);
  // The head is read anew from the tables: what was gathered for it must stand there first.
  if (auto ok = feed_.insert(); !ok) return ok;
  if (auto ok = statements_.claim_run.with(row.node, holder_, row.run_id).run(); !ok) return ok;
  heads_.forget(row.run_id);
  if ((*stored)->state != RunState::running) row.node = (*stored)->node;
  (*stored)->node = row.node;
  (*stored)->epoch += 1;
  row = std::move(**stored);
  return {};
}

Result<void> Writer::put_run(const RunRow& row) {
  auto head = heads_.find(row.run_id);
  if (!head) return std::unexpected(std::move(head.error()));
  if (!*head) return insert_run(row);
  if (auto ok = check_fence(row.run_id, row.epoch, (*head)->epoch); !ok) return ok;
  auto id = (*head)->id;
  if (auto ok = drop_order(row, id); !ok) return ok;
  auto input = blobs_.put(row.input);
  if (!input) return std::unexpected(std::move(input.error()));
  auto output = blobs_.put(row.output);
  if (!output) return std::unexpected(std::move(output.error()));
  return statements_.update_run
      .with(TextView{row.workflow}, static_cast<int>(row.state), BlobView{input->here}, input->blob,
            BlobView{output->here}, output->blob, TextView{row.tenant}, TextView{row.node}, row.finished.ms,
            row.usd, row.tokens_in, row.tokens_out, TextView{row.parent}, TextView{row.budget},
            TextView{row.version}, row.wake.ms, id)
      .run();
}

Result<void> Writer::drop_order(const RunRow& row, std::int64_t id) {
  if (row.state != RunState::running) return {};
  return statements_.drop_order.with(id, std::string_view(kCancelSignal)).run();
}

Result<void> Writer::insert_run(const RunRow& row) {
  auto input = blobs_.put(row.input);
  if (!input) return std::unexpected(std::move(input.error()));
  auto output = blobs_.put(row.output);
  if (!output) return std::unexpected(std::move(output.error()));
  auto inserted =
      statements_.insert_run
          .with(TextView{row.run_id}, TextView{row.workflow}, static_cast<int>(row.state),
                BlobView{input->here}, input->blob, BlobView{output->here}, output->blob,
                TextView{row.tenant}, TextView{row.node}, row.epoch, row.created.ms, row.finished.ms, row.usd,
                row.tokens_in, row.tokens_out, TextView{row.parent}, TextView{row.budget},
                TextView{row.version}, row.wake.ms, static_cast<int>(row.durability), holder_)
          .run();
  if (inserted) heads_.learn(row.run_id, {connection_->last_rowid(), row.epoch, 0});
  return inserted;
}

Result<RunHead*> Writer::head_for(const Entry& entry) {
  auto found = heads_.find(entry.run_id);
  if (!found) return found;
  if (!*found) return unknown_run(entry.run_id);
  if (auto ok = check_fence(entry.run_id, entry.epoch, (*found)->epoch); !ok)
    return std::unexpected(std::move(ok.error()));
  if (auto ok = check_place(entry, (*found)->seq); !ok) return std::unexpected(std::move(ok.error()));
  return found;
}

Result<void> Writer::gather_entry(const Entry& entry) {
  auto head = head_for(entry);
  if (!head) return std::unexpected(std::move(head.error()));
  auto payload = blobs_.put(entry.payload);
  if (!payload) return std::unexpected(std::move(payload.error()));
  feed_.add((*head)->id, entry, *payload);
  (*head)->seq = entry.seq;
  return {};
}

Result<void> Writer::put_entry(const Entry& entry) {
  auto found = head_for(entry);
  if (!found) return std::unexpected(std::move(found.error()));
  auto* head = *found;
  auto payload = blobs_.put(entry.payload);
  if (!payload) return std::unexpected(std::move(payload.error()));
  auto written =
      statements_.insert_entry
          .with(head->id, entry.seq, static_cast<int>(entry.kind), TextView{entry.step_key}, entry.input_hash,
                entry.epoch, entry.attempt, entry.at.ms, BlobView{payload->here}, payload->blob)
          .run();
  if (written) head->seq = entry.seq;
  // The head has vouched for (run, seq), so what is left to collide is a step's result or a child's end.
  if (!written && written.error().code == Errc::invalid_input) return repeated(entry);
  return written;
}

Result<void> Writer::put_usage(const UsageRow& row) {
  const auto& u = row.usage;
  return statements_.insert_usage
      .with(row.run_id, row.step_key, row.attempt, row.endpoint, row.started.ms, row.feature, row.tenant,
            row.model, row.cause, row.error, row.node, u.input, u.output, u.cache_read, u.cache_write,
            u.reasoning, u.estimated, row.usd, row.ttft.count(), row.total.count(), row.price, row.unit_hours)
      .run();
}

Result<void> Writer::put_breaker(const BreakerRow& row) {
  return statements_.insert_breaker
      .with(row.endpoint, row.node, row.from, row.to, row.reason, row.detail, row.at.ms, row.cool_until.ms,
            row.share)
      .run();
}

Result<void> Writer::put_memory(const BreakerMemoryRow& row) {
  return statements_.replace_memory.with(row.endpoint, row.node, row.memory, row.at.ms).run();
}

Result<void> Writer::put_control(const ControlRow& row) {
  return statements_.insert_control
      .with(row.kind, row.subject, row.epoch, row.node, row.body, row.who, row.why, row.at.ms)
      .run();
}

// Now and then, so that forgetting costs nothing that could be noticed.
Result<void> Writer::put_decision(const DecisionRow& row) {
  auto put = statements_.insert_decision
                 .with(row.id, BlobView{row.body}, row.at.ms, row.run_id, row.step_key, row.arm)
                 .run();
  constexpr std::uint64_t forget_every = 1024;
  if (!put || ++decisions_put_ % forget_every != 0) return put;
  return statements_.forget_decisions.with(static_cast<std::int64_t>(kDecisionsKept)).run();
}

Result<void> Writer::put_feedback(const FeedbackRow& row) {
  return statements_.insert_feedback
      .with(row.run_id, row.step_key, row.rater, row.decision, row.feature, row.tenant, row.arm, row.model,
            row.endpoint, row.surface, row.note, row.node, row.score, row.asked_share, row.at.ms)
      .run();
}

Result<void> Writer::put_exposure(const ExposureRow& row) {
  return statements_.insert_exposure
      .with(row.experiment, row.version, row.arm, row.unit, row.decision, row.node, row.at.ms)
      .run();
}

}  // namespace troupe::journal
