#include "actors/history_file.hpp"

#include "actors/desk.hpp"
#include "providers/text.hpp"

#include <fmt/format.h>

#include <charconv>
#include <optional>

namespace troupe::actors {
namespace {

// Of a file; more is no run of ours.
constexpr std::size_t kRunsReadMax = 10'000;
constexpr std::size_t kEntriesReadMax = 5'000'000;

Json row_line(const journal::RunRow& row) {
  return {{"run_id", row.run_id},
          {"workflow", row.workflow},
          {"version", row.version},
          {"tenant", row.tenant},
          {"parent", row.parent},
          {"node", row.node},
          {"budget", row.budget},
          {"state", to_string(row.state)},
          {"epoch", row.epoch},
          {"created_ms", row.created.ms},
          {"finished_ms", row.finished.ms},
          {"output", row.output},
          {"durability", to_string(row.durability)}};
}

template <class E, int kLast>
std::optional<E> named(const std::string& name) {
  for (int each = 1; each <= kLast; ++each)
    if (name == to_string(static_cast<E>(each))) return static_cast<E>(each);
  return std::nullopt;
}

std::uint64_t unsigned_of(const Json& line, const char* key) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(get_int(line, key), 0));
}

Result<journal::RunRow> row_of(const Json& json) {
  journal::RunRow row;
  row.run_id = get_string(json, "run_id");
  row.workflow = get_string(json, "workflow");
  row.version = get_string(json, "version");
  row.tenant = get_string(json, "tenant");
  row.parent = get_string(json, "parent");
  row.node = get_string(json, "node");
  row.budget = get_string(json, "budget");
  row.output = get_string(json, "output");
  row.input = get_string(json, "input");
  row.epoch = unsigned_of(json, "epoch");
  row.created.ms = get_int(json, "created_ms");
  row.finished.ms = get_int(json, "finished_ms");
  auto state = named<journal::RunState, 4>(get_string(json, "state"));
  if (row.run_id.empty() || row.workflow.empty() || !state)
    return fail(Errc::invalid_input, "a run has at least run_id, workflow and state");
  row.state = *state;
  auto durability = read_durability(get_string(json, "durability"));
  if (!durability) return std::unexpected(durability.error());
  row.durability = *durability;
  return row;
}

Result<journal::Entry> entry_of(const Json& line, const RecordedRun& run) {
  journal::Entry entry;
  entry.run_id = run.row.run_id;
  entry.seq = unsigned_of(line, "seq");
  auto kind = named<journal::Kind, static_cast<int>(journal::Kind::snapshot)>(get_string(line, "kind"));
  if (!kind) return fail(Errc::invalid_input, "its kind is not known");
  auto expected = run.entries.empty() ? 1 : run.entries.back().seq + 1;
  // What came before the snapshot was compacted.
  bool compacted = run.entries.empty() && *kind == journal::Kind::snapshot && entry.seq > 0;
  if (entry.seq != expected && !compacted)
    return fail(Errc::invalid_input, fmt::format("expected entry {}, not {}", expected, entry.seq));
  entry.kind = *kind;
  entry.step_key = get_string(line, "step");
  entry.epoch = unsigned_of(line, "epoch");
  entry.attempt = static_cast<std::uint32_t>(unsigned_of(line, "attempt"));
  entry.at.ms = get_int(line, "at_ms");
  auto hash = get_string(line, "hash", "0");
  auto [end, error] = std::from_chars(hash.data(), hash.data() + hash.size(), entry.input_hash, 16);
  if (error != std::errc{} || end != hash.data() + hash.size())
    return fail(Errc::invalid_input, "its hash is no hexadecimal number");
  auto payload = providers::base64_decode(get_string(line, "bytes"));
  if (!payload) return fail(Errc::invalid_input, "its bytes are no base64");
  entry.payload = std::move(*payload);
  return entry;
}

Result<void> read_line(std::string_view text, std::vector<RecordedRun>& runs) {
  auto line = parse_json(text);
  if (!line || !line->is_object()) return fail(Errc::invalid_input, "is no JSON object");
  if (const auto* row = find(*line, "run"); row != nullptr) {
    auto begun = row_of(*row);
    if (!begun) return std::unexpected(begun.error());
    if (runs.size() == kRunsReadMax) return fail(Errc::invalid_input, "too many runs");
    runs.push_back({std::move(*begun), {}});
  }
  if (runs.empty())
    return fail(Errc::invalid_input, "a history begins with the entry that has \"run\" in it");
  auto entry = entry_of(*line, runs.back());
  if (!entry) return std::unexpected(entry.error());
  if (entry->seq == 1) runs.back().row.input = entry->payload;
  runs.back().entries.push_back(std::move(*entry));
  return {};
}

}  // namespace

std::vector<Json> export_lines(const RecordedRun& run) {
  auto lines = export_history(run.entries);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto& entry = run.entries[i];
    lines[i]["at_ms"] = entry.at.ms;
    if (entry.input_hash != 0) lines[i]["hash"] = fmt::format("{:016x}", entry.input_hash);
    if (!entry.payload.empty()) lines[i]["bytes"] = providers::base64_encode(entry.payload);
    if (i > 0) continue;
    lines[i]["run"] = row_line(run.row);
    // Else it is the first entry.
    if (entry.seq != 1) lines[i]["run"]["input"] = run.row.input;
  }
  return lines;
}

Result<std::vector<RecordedRun>> read_histories(std::string_view lines) {
  std::vector<RecordedRun> runs;
  std::size_t number = 0;
  while (!lines.empty()) {
    auto end = std::min(lines.find('\n'), lines.size());
    auto line = lines.substr(0, end);
    lines.remove_prefix(std::min(end + 1, lines.size()));
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    auto read =
        number > kEntriesReadMax ? fail(Errc::invalid_input, "too many lines") : read_line(line, runs);
    if (!read) return fail(Errc::invalid_input, fmt::format("line {}: {}", number, read.error().what));
  }
  if (runs.empty()) return fail(Errc::invalid_input, "there is no history in it");
  return runs;
}

}  // namespace troupe::actors
