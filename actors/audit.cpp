#include "actors/audit.hpp"

#include "actors/run_entries.hpp"

#include <fmt/format.h>

#include <map>

namespace troupe::actors {
namespace {

constexpr std::size_t kRunsAudited = 1'000'000;

// What one run's entries say it began.
struct BegunSoFar {
  Budget counted;
  std::map<std::string, std::uint32_t> attempts;
  std::vector<std::string> problems;
};

void count_entry(const journal::Entry& entry, BegunSoFar& begun) {
  if (entry.kind == journal::Kind::child_start) {
    ++begun.counted.subagents;
    return;
  }
  if (entry.kind != journal::Kind::intent) return;
  auto note = read_intent(entry.payload);
  if (note && note->of == IntentOf::tool) ++begun.counted.tool_calls;
  if (note && note->of == IntentOf::model) ++begun.counted.calls;
  auto& last = begun.attempts[entry.step_key];
  if (entry.attempt != last + 1)
    begun.problems.push_back(fmt::format("run {}: step {} has attempt {} after {}", entry.run_id,
                                         entry.step_key, entry.attempt, last));
  last = entry.attempt;
}

void compare(const journal::RunRow& row, const char* what, std::int64_t begun, std::int64_t cap,
             std::vector<std::string>& out) {
  if (cap == 0 || begun <= std::max<std::int64_t>(cap, 0)) return;
  out.push_back(fmt::format("run {}: {} {} begun, its budget allows {}", row.run_id, begun, what, cap));
}

Result<void> audit_run(journal::Journal& journal, const journal::RunRow& row, std::vector<std::string>& out) {
  auto entries = journal.history(row.run_id);
  if (!entries) return std::unexpected(entries.error());
  BegunSoFar begun;
  for (const auto& entry : *entries) count_entry(entry, begun);
  out.insert(out.end(), begun.problems.begin(), begun.problems.end());
  auto cap = read_budget(row.budget);
  if (!cap) {
    out.push_back(fmt::format("run {}: its budget cannot be read", row.run_id));
    return {};
  }
  compare(row, "calls", begun.counted.calls, cap->calls, out);
  compare(row, "tool calls", begun.counted.tool_calls, cap->tool_calls, out);
  compare(row, "child runs", begun.counted.subagents, cap->subagents, out);
  return {};
}

}  // namespace

Result<std::vector<std::string>> audit(journal::Journal& journal) {
  auto out = journal.check();
  if (!out) return out;
  auto rows = journal.runs(kRunsAudited);
  if (!rows) return std::unexpected(rows.error());
  for (const auto& row : *rows)
    if (auto audited = audit_run(journal, row, *out); !audited) return std::unexpected(audited.error());
  return out;
}

}  // namespace troupe::actors
