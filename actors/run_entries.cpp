#include "actors/run_entries.hpp"

#include "runtime/base/clock.hpp"
#include "runtime/json/json.hpp"
#include "runtime/protocol/run_values.hpp"

#include <utility>

namespace troupe::actors {
namespace {

// Stored: never renumber.
constexpr std::uint64_t kNoteOfFailure = 1, kNoteOfStage = 2;

std::unexpected<Error> unreadable() { return fail(Errc::invalid_input, "malformed journal payload"); }

constexpr std::pair<const char*, std::int64_t Budget::*> kBudgetCounts[] = {
    {"tokens", &Budget::tokens},
    {"calls", &Budget::calls},
    {"tool_calls", &Budget::tool_calls},
    {"subagents", &Budget::subagents},
    {"depth", &Budget::depth}};

Result<void> read_cap(const std::string& name, const Json& value, Budget& out) {
  if (!value.is_number()) return fail(Errc::invalid_input, "budget." + name + " wants a number");
  if (name == "usd") return out.usd = value.get<double>(), Result<void>();
  if (name == "wall_s") return out.wall = from_seconds(value.get<double>()), Result<void>();
  for (const auto& [count, part] : kBudgetCounts)
    if (name == count) return out.*part = static_cast<std::int64_t>(value.get<double>()), Result<void>();
  return fail(Errc::invalid_input, "budget." + name +
                                       " is not known; there are usd, tokens, calls, tool_calls, subagents, "
                                       "depth, wall_s");
}

}  // namespace

std::string to_payload(const IntentNote& note) {
  protocol::Writer writer;
  writer.array(note.cheaper ? 3 : 2);
  writer.unsigned_integer(static_cast<std::uint64_t>(note.of));
  write(writer, note.reserved);
  if (note.cheaper) writer.boolean(true);
  return std::move(writer).take();
}

Result<IntentNote> read_intent(const std::string& payload) {
  IntentNote note;
  if (payload.empty()) return note;
  protocol::Reader reader(payload);
  protocol::RecordReader record(reader, 2);
  auto of = reader.unsigned_integer();
  read(reader, note.reserved);
  if (record.next()) note.cheaper = reader.boolean();
  record.finish();
  if (!reader.ok() || of > static_cast<std::uint64_t>(IntentOf::tool)) return unreadable();
  note.of = static_cast<IntentOf>(of);
  return note;
}

std::string to_payload(const RunNote& note) {
  protocol::Writer writer;
  if (const auto* failed = std::get_if<FailedNote>(&note)) {
    writer.array(4);
    writer.unsigned_integer(kNoteOfFailure);
    write(writer, failed->error);
    write(writer, failed->used);
    writer.boolean(failed->unknown);
  } else {
    writer.array(2);
    writer.unsigned_integer(kNoteOfStage);
    writer.unsigned_integer(static_cast<std::uint64_t>(std::get<StageNote>(note).stage));
  }
  return std::move(writer).take();
}

Result<RunNote> read_note(const std::string& payload) {
  protocol::Reader reader(payload);
  protocol::RecordReader record(reader, 1);
  auto of = reader.unsigned_integer();
  RunNote note;
  if (of == kNoteOfFailure) {
    FailedNote failed;
    record.expect(3);
    read(reader, failed.error);
    read(reader, failed.used);
    failed.unknown = reader.boolean();
    note = std::move(failed);
  } else {
    record.expect(1);
    auto stage = reader.unsigned_integer();
    if (of != kNoteOfStage || stage > static_cast<std::uint64_t>(BudgetStage::spent)) return unreadable();
    note = StageNote{static_cast<BudgetStage>(stage)};
  }
  record.finish();
  if (!reader.ok()) return unreadable();
  return note;
}

std::string to_payload(const ChildNote& note) {
  protocol::Writer writer;
  writer.array(2);
  writer.text(note.run_id);
  write(writer, note.slice);
  return std::move(writer).take();
}

Result<ChildNote> read_child(const std::string& payload) {
  ChildNote note;
  protocol::Reader reader(payload);
  protocol::RecordReader record(reader, 2);
  note.run_id = reader.text();
  read(reader, note.slice);
  record.finish();
  if (!reader.ok()) return unreadable();
  return note;
}

std::string to_payload(const ChildOutcome& outcome) {
  protocol::Writer writer;
  writer.array(3);
  writer.boolean(outcome.end.has_value());
  if (outcome.end) write(writer, *outcome.end);
  if (!outcome.end) write(writer, outcome.end.error());
  write(writer, outcome.spent);
  return std::move(writer).take();
}

Result<ChildOutcome> read_outcome(const std::string& payload) {
  protocol::Reader reader(payload);
  protocol::RecordReader record(reader, 3);
  ChildOutcome outcome{ChildEnd{}, {}};
  if (reader.boolean()) {
    read(reader, *outcome.end);
  } else {
    Error error;
    read(reader, error);
    outcome.end = std::unexpected(std::move(error));
  }
  read(reader, outcome.spent);
  record.finish();
  if (!reader.ok()) return unreadable();
  return outcome;
}

std::string budget_json(const Budget& budget) {
  Json out = Json::object();
  if (budget.usd != 0) out["usd"] = budget.usd;
  for (const auto& [name, part] : kBudgetCounts)
    if (budget.*part != 0) out[name] = budget.*part;
  if (budget.wall != Duration{}) out["wall_s"] = seconds(budget.wall);
  return out.empty() ? std::string() : dump_json(out);
}

Result<Budget> read_budget(const std::string& json) {
  Budget out;
  if (json.empty()) return out;
  auto parsed = parse_json(json);
  if (!parsed || !parsed->is_object()) return fail(Errc::invalid_input, "a budget is a JSON object of caps");
  for (const auto& [name, value] : parsed->items())
    if (auto read = read_cap(name, value, out); !read) return std::unexpected(read.error());
  return out;
}

}  // namespace troupe::actors
