// How the desk's answers look as JSON documents.
#include "actors/desk.hpp"
#include "actors/run_history.hpp"
#include "runtime/protocol/run_values.hpp"

#include <cmath>
#include <set>

namespace troupe::actors {
namespace {

Json attempt_json(const AttemptRecord& record) {
  Json out;
  out["endpoint"] = record.endpoint;
  out["model"] = record.model;
  out["cause"] = to_string(record.cause);
  out["started"] = to_iso8601(record.started);
  out["ttft_ms"] = std::chrono::duration_cast<std::chrono::milliseconds>(record.ttft).count();
  out["total_ms"] = std::chrono::duration_cast<std::chrono::milliseconds>(record.total).count();
  out["input_tokens"] = record.usage.input;
  out["output_tokens"] = record.usage.output;
  out["usd"] = record.usd;
  if (!record.error.empty()) out["error"] = record.error;
  if (!record.decision.empty()) out["decision"] = record.decision;
  return out;
}

Json answer_json(const Answer& answer) {
  Json out;
  out["text"] = answer.completion.text();
  out["stop"] = to_string(answer.completion.stop);
  out["model"] = answer.completion.model;
  out["attempts"] = Json::array();
  for (const auto& record : answer.attempts) out["attempts"].push_back(attempt_json(record));
  return out;
}

// Infinite headroom means "no limit", which JSON says by leaving it out.
void put_finite(Json& out, const char* key, double value) {
  if (std::isfinite(value) && value < 1e17) out[key] = value;
}

}  // namespace

Json to_json(const journal::RunRow& row) {
  Json out;
  out["run_id"] = row.run_id;
  out["workflow"] = row.workflow;
  out["state"] = to_string(row.state);
  out["tenant"] = row.tenant;
  out["node"] = row.node;
  if (row.durability != Durability::unsaid) out["durability"] = to_string(row.durability);
  out["created"] = to_iso8601(row.created);
  out["created_ms"] = row.created.ms;
  if (row.finished.ms != 0) {
    out["finished"] = to_iso8601(row.finished);
    out["seconds"] = static_cast<double>(row.finished.ms - row.created.ms) / 1e3;
  }
  out["tokens_in"] = row.tokens_in;
  out["tokens_out"] = row.tokens_out;
  out["cost_usd"] = row.usd;
  return out;
}

Json to_json(const journal::CostRow& row) {
  Json out;
  out["key"] = row.key;
  out["attempts"] = row.attempts;
  out["failed"] = row.failed;
  out["input_tokens"] = row.usage.input;
  out["output_tokens"] = row.usage.output;
  out["cache_read_tokens"] = row.usage.cache_read;
  out["cache_write_tokens"] = row.usage.cache_write;
  out["cost_usd"] = row.usd;
  out["nano_usd"] = row.nano_usd;
  out["keys"] = row.keys;
  out["unit_hours"] = row.unit_hours;
  out["unpriced"] = row.unpriced;
  out["estimated"] = row.usage.estimated;
  return out;
}

Json to_json(const policy::HealthView& view) {
  Json out;
  out["endpoint"] = view.endpoint;
  out["state"] = to_string(view.state);
  out["reason"] = to_string(view.reason);
  out["share"] = view.share;
  out["reachable"] = view.reachable;
  out["ttft_p50"] = view.ttft_p50;
  out["ttft_p90"] = view.ttft_p90;
  out["total_p50"] = view.total_p50;
  out["total_p90"] = view.total_p90;
  out["error_share"] = view.error_share;
  out["throttle_share"] = view.throttle_share;
  out["samples"] = view.samples;
  out["in_flight"] = view.in_flight;
  put_finite(out, "input_headroom", view.input_headroom);
  put_finite(out, "output_headroom", view.output_headroom);
  if (view.since.ms != 0) out["since"] = to_iso8601(view.since);
  if (view.cool_until.ms != 0) out["cool_until"] = to_iso8601(view.cool_until);
  return out;
}

namespace {

Json tool_json(const ToolOutput& output) {
  Json out{{"text", output.text}, {"is_error", output.is_error}};
  for (const auto& span : output.sources)
    out["sources"].push_back({{"doc", span.doc}, {"start", span.start}, {"end", span.end}});
  return out;
}

Json caps_json(const Budget& budget) {
  auto text = budget_json(budget);
  auto parsed = parse_json(text.empty() ? "{}" : text);
  return parsed ? std::move(*parsed) : Json::object();
}

void put_intent(Json& out, const journal::Entry& entry) {
  auto note = read_intent(entry.payload);
  if (note && note->reserved != Budget{}) out["reserved"] = caps_json(note->reserved);
}

void put_child(Json& out, const journal::Entry& entry) {
  if (entry.kind == journal::Kind::child_start) {
    if (auto note = read_child(entry.payload))
      out["child"] = {{"run_id", note->run_id}, {"slice", caps_json(note->slice)}};
  } else if (auto outcome = read_outcome(entry.payload)) {
    out["spent"] = caps_json(outcome->spent);
    if (!outcome->end) out["error"] = to_string(outcome->end.error().code);
    if (outcome->end) out["payload"] = outcome->end->output.text;
  }
}

void put_snapshot(Json& out, const journal::Entry& entry) {
  auto note = read_snapshot(entry.payload);
  if (!note) return;
  auto state = parse_json(note->state.text);
  out["snapshot"] = note->number;
  out["version"] = note->version;
  out["state"] = state ? std::move(*state) : Json(note->state.text);
  out["spent"] = caps_json(note->spent);
  for (const auto& signal : note->signals) out["signals"].push_back(signal.name);
}

void put_result(Json& out, const journal::Entry& entry, std::optional<IntentOf> of) {
  if (of == IntentOf::model) {
    if (auto answer = protocol::from_bytes<Answer>(entry.payload)) out["answer"] = answer_json(*answer);
  } else if (of == IntentOf::tool) {
    if (auto output = protocol::from_bytes<ToolOutput>(entry.payload)) out["tool"] = tool_json(*output);
  } else if (!entry.payload.empty()) {
    auto parsed = parse_json(entry.payload);
    out["payload"] = parsed ? std::move(*parsed) : Json(entry.payload);
  }
}

}  // namespace

Json to_json(const journal::Entry& entry, std::optional<IntentOf> of) {
  Json out;
  out["seq"] = entry.seq;
  out["kind"] = to_string(entry.kind);
  if (!entry.step_key.empty()) out["step"] = entry.step_key;
  out["at"] = to_iso8601(entry.at);
  out["epoch"] = entry.epoch;
  if (entry.attempt != 0) out["attempt"] = entry.attempt;
  switch (entry.kind) {
    case journal::Kind::intent: put_intent(out, entry); break;
    case journal::Kind::child_start:
    case journal::Kind::child_end: put_child(out, entry); break;
    case journal::Kind::failure:
      if (auto error = protocol::from_bytes<Error>(entry.payload)) out["error"] = to_string(error->code);
      break;
    case journal::Kind::result: put_result(out, entry, of); break;
    case journal::Kind::snapshot: put_snapshot(out, entry); break;
    default: put_result(out, entry, std::nullopt);
  }
  return out;
}

std::vector<Json> export_history(const std::vector<journal::Entry>& entries) {
  std::map<std::string, IntentOf> begun;
  std::vector<Json> out;
  for (const auto& entry : entries) {
    auto note = entry.kind == journal::Kind::intent ? read_intent(entry.payload) : IntentNote{};
    if (entry.kind == journal::Kind::intent && note) begun[entry.step_key] = note->of;
    auto of = begun.find(entry.step_key);
    out.push_back(to_json(entry, of == begun.end() ? std::nullopt : std::optional(of->second)));
  }
  return out;
}

std::vector<std::string> reported_models(const std::vector<journal::Entry>& entries) {
  std::set<std::string> models;
  auto history = RunHistory::read(entries);
  if (!history) return {};
  for (const auto& key : history->keys())
    if (const auto* answer = std::get_if<Answer>(&history->find(key)->what);
        answer != nullptr && !answer->completion.model.empty())
      models.insert(answer->completion.model);
  return {models.begin(), models.end()};
}

}  // namespace troupe::actors
