#include "actors/run_record.hpp"

#include "actors/run_entries.hpp"
#include "runtime/base/rng.hpp"

#include <fmt/format.h>

#include <array>

namespace troupe {

const char* to_string(RunEnd end) {
  constexpr std::array names{"done", "failed", "cancelled", "interrupted"};
  return names[static_cast<std::size_t>(end)];
}

namespace actors {
namespace {

journal::RunState state_after(RunEnd end) {
  if (end == RunEnd::done) return journal::RunState::done;
  return end == RunEnd::failed ? journal::RunState::failed : journal::RunState::cancelled;
}

}  // namespace

std::vector<journal::UsageRow> usage_rows(const CallSite& site, const CompletionRequest& request,
                                          const std::vector<AttemptRecord>& attempts) {
  std::vector<journal::UsageRow> rows;
  for (const auto& record : attempts) {
    journal::UsageRow row;
    row.run_id = site.run_id;
    row.step_key = site.step_key;
    row.attempt = static_cast<std::uint32_t>(rows.size() + 1);
    row.feature = request.feature;
    row.tenant = request.tenant;
    row.model = record.model;
    row.endpoint = record.endpoint;
    row.cause = to_string(record.cause);
    row.error = record.error;
    row.node = site.node;
    row.usage = record.usage;
    row.usd = record.usd;
    row.started = record.started;
    row.ttft = record.ttft;
    row.total = record.total;
    row.price = record.price;
    row.unit_hours = record.unit_hours;
    rows.push_back(std::move(row));
  }
  return rows;
}

Spent spent_on(const std::vector<AttemptRecord>& attempts) {
  Spent sum;
  for (const auto& attempt : attempts) {
    sum.tokens_in += attempt.usage.input_total();
    sum.tokens_out += attempt.usage.output;
    sum.usd += attempt.usd;
  }
  return sum;
}

std::uint64_t input_hash(const StepKey& step, const std::string& of, const JsonText& input) {
  return stable_hash(of + '\n' + step.name + '\n' + input.text);
}

Error unknown_outcome(const std::string& key) {
  auto error =
      make_error(Errc::unreachable,
                 fmt::format("an earlier life of this run began step {}; nobody knows how it ended", key));
  error.maybe_billed = true;
  return error;
}

journal::RunRow first_row(const RunSpec& spec, const std::string& version, const std::string& node,
                          WallTime created) {
  journal::RunRow row;
  row.run_id = spec.run_id;
  row.workflow = spec.workflow;
  row.input = spec.input.text;
  row.tenant = spec.tenant;
  row.node = node;
  row.created = created;
  row.parent = spec.parent;
  row.budget = budget_json(spec.budget);
  row.version = version;
  row.durability = spec.durability;
  return row;
}

journal::RunRow revived_row(journal::RunRow row) {
  row.state = journal::RunState::running;
  row.output.clear();
  row.finished = {};
  row.usd = 0;
  row.tokens_in = row.tokens_out = 0;
  row.wake = {};
  return row;
}

bool ended_for_good(const journal::RunRow& row) {
  return row.state == journal::RunState::done || row.state == journal::RunState::cancelled;
}

journal::RunRow ended_row(journal::RunRow row, const RunReport& report, WallTime at) {
  auto spent = spent_on(report.attempts);
  const auto& before = report.before_snapshot;
  row.state = state_after(report.end);
  row.output = report.error ? report.error->what : report.output.text;
  row.finished = at;
  row.wake = {};
  row.usd = before.usd + spent.usd;
  row.tokens_in = before.tokens_in + spent.tokens_in;
  row.tokens_out = before.tokens_out + spent.tokens_out;
  return row;
}

}  // namespace actors
}  // namespace troupe
