#include "runtime/journal/postgres_group.hpp"

#include "runtime/journal/postgres_statements.hpp"
#include "runtime/journal/rules.hpp"
#include "runtime/journal/schema.hpp"

#include <fmt/format.h>

#include <initializer_list>
#include <utility>

namespace troupe::journal {
namespace {

Result<void> send_table(PgConnection& connection, std::string_view sql, PgTable& table) {
  if (table.rows() == 0) return {};
  PgParams params;
  table.put_into(params);
  return connection.send(sql, params);
}

void add_run(PgTable& table, std::int64_t id, const RunRow& row) {
  table.add(id, row.run_id, row.workflow, static_cast<int>(row.state), row.input, row.output, row.tenant,
            row.node, row.epoch, row.created.ms, row.finished.ms, row.usd, row.tokens_in, row.tokens_out,
            row.parent, row.budget, row.version, row.wake.ms, static_cast<int>(row.durability));
}

bool is_large(const RunRow& row) {
  return row.input.size() > kInlineBytesMax || row.output.size() > kInlineBytesMax;
}

}  // namespace

PgTable::PgTable(std::string_view types) {
  for (char type : types)
    columns_.emplace_back(type == 'i'   ? PgColumn::Type::integer
                          : type == 'r' ? PgColumn::Type::real
                          : type == 't' ? PgColumn::Type::text
                                        : PgColumn::Type::bytes);
}

void PgTable::put_into(PgParams& params) {
  for (auto& column : columns_) params.add(column);
}

PgGroup::PgGroup(const PgHeads& known, std::uint64_t mine)
    : known_(known),
      mine_(mine),
      entries_("iiitiiiib"),
      run_inserts_("ittibbttiiiriitttii"),
      run_updates_("ittibbttiiiriitttii"),
      usage_(
          "ttititttttt"
          "iiiiiiriitr"),
      breakers_("ttttttiir"),
      memories_("ttti"),
      controls_("ttitbtti"),
      exposures_(
          "titit"
          "ti"),
      decisions_("tbittt"),
      taken_("i"),
      feedback_(
          "tttttttttttt"
          "rri") {}

void PgGroup::want(const Job& job) {
  if (job.claim) {
    has_large_ = has_large_ || is_large(*job.claim);
    unknown_.insert(job.claim->run_id);
    return;
  }
  for (const auto& entry : job.batch.entries) {
    has_large_ = has_large_ || entry.payload.size() > kInlineBytesMax;
    want_head(entry.run_id);
  }
  if (!job.batch.run) return;
  const auto& row = *job.batch.run;
  has_large_ = has_large_ || is_large(row);
  if (job.fresh) fresh_.insert(row.run_id);
  if (job.fresh || want_head(row.run_id)) ++ids_wanted_;
}

/// True when the store must be asked for it. A run that begins in this group has none yet.
bool PgGroup::want_head(const std::string& run_id) {
  if (known_.contains(run_id) || fresh_.contains(run_id)) return false;
  unknown_.insert(run_id);
  return true;
}

PgHead* PgGroup::find(const std::string& run_id) {
  if (auto at = heads_.find(run_id); at != heads_.end()) return &at->second;
  auto at = known_.find(run_id);
  if (at == known_.end()) return nullptr;
  return &heads_.emplace(run_id, at->second).first->second;
}

Result<void> PgGroup::check_run(const RunRow& row) {
  const auto* head = find(row.run_id);
  if (!head) return {};
  if (auto ok = check_fence(row.run_id, row.epoch, head->epoch); !ok) return ok;
  if (head->holder == mine_) return {};
  return fail(Errc::storage,
              fmt::format("run {} is fenced: this node does not hold it; claim it first", row.run_id));
}

Result<void> PgGroup::check_entries(const Batch& batch) {
  std::map<std::string_view, std::uint64_t> last;
  for (const auto& entry : batch.entries) {
    const auto* head = find(entry.run_id);
    bool new_here = !head && batch.run && batch.run->run_id == entry.run_id;
    if (!head && !new_here) return unknown_run(entry.run_id);
    if (auto ok = check_fence(entry.run_id, entry.epoch, head ? head->epoch : batch.run->epoch); !ok)
      return ok;
    if (head && head->holder != mine_)
      return fail(Errc::storage,
                  fmt::format("run {} is fenced: this node does not hold it; claim it first", entry.run_id));
    auto at = last.try_emplace(entry.run_id, head ? head->seq : 0).first;
    if (auto ok = check_place(entry, at->second); !ok) return ok;
    at->second = entry.seq;
  }
  return {};
}

Result<void> PgGroup::admit(const Job& job) {
  const auto& batch = job.batch;
  Result<void> ok;
  if (job.fresh && find(batch.run->run_id))
    return fail(Errc::storage, fmt::format("run {} is there already", batch.run->run_id));
  if (batch.run) ok = check_run(*batch.run);
  if (ok) ok = check_entries(batch);
  if (!ok) return ok;
  if (batch.run) put_run(*batch.run);
  for (const auto& entry : batch.entries) {
    auto* head = find(entry.run_id);
    head->seq = entry.seq;
    entries_.add(head->id, entry.seq, static_cast<int>(entry.kind), entry.step_key, entry.input_hash,
                 entry.epoch, entry.attempt, entry.at.ms, entry.payload);
  }
  put_rows(batch);
  return {};
}

void PgGroup::put_run(const RunRow& row) {
  auto* head = find(row.run_id);
  if (head) {
    if (head->state == RunState::failed && row.state == RunState::running) begun_again_.insert(head->id);
    head->state = row.state;
    auto fresh = inserts_.find(head->id);
    (fresh != inserts_.end() ? fresh->second : updates_[head->id]) = &row;
    return;
  }
  auto id = ids_.back();
  ids_.pop_back();
  heads_[row.run_id] = {id, row.epoch, 0, row.state, mine_};
  inserts_[id] = &row;
}

void PgGroup::put_usage(const UsageRow& row) {
  const auto& u = row.usage;
  usage_.add(row.run_id, row.step_key, row.attempt, row.endpoint, row.started.ms, row.feature, row.tenant,
             row.model, row.cause, row.error, row.node, u.input, u.output, u.cache_read, u.cache_write,
             u.reasoning, static_cast<int>(u.estimated), row.usd, row.ttft.count(), row.total.count(),
             row.price, row.unit_hours);
}

void PgGroup::put_rows(const Batch& batch) {
  for (const auto& row : batch.usage) put_usage(row);
  for (const auto& row : batch.breakers)
    breakers_.add(row.endpoint, row.node, row.from, row.to, row.reason, row.detail, row.at.ms,
                  row.cool_until.ms, row.share);
  for (const auto& row : batch.breaker_memories) last_memories_[row.endpoint] = &row;
  for (const auto& row : batch.controls)
    controls_.add(row.kind, row.subject, row.epoch, row.node, row.body, row.who, row.why, row.at.ms);
  for (const auto& row : batch.exposures)
    exposures_.add(row.experiment, row.version, row.arm, row.unit, row.decision, row.node, row.at.ms);
  for (const auto& row : batch.decisions)
    decisions_.add(row.id, row.body, row.at.ms, row.run_id, row.step_key, row.arm);
  for (const auto& row : batch.feedback)
    feedback_.add(row.run_id, row.step_key, row.rater, row.decision, row.feature, row.tenant, row.arm,
                  row.model, row.endpoint, row.surface, row.note, row.node, row.score, row.asked_share,
                  row.at.ms);
  for (auto number : batch.taken) taken_.add(number);
}

Result<void> PgGroup::send_runs(PgConnection& connection, std::string_view sql, PgTable& table) const {
  if (table.rows() == 0) return {};
  PgParams params;
  table.put_into(params);
  params.add(mine_);
  auto blobs = has_large_ ? kPgStoreRunBlobs : std::string_view();
  return connection.send(fmt::format("{}{}{}", kPgRunValues, blobs, sql), params);
}

Result<void> PgGroup::drop_orders(PgConnection& connection) const {
  if (begun_again_.empty()) return {};
  PgColumn runs(PgColumn::Type::integer);
  for (auto id : begun_again_) runs.add(id);
  return connection.send(kPgDropOrders, PgParams::of(runs, mine_));
}

void PgGroup::add_run_rows() {
  for (const auto& [id, row] : inserts_) add_run(run_inserts_, id, *row);
  for (const auto& [id, row] : updates_) add_run(run_updates_, id, *row);
  for (const auto& [endpoint, row] : last_memories_)
    memories_.add(row->endpoint, row->node, row->memory, row->at.ms);
}

Result<void> PgGroup::send(PgConnection& connection) {
  add_run_rows();
  auto sent = send_runs(connection, kPgInsertRuns, run_inserts_);
  if (sent) sent = drop_orders(connection);
  if (sent) sent = send_runs(connection, kPgUpdateRuns, run_updates_);
  if (sent) sent = send_table(connection, has_large_ ? kPgInsertLargeEntries : kPgInsertEntries, entries_);
  if (sent) sent = send_table(connection, kPgInsertUsage, usage_);
  if (sent) sent = send_table(connection, kPgInsertBreakers, breakers_);
  if (sent) sent = send_table(connection, kPgReplaceMemories, memories_);
  if (sent) sent = send_table(connection, kPgInsertControls, controls_);
  if (sent) sent = send_table(connection, kPgInsertExposures, exposures_);
  if (sent) sent = send_table(connection, kPgInsertFeedback, feedback_);
  if (sent) sent = send_table(connection, kPgTakeSignals, taken_);
  return sent ? send_table(connection, kPgInsertDecisions, decisions_) : sent;
}

void PgGroup::keep(PgHeads& known) const {
  for (const auto& [run_id, head] : heads_) {
    if (head.state == RunState::running && head.holder == mine_)
      known[run_id] = head;
    else
      known.erase(run_id);
  }
}

void PgGroup::forget(PgHeads& known) const {
  for (const auto& [run_id, head] : heads_) known.erase(run_id);
  for (const auto& run_id : unknown_) known.erase(run_id);
}

}  // namespace troupe::journal
