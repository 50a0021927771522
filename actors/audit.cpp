#include "actors/audit.hpp"

#include "actors/audit_run.hpp"

#include <algorithm>

namespace troupe::actors {
namespace {

constexpr std::size_t kRunsAudited = 1'000'000;

Result<void> audit_children(journal::Journal& journal, const AuditedRun& parent,
                            std::vector<std::string>& out) {
  auto children = journal.children(parent.row.run_id);
  if (!children) return std::unexpected(children.error());
  for (const auto& row : *children) {
    auto entries = journal.history(row.run_id);
    if (!entries) return std::unexpected(entries.error());
    audit_child(parent, {row, *entries}, out);
  }
  return {};
}

bool has_children(const std::vector<journal::Entry>& entries) {
  return std::ranges::any_of(entries, [](const auto& e) { return e.kind == journal::Kind::child_start; });
}

Result<void> audit_run(journal::Journal& journal, const journal::RunRow& row,
                       const std::optional<LivenessRule>& liveness, std::vector<std::string>& out) {
  auto entries = journal.history(row.run_id);
  if (!entries) return std::unexpected(entries.error());
  AuditedRun run{row, *entries};
  audit_history(run, out);
  if (liveness) audit_liveness(run, *liveness, out);
  return has_children(*entries) ? audit_children(journal, run, out) : Result<void>{};
}

}  // namespace

Result<std::vector<std::string>> audit(journal::Journal& journal,
                                       const std::optional<LivenessRule>& liveness) {
  auto out = journal.check();
  if (!out) return out;
  auto rows = journal.runs(kRunsAudited);
  if (!rows) return std::unexpected(rows.error());
  for (const auto& row : *rows)
    if (auto audited = audit_run(journal, row, liveness, *out); !audited)
      return std::unexpected(audited.error());
  return out;
}

}  // namespace troupe::actors
