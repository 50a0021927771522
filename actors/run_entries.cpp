#include "actors/run_entries.hpp"

#include "runtime/base/clock.hpp"
#include "runtime/json/json.hpp"
#include "runtime/protocol/run_values.hpp"

namespace troupe::actors {
namespace {

std::unexpected<Error> unreadable() { return fail(Errc::invalid_input, "malformed journal payload"); }

}  // namespace

std::string to_payload(const IntentNote& note) {
  protocol::Writer writer;
  writer.array(2);
  writer.unsigned_integer(static_cast<std::uint64_t>(note.of));
  write(writer, note.reserved);
  return std::move(writer).take();
}

Result<IntentNote> read_intent(const std::string& payload) {
  IntentNote note;
  if (payload.empty()) return note;
  protocol::Reader reader(payload);
  protocol::RecordReader record(reader, 2);
  auto of = reader.unsigned_integer();
  read(reader, note.reserved);
  record.finish();
  if (!reader.ok() || of > static_cast<std::uint64_t>(IntentOf::tool)) return unreadable();
  note.of = static_cast<IntentOf>(of);
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
  if (budget.tokens != 0) out["tokens"] = budget.tokens;
  if (budget.calls != 0) out["calls"] = budget.calls;
  if (budget.tool_calls != 0) out["tool_calls"] = budget.tool_calls;
  if (budget.subagents != 0) out["subagents"] = budget.subagents;
  if (budget.depth != 0) out["depth"] = budget.depth;
  if (budget.wall != Duration{}) out["wall_s"] = seconds(budget.wall);
  return out.empty() ? std::string() : dump_json(out);
}

Result<Budget> read_budget(const std::string& json) {
  Budget out;
  if (json.empty()) return out;
  auto parsed = parse_json(json);
  if (!parsed || !parsed->is_object()) return fail(Errc::invalid_input, "a budget is a JSON object of caps");
  for (const auto& [name, value] : parsed->items()) {
    if (!value.is_number()) return fail(Errc::invalid_input, "budget." + name + " wants a number");
    auto number = value.get<double>();
    auto whole = static_cast<std::int64_t>(number);
    if (name == "usd")
      out.usd = number;
    else if (name == "tokens")
      out.tokens = whole;
    else if (name == "calls")
      out.calls = whole;
    else if (name == "tool_calls")
      out.tool_calls = whole;
    else if (name == "subagents")
      out.subagents = whole;
    else if (name == "depth")
      out.depth = whole;
    else if (name == "wall_s")
      out.wall = from_seconds(number);
    else
      return fail(Errc::invalid_input, "budget." + name +
                                           " is not known; there are usd, tokens, calls, tool_calls, "
                                           "subagents, depth, wall_s");
  }
  return out;
}

}  // namespace troupe::actors
