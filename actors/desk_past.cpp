#include "actors/desk_past.hpp"

#include "actors/run_snapshot.hpp"

#include <algorithm>
#include <iterator>

namespace troupe::actors {
namespace {

constexpr std::size_t kPrunedRunsMax = 1'000'000;

// The run with this id, or all that are not over.
Result<std::vector<std::string>> chosen_runs(journal::Journal& journal, const std::string& run_id) {
  if (!run_id.empty()) return std::vector<std::string>{run_id};
  auto rows = journal.runs(kPrunedRunsMax, {.state = journal::RunState::running});
  if (!rows) return std::unexpected(rows.error());
  std::vector<std::string> ids;
  for (const auto& row : *rows) ids.push_back(row.run_id);
  return ids;
}

// What came before their latest snapshots.
Result<Json> prune_snapshots(const DeskServices& services, const std::string& run_id) {
  auto ids = chosen_runs(*services.journal, run_id);
  if (!ids) return std::unexpected(ids.error());
  std::uint64_t entries = 0, runs = 0;
  for (const auto& id : *ids) {
    auto gone = services.journal->compact(id, 0);
    if (!gone) return std::unexpected(gone.error());
    entries += *gone;
    runs += *gone > 0 ? 1 : 0;
  }
  return Json{{"runs", runs}, {"entries", entries}};
}

}  // namespace

void put_snapshot(Json& out, const std::vector<journal::Entry>& entries) {
  auto last = std::find_if(entries.rbegin(), entries.rend(),
                           [](const journal::Entry& entry) { return entry.kind == journal::Kind::snapshot; });
  auto note = last == entries.rend() ? fail(Errc::not_found, "") : read_snapshot(last->payload);
  if (!note) return;
  out["snapshot"] = {{"number", note->number},
                     {"seq", last->seq},
                     {"at", to_iso8601(last->at)},
                     {"version", note->version},
                     {"state_bytes", note->state.text.size()},
                     {"entries_before", static_cast<std::size_t>(std::distance(last, entries.rend())) - 1},
                     {"entries_since", static_cast<std::size_t>(std::distance(entries.rbegin(), last))}};
}

std::size_t results_in(const std::vector<journal::Entry>& entries) {
  auto is_result = [](const journal::Entry& entry) { return entry.kind == journal::Kind::result; };
  auto compacted = !entries.empty() && entries.front().kind == journal::Kind::snapshot
                       ? read_snapshot(entries.front().payload)
                       : fail(Errc::not_found, "");
  return static_cast<std::size_t>(std::count_if(entries.begin(), entries.end(), is_result)) +
         (compacted ? compacted->steps : 0);
}

void prune_runs(const DeskServices& services, const Json& input, const Reply& reply) {
  if (get_bool(input, "before_snapshot")) {
    auto told = prune_snapshots(services, get_string(input, "id"));
    return told ? reply(dump_json(*told)) : reply(std::unexpected(told.error()));
  }
  auto older_ms = get_int(input, "older_ms");
  if (older_ms <= 0 || services.clock == nullptr)
    return reply(fail(Errc::invalid_input, "how old must a run be? give older_ms"));
  WallTime before{services.clock->wall().ms - older_ms};
  auto gone = services.journal->forget(before, get_string(input, "workflow"));
  if (!gone) return reply(std::unexpected(gone.error()));
  reply(dump_json(Json{{"runs", *gone}}));
}

}  // namespace troupe::actors
