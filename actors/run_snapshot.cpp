#include "actors/run_snapshot.hpp"

#include "runtime/protocol/run_values.hpp"

#include <fmt/format.h>

#include <utility>

namespace troupe::actors {
namespace {

void write_signals(protocol::Writer& writer, const std::vector<SnapshotNote::Signal>& signals) {
  writer.array(signals.size());
  for (const auto& signal : signals) {
    writer.array(3);
    writer.text(signal.name);
    writer.integer(signal.at.ms);
    writer.text(signal.json.text);
  }
}

void read_signals(protocol::Reader& reader, std::vector<SnapshotNote::Signal>& signals) {
  signals.resize(reader.array());
  for (auto& signal : signals) {
    protocol::RecordReader record(reader, 3);
    signal.name = reader.text();
    signal.at.ms = reader.integer();
    signal.json.text = reader.text();
    record.finish();
  }
}

void write_attempts(protocol::Writer& writer, const AttemptSums& sums) {
  writer.unsigned_integer(sums.attempts);
  writer.integer(sums.tokens_in);
  writer.integer(sums.tokens_out);
  writer.real(sums.usd);
}

void read_attempts(protocol::Reader& reader, AttemptSums& sums) {
  sums.attempts = reader.unsigned_integer();
  sums.tokens_in = reader.integer();
  sums.tokens_out = reader.integer();
  sums.usd = reader.real();
}

}  // namespace

std::string to_payload(const SnapshotNote& note) {
  protocol::Writer writer;
  writer.array(15);
  writer.unsigned_integer(note.number);
  writer.text(note.version);
  writer.text(note.state.text);
  writer.integer(note.started.ms);
  writer.integer(note.now.ms);
  write(writer, note.spent);
  writer.boolean(note.refused);
  writer.unsigned_integer(static_cast<std::uint64_t>(note.stage));
  writer.unsigned_integer(note.steps);
  write_attempts(writer, note.attempts);
  write_signals(writer, note.signals);
  writer.array(note.signal_ids.size());
  for (auto id : note.signal_ids) writer.unsigned_integer(id);
  return std::move(writer).take();
}

Result<SnapshotNote> read_snapshot(const std::string& payload) {
  SnapshotNote note;
  protocol::Reader reader(payload);
  protocol::RecordReader record(reader, 15);
  note.number = reader.unsigned_integer();
  note.version = reader.text();
  note.state.text = reader.text();
  note.started.ms = reader.integer();
  note.now.ms = reader.integer();
  read(reader, note.spent);
  note.refused = reader.boolean();
  auto stage = reader.unsigned_integer();
  note.steps = reader.unsigned_integer();
  read_attempts(reader, note.attempts);
  read_signals(reader, note.signals);
  note.signal_ids.resize(reader.array());
  for (auto& id : note.signal_ids) id = reader.unsigned_integer();
  record.finish();
  if (!reader.ok() || stage > static_cast<std::uint64_t>(BudgetStage::spent) || note.number == 0)
    return fail(Errc::invalid_input, "malformed snapshot");
  note.stage = static_cast<BudgetStage>(stage);
  return note;
}

std::string key_after(const StepKey& step, std::uint64_t snapshots) {
  return snapshots == 0 ? step.str() : fmt::format("{}@{}", step.str(), snapshots);
}

}  // namespace troupe::actors
